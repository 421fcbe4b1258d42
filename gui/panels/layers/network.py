"""The layers of a run, and the boxes that show them. Pure data."""

from dataclasses import dataclass
from functools import cached_property

from engine.messages import LayerFacts, ListLayersReply
from gui.widgets.network_strip import StripBox

INPUT = "images"
# Kinds that are shown as a part of the box before them, if that is their only input.
ATTACHED_KINDS = {
    *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU"),
    *("BatchNormalization", "GroupNormalization", "LayerNormalization", "Rescaling", "Dropout", "Bounded"),
    *("Flatten", "Reshape"),
}
MIN_HEIGHT, STEEPNESS = 0.2, 0.3


class LayerSummary(LayerFacts):
    """One layer as the panel shows it."""

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def has_units(self) -> bool:
        """Return whether its channels are images, not numbers."""
        return len(self.shape) == 3

    @property
    def shape_text(self) -> str:
        return "×".join(map(str, self.shape))

    @property
    def kernel_text(self) -> str:
        """Return kernel and stride as text, empty if there is no kernel."""
        if not self.kernel:
            return ""
        stride = self.stride[0] if self.stride else 1
        return f"{' × '.join(map(str, self.kernel))}, stride {stride}"

    @property
    def field_text(self) -> str:
        """Return the size of the largest receptive field, as text."""
        if not self.known:
            return "unknown"
        high, wide = (
            max((last - first + 1 for first, last in spans), default=0) for spans in (self.rows, self.columns)
        )
        return f"{high} × {wide} px"

    def box(self, row: int, column: int) -> tuple[int, int, int, int] | None:
        """Return the receptive field of a unit, (x, y, width, height) in pixels; None if it is unknown or empty."""
        if not self.known or not self.rows or not self.columns:
            return None
        top, bottom = self.rows[row if len(self.rows) > 1 else 0]
        left, right = self.columns[column if len(self.columns) > 1 else 0]
        return (left, top, right - left + 1, bottom - top + 1) if right >= left and bottom >= top else None

    def sees_text(self, row: int, column: int) -> str:
        """Return the position of a unit and the size of its receptive field, as text."""
        box = self.box(row, column)
        return (
            f"Receptive field of the unit at x {column}, y {row}: {box[2]} × {box[3]} px."
            if box
            else "Receptive field unknown."
        )


@dataclass(frozen=True, eq=False)
class Network:
    """All layers of a run in network order."""

    run: str
    model: str
    size: int
    layers: tuple[LayerSummary, ...]

    @cached_property
    def by_name(self) -> dict[str, LayerSummary]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the input and all layers in network order."""
        return (INPUT, *(layer.name for layer in self.layers))

    @cached_property
    def groups(self) -> tuple[tuple[LayerSummary, ...], ...]:
        """Return the layers of each box: the main layer, and those attached to it."""
        found: list[list[LayerSummary]] = []
        for layer in self.layers:
            joins = found and layer.kind in ATTACHED_KINDS and layer.receives == (found[-1][-1].name,)
            if joins:
                found[-1].append(layer)
            else:
                found.append([layer])
        return tuple(tuple(group) for group in found)

    def boxes(self) -> list[StripBox]:
        """Return the boxes of the strip: the input, then every group."""
        made = [StripBox("input", f"{self.size}×{self.size}×1", 1.0, ((INPUT, "input"),))]
        places = {INPUT: 0}
        for at, group in enumerate(self.groups, 1):
            places |= {layer.name: at for layer in group}
            first = group[0]
            given = {places[name] for layer in group for name in layer.receives if name in places}
            skips = tuple(sorted(place for place in given if place < at - 1))
            pieces = tuple((layer.name, f"{layer.name} · {layer.kind}") for layer in group)
            made.append(StripBox(first.name, first.shape_text, self._height(first), pieces, skips))
        return made

    def step(self, name: str, by: int) -> str:
        """Return the main layer of the box that is `by` boxes further on, or back if negative."""
        keys = [INPUT, *(group[0].name for group in self.groups)]
        holders = [{INPUT}, *({layer.name for layer in group} for group in self.groups)]
        at = next((place for place, names in enumerate(holders) if name in names), 0)
        return keys[min(max(at + by, 0), len(keys) - 1)]

    def find_neighbor(self, name: str, by: int) -> str:
        """Return the layer that is `by` layers further on, or back if negative."""
        at = self.names.index(name) if name in self.names else 0
        return self.names[min(max(at + by, 0), len(self.names) - 1)]

    def _height(self, layer: LayerSummary) -> float:
        side = layer.shape[0] if len(layer.shape) == 3 else 0
        return max((side / self.size) ** STEEPNESS if side else 0.0, MIN_HEIGHT)


def to_network(reply: ListLayersReply) -> Network:
    """Return the network of a reply to ListLayers."""
    return Network(reply.run, reply.model, reply.size, tuple(LayerSummary(**dict(facts)) for facts in reply.layers))
