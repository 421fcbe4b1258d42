"""Channel statistics, the order of channels, and their color limits: pure functions of arrays."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gui.pixmaps import Array, Colormap

SORTS = {"energy": "energy", "zeros": "sparsity", "mean": "mean", "number": "index"}
Numbers = Mapping[str, NDArray[Any]]
FLAT = 1e-12


@dataclass(frozen=True)
class ColorScale:
    """Whether all channels share one scale, and whether zero is the middle of the color map."""

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
    """Return the texts beside the indices of some channels."""
    marks = dict.fromkeys(dead, "dead")
    for channel in pinned:
        marks[channel] = f"{marks.get(channel, '')} pinned".strip()
    return marks
