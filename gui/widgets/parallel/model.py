"""What parallel axes show: lines over axes in some order, and what the brushes leave of them. Numbers only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Brush = tuple[float, float]
MISSING = -0.08  # the place of a line that has no value on an axis: below its foot
GOOD, DROPPED, FAILED = 0, 1, 2


@dataclass(frozen=True)
class ParallelAxis:
    """One axis.

    Args:
        key: what it is known by.
        title: what stands above it.
        words: names of the values 0, 1, 2, ... of an axis of words; empty where values are numbers.
        marks: the values to mark; round ones where there are none.
        log: whether it begins logarithmic.
        none: what stands at the place of lines without a value.
    """

    key: str
    title: str
    words: tuple[str, ...] = ()
    marks: tuple[float, ...] = ()
    log: bool = False
    none: str = "none"


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines: keys, (n, axes) values with nan for none, kinds (GOOD, DROPPED, FAILED), and the axis of their score.

    The lowest score is the best.
    """

    keys: tuple[str, ...] = ()
    values: Numbers = field(default_factory=lambda: np.zeros((0, 0)))
    kinds: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    score: str = ""


class ParallelModel:
    """Axes in their order, flipped and logarithmic or not, with a brush on some of them."""

    def __init__(self) -> None:
        self.axes: dict[str, ParallelAxis] = {}
        self.order: list[str] = []
        self.lines = Lines()
        self.flipped: set[str] = set()
        self.log: set[str] = set()
        self.brushes: dict[str, Brush] = {}
        self._places: dict[str, Numbers] = {}

    def show(self, axes: Sequence[ParallelAxis], lines: Lines) -> None:
        """Take new lines; order, flips, scales and brushes of axes that stay are kept."""
        new = [axis for axis in axes if axis.key not in self.axes]
        self.axes = {axis.key: axis for axis in axes}
        kept = [key for key in self.order if key in self.axes]
        self.order = kept + [axis.key for axis in new]
        self.log = {key for key in self.log if key in self.axes} | {axis.key for axis in new if axis.log}
        self.flipped &= set(self.axes)
        self.brushes = {key: brush for key, brush in self.brushes.items() if key in self.axes}
        self.lines, self._places = lines, {}
        self.log = {key for key in self.log if self.can_log(key)}

    def values(self, key: str) -> Numbers:
        """The lines' values on an axis."""
        return self.lines.values[:, list(self.axes).index(key)]

    def span(self, key: str) -> tuple[float, float]:
        """The lowest and the highest value of an axis."""
        axis = self.axes[key]
        if axis.words:
            return 0.0, float(max(len(axis.words) - 1, 1))
        values = self.values(key) if len(self.lines.keys) else np.zeros(0)
        known = np.concatenate([values[np.isfinite(values)], np.asarray(axis.marks, np.float64)])
        return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)

    def can_log(self, key: str) -> bool:
        return not self.axes[key].words and self.span(key)[0] > 0

    def to_unit(self, key: str, values: Numbers) -> Numbers:
        """Places of values on an axis: 0 at its foot, 1 at its head, MISSING for none."""
        low, high = self.span(key)
        if key in self.log:
            scaled = np.log(np.where(values > 0, values, np.nan))
            low, high = math.log(low), math.log(high)
        else:
            scaled = values
        share = np.full(len(values), 0.5) if high <= low else (scaled - low) / (high - low)
        share = 1 - share if key in self.flipped else share
        return np.where(np.isfinite(values), share, MISSING)

    def to_value(self, key: str, place: float) -> float:
        """The value at a place of an axis."""
        low, high = self.span(key)
        share = 1 - place if key in self.flipped else place
        if key in self.log:
            return float(math.exp(math.log(low) + share * (math.log(high) - math.log(low))))
        return low + share * (high - low)

    def unit_values(self, key: str) -> Numbers:
        """Places of the lines on an axis."""
        if key not in self._places:
            self._places[key] = self.to_unit(key, self.values(key))
        return self._places[key]

    def rank_shares(self) -> Numbers:
        """How bad each line is, from 0 for the best score to 1 for the worst; nan without one."""
        if self.lines.score not in self.axes:
            return np.full(len(self.lines.keys), np.nan)
        values = self.values(self.lines.score)
        known = values[np.isfinite(values) & (self.lines.kinds == GOOD)]
        if not known.size:
            return np.full(len(values), np.nan)
        low, high = float(known.min()), float(known.max())
        if self.lines.score in self.log and low > 0:
            with np.errstate(invalid="ignore", divide="ignore"):
                values, low, high = np.log(values), math.log(low), math.log(high)
        return np.clip((values - low) / max(high - low, 1e-12), 0, 1)

    def selected(self) -> Mask:
        """Which lines every brush leaves."""
        mask = np.ones(len(self.lines.keys), bool)
        for key, (low, high) in self.brushes.items():
            places = self.unit_values(key)
            mask &= (places >= low - 1e-9) & (places <= high + 1e-9)
        return mask

    def set_brush(self, key: str, ends: Brush | None) -> None:
        """Brush an axis between two places, or no longer."""
        if ends is None:
            self.brushes.pop(key, None)
        else:
            self.brushes[key] = max(min(ends), 2 * MISSING), min(max(ends), 1 - MISSING)

    def flip(self, key: str) -> None:
        """Turn an axis upside down, its brush with it; what has no value stays below."""
        self.flipped ^= {key}
        self._places.pop(key, None)
        if key in self.brushes:
            low, high = self.brushes[key]
            self.set_brush(key, (1 - high, 1 - low))

    def set_log(self, key: str, log: bool) -> None:
        """Make an axis logarithmic, or linear; its brush keeps its values."""
        if log == (key in self.log) or (log and not self.can_log(key)):
            return
        ends = [self.to_value(key, place) for place in self.brushes.get(key, ())]
        self.log ^= {key}
        self._places.pop(key, None)
        if ends:
            low, high = self.to_unit(key, np.clip(ends, *self.span(key)))
            self.set_brush(key, (float(low), float(high)))

    def move(self, key: str, to: int) -> None:
        """Put an axis at another place in the order."""
        self.order.remove(key)
        self.order.insert(min(max(to, 0), len(self.order)), key)

    def stops(self, key: str) -> list[float]:
        """The places that a brush moved by keys goes through: of the marks or words, else tenths."""
        axis = self.axes[key]
        values = axis.marks or tuple(map(float, range(len(axis.words))))
        found = self.to_unit(key, np.asarray(values, np.float64)) if values else np.linspace(0, 1, 11)
        return sorted({float(place) for place in found})


def nearest(shares: Numbers, ends: tuple[Numbers, Numbers], at: tuple[float, float], mask: Mask) -> tuple[int, float]:
    """The line nearest to a point between two axes, and how far it is; (-1, inf) when there is none.

    Args:
        shares: how bad each line is; of lines that lie on each other the best is taken.
        ends: heights of the lines on the left and on the right axis, in pixels.
        at: share of the way from the left to the right axis; height of the point, in pixels.
        mask: the lines that count.
    """
    if not mask.any():
        return -1, math.inf
    away = np.abs(ends[0] + at[0] * (ends[1] - ends[0]) - at[1])
    away[~mask] = math.inf
    close = float(away.min())
    near = np.flatnonzero(away <= close + 0.5)
    worst = np.where(np.isfinite(shares[near]), shares[near], math.inf)
    return int(near[int(worst.argmin())]), close
