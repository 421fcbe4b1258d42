"""The layers of a run as the explorer lists them, and the boxes that they are shown as; pure data."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gui.widgets.network_strip import StripBox

INPUT = "images"
CALM = {  # what is shown as a part of the box before it, when it is given nothing else
    *("Activation", "ELU", "LeakyReLU", "PReLU", "ReLU"),
    *("BatchNormalization", "GroupNormalization", "LayerNormalization", "Rescaling", "Dropout", "ClipAtInference"),
    *("Flatten", "Reshape"),
}
LEAST_HEIGHT, STEEPNESS = 0.2, 0.3
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class LayerSummary:
    """One layer: what the engine says of it."""

    name: str
    kind: str
    part: str
    shape: tuple[int, ...]
    parameters: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    receives: tuple[str, ...]
    rows: Spans
    columns: Spans
    known: bool
    before: str | None
    after: str | None
    description: tuple[str, ...]

    @property
    def channels(self) -> int:
        return self.shape[-1]

    @property
    def has_units(self) -> bool:
        """Whether its channels are pictures, not numbers."""
        return len(self.shape) == 3

    @property
    def shape_text(self) -> str:
        return "×".join(map(str, self.shape))

    @property
    def kernel_text(self) -> str:
        """Window and step, or nothing where there is none."""
        if not self.kernel:
            return ""
        stride = self.stride[0] if self.stride else 1
        return f"{' × '.join(map(str, self.kernel))}, stride {stride}"

    @property
    def field_text(self) -> str:
        """How much of the picture a unit sees, in words."""
        if not self.known:
            return "unknown"
        high, wide = (
            max((last - first + 1 for first, last in spans), default=0) for spans in (self.rows, self.columns)
        )
        return f"{high} × {wide} px"

    def box(self, row: int, column: int) -> tuple[int, int, int, int] | None:
        """(x, y, width, height) in pixels of what a unit sees; None where that is not known or nothing."""
        if not self.known or not self.rows or not self.columns:
            return None
        top, bottom = self.rows[row if len(self.rows) > 1 else 0]
        left, right = self.columns[column if len(self.columns) > 1 else 0]
        return (left, top, right - left + 1, bottom - top + 1) if right >= left and bottom >= top else None

    def sees_text(self, row: int, column: int) -> str:
        """How much of the picture one unit sees, and which it is."""
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
        """The input and all layers, in order."""
        return (INPUT, *(layer.name for layer in self.layers))

    @cached_property
    def groups(self) -> tuple[tuple[LayerSummary, ...], ...]:
        """Layers that are shown as one box: what works, and the calm ones behind it."""
        found: list[list[LayerSummary]] = []
        for layer in self.layers:
            joins = found and layer.kind in CALM and layer.receives == (found[-1][-1].name,)
            if joins:
                found[-1].append(layer)
            else:
                found.append([layer])
        return tuple(tuple(group) for group in found)

    def boxes(self) -> list[StripBox]:
        """What the strip shows: the input first, then every group."""
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
        """The main layer of the next box, or of the one before."""
        keys = [INPUT, *(group[0].name for group in self.groups)]
        holders = [{INPUT}, *({layer.name for layer in group} for group in self.groups)]
        at = next((place for place, names in enumerate(holders) if name in names), 0)
        return keys[min(max(at + by, 0), len(keys) - 1)]

    def find_neighbor(self, name: str, by: int) -> str:
        """The next layer of all, or the one before."""
        at = self.names.index(name) if name in self.names else 0
        return self.names[min(max(at + by, 0), len(self.names) - 1)]

    def _height(self, layer: LayerSummary) -> float:
        side = layer.shape[0] if len(layer.shape) == 3 else 0
        return max((side / self.size) ** STEEPNESS if side else 0.0, LEAST_HEIGHT)


def parse_network(content: dict[str, Any]) -> Network:
    """Read an answer to ListLayers."""
    return Network(
        run=content["run"],
        model=content["model"],
        size=content["size"],
        layers=tuple(_layer(facts) for facts in content["layers"]),
    )


def _layer(facts: dict[str, Any]) -> LayerSummary:
    words = facts.get("words") or ()
    return LayerSummary(
        name=facts["name"],
        kind=facts["kind"],
        part=facts["part"],
        shape=tuple(facts["shape"]),
        parameters=facts["parameters"],
        kernel=tuple(facts["kernel"]),
        stride=tuple(facts["stride"]),
        receives=tuple(facts["receives"]),
        rows=_spans(facts["rows"]),
        columns=_spans(facts["columns"]),
        known=facts["known"],
        before=facts["before"],
        after=facts["after"],
        description=(words,) if isinstance(words, str) else tuple(words),
    )


def _spans(table: Sequence[Sequence[int]]) -> Spans:
    return tuple((int(first), int(last)) for first, last in table)
