"""Numbers of channels, in which order they are shown, and which colours they have; pure functions of arrays."""

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
    """One scale for all channels or one for each; whether zero is the middle of the colours."""

    shared: bool = True
    signed: bool = False

    @property
    def scale(self) -> Colormap:
        return Colormap.SIGNED if self.signed else Colormap.HEAT


def numbers_of(values: Array) -> Numbers:
    """Every channel's numbers on one scan, (h, w, c), but whether it is dead: one scan does not tell."""
    flat = np.asarray(values, np.float64).reshape(-1, values.shape[-1])
    ends = {"lowest": flat.min(0), "highest": flat.max(0)}
    middle = {"mean": flat.mean(0), "spread": flat.std(0), "energy": np.square(flat).mean(0)}
    return middle | {"zeros": (flat == 0).mean(0)} | ends


def sort_channels(sort: str, numbers: Numbers, pinned: Collection[int], count: int) -> list[int]:
    """All channels, pinned ones first; the rest by a number, largest first, or by their own."""
    known = numbers.get(sort)
    rest = range(count) if known is None else [int(at) for at in np.argsort(-np.nan_to_num(known), kind="stable")]
    first = [channel for channel in sorted(pinned) if channel < count]
    return [*first, *(channel for channel in rest if channel not in first)]


def value_limits(values: Array, lighting: ColorScale, channel: int | None = None) -> tuple[float, float]:
    """Lowest and highest value that the colours span, of one channel, or of all where none is named."""
    seen = values if channel is None else values[..., channel]
    low, high = float(np.min(seen)), float(np.max(seen))
    if lighting.signed:
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    return (low, high) if high - low > FLAT else (low, low + 1.0)


def marks_of(pinned: Collection[int], dead: Sequence[int]) -> dict[int, str]:
    """What stands beside the numbers of some channels."""
    marks = dict.fromkeys(dead, "dead")
    for channel in pinned:
        marks[channel] = f"{marks.get(channel, '')} pinned".strip()
    return marks
