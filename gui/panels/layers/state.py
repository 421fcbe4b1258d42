"""State of the Layers panel: run, layer, channel, images, order of the channels, color scale. Pure data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gui.panels.layers.network import INPUT, Network
from gui.pixmaps import Array, Colormap
from gui.selection import ImageRef

SORTS = {"energy": "energy", "zeros": "sparsity", "mean": "mean", "number": "index"}
Numbers = Mapping[str, NDArray[Any]]
FLAT = 1e-12
MAX_SCANS = 8


@dataclass(frozen=True)
class ColorScale:
    """The color scale: whether all channels share it, and whether zero is the middle of the color map."""

    shared: bool = True
    signed: bool = False

    @property
    def scale(self) -> Colormap:
        return Colormap.SIGNED if self.signed else Colormap.HEAT


def compute_numbers(values: Array) -> Numbers:
    """Return every channel's statistics on one image, (h, w, c), without `dead`, which needs many images."""
    flat = np.asarray(values, np.float64).reshape(-1, values.shape[-1])
    ends = {"lowest": flat.min(0), "highest": flat.max(0)}
    middle = {"mean": flat.mean(0), "spread": flat.std(0), "energy": np.square(flat).mean(0)}
    return middle | {"zeros": (flat == 0).mean(0)} | ends


def sort_channels(sort: str, numbers: Numbers, pinned: Collection[int], count: int) -> list[int]:
    """Return all channels: pinned ones first, the rest by a statistic, largest first, or by their index."""
    known = numbers.get(sort)
    rest = range(count) if known is None else [int(at) for at in np.argsort(-np.nan_to_num(known), kind="stable")]
    first = [channel for channel in sorted(pinned) if channel < count]
    return [*first, *(channel for channel in rest if channel not in first)]


def value_limits(values: Array, color_scale: ColorScale, channel: int | None = None) -> tuple[float, float]:
    """Return the limits of the color map for one channel, or for all if none is named."""
    seen = values if channel is None else values[..., channel]
    low, high = float(np.min(seen)), float(np.max(seen))
    if color_scale.signed:
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    return (low, high) if high - low > FLAT else (low, low + 1.0)


def to_marks(pinned: Collection[int], dead: Sequence[int]) -> dict[int, str]:
    """Return the texts next to the indices of some channels."""
    marks = dict.fromkeys(dead, "dead")
    for channel in pinned:
        marks[channel] = f"{marks.get(channel, '')} pinned".strip()
    return marks


@dataclass(frozen=True)
class ActivationKey:
    """One layer of a run, and an image; `run` is the folder of the run."""

    run: str
    layer: str
    scan: ImageRef


@dataclass
class LayersState:
    """The choices of the user.

    `run` is the folder of the run. `channel` is -1 until one is chosen: the first in the order. `unit` is a (row,
    column) in the channel, None for the whole channel. `pinned` holds the pinned channels of each layer by its name.
    """

    run: str = ""
    layer: str = ""
    channel: int = -1
    unit: tuple[int, int] | None = None
    scans: list[ImageRef] = field(default_factory=list)
    at: int = 0
    sort: str = "energy"
    color_scale: ColorScale = field(default_factory=ColorScale)
    pinned: dict[str, list[int]] = field(default_factory=dict)

    @property
    def scan(self) -> ImageRef | None:
        return self.scans[self.at] if self.at < len(self.scans) else None

    def activation_key(self, layer: str = "", scan: ImageRef | None = None) -> ActivationKey | None:
        """Return what is shown, or the same for another layer or image; None if something is missing."""
        scan = scan or self.scan
        return (
            ActivationKey(self.run, layer or self.layer, scan) if self.run and scan and (layer or self.layer) else None
        )

    def prefetch_keys(self, network: Network) -> list[ActivationKey]:
        """Return what may be wanted next: this layer for the other images, then the layers near it."""
        others = [self.activation_key(scan=scan) for scan in self.scans]
        facts = network.by_name.get(self.layer)
        near = [network.step(self.layer, 1), network.step(self.layer, -1)]
        near += [name for name in (facts.after, facts.before) if name] if facts else []
        near += [network.step(network.step(self.layer, 1), 1), network.find_neighbor(self.layer, 1)]
        beside = [self.activation_key(layer=name) for name in dict.fromkeys(near)]
        return [look for look in (*others, *beside) if look is not None]

    def pins(self) -> list[int]:
        """Return the pinned channels of the layer."""
        return self.pinned.get(self.layer, [])

    def pin(self, channel: int) -> None:
        """Pin a channel, or unpin it."""
        pins = self.pins()
        self.pinned[self.layer] = [each for each in pins if each != channel] if channel in pins else [*pins, channel]

    def adopt_network(self, network: Network) -> None:
        """Keep the layer if the network has one of that name; else take the first."""
        if self.layer not in network.names:
            self.layer = network.layers[0].name if network.layers else INPUT

    def to_dict(self) -> dict[str, Any]:
        """Return what the next session restores: images by split and title, without files."""
        return {
            "layer": self.layer,
            "channel": self.channel,
            "sort": self.sort,
            "shared": self.color_scale.shared,
            "signed": self.color_scale.signed,
            "pinned": self.pinned,
            "scans": [[scan.split, scan.title] for scan in self.scans if scan.opened is None],
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Restore what is valid; the images are found once a dataset is loaded."""
        layer, channel, sort, pinned = (kept.get(name) for name in ("layer", "channel", "sort", "pinned"))
        if isinstance(layer, str):
            self.layer = layer
        if isinstance(channel, int):
            self.channel = max(channel, -1)
        if sort in SORTS:
            self.sort = str(sort)
        self.color_scale = ColorScale(kept.get("shared") is not False, kept.get("signed") is True)
        if isinstance(pinned, dict):
            known = {str(name): pins for name, pins in pinned.items() if isinstance(pins, list)}
            self.pinned = {name: [pin for pin in pins if isinstance(pin, int)] for name, pins in known.items()}
