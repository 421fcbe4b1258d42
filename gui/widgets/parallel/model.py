"""Model of parallel coordinates: lines over axes in some order, and the lines that pass the brushes. Numbers only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Brush = tuple[float, float]
# Position of a line without a value on an axis: below its foot.
MISSING = -0.08
GOOD, DROPPED, FAILED = 0, 1, 2


@dataclass(frozen=True)
class ParallelAxis:
    """One axis.

    Args:
        key: its key.
        title: text above it.
        words: names of the values 0, 1, 2, ... of a categorical axis; empty if the values are numbers.
        marks: values to mark; round ones if empty.
        log: whether it starts logarithmic.
        none: text at the position of lines without a value.
    """

    key: str
    title: str
    words: tuple[str, ...] = ()
    marks: tuple[float, ...] = ()
    log: bool = False
    none: str = "none"


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines: keys, (n, axes) values with nan for none, kinds (GOOD, DROPPED, FAILED), and the axis of their score.

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
        """Replace the lines; axes that stay keep their order, flips, scales and brushes."""
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
        """Return the lines' values on an axis."""
        return self.lines.values[:, list(self.axes).index(key)]

    def span(self, key: str) -> tuple[float, float]:
        """Return the lowest and the highest value of an axis."""
        axis = self.axes[key]
        if axis.words:
            return 0.0, float(max(len(axis.words) - 1, 1))
        values = self.values(key) if len(self.lines.keys) else np.zeros(0)
        known = np.concatenate([values[np.isfinite(values)], np.asarray(axis.marks, np.float64)])
        return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)

    def can_log(self, key: str) -> bool:
        return not self.axes[key].words and self.span(key)[0] > 0

    def to_unit(self, key: str, values: Numbers) -> Numbers:
        """Return the positions of values on an axis: 0 at its foot, 1 at its head, MISSING for nan."""
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
        """Return the value at a position of an axis."""
        low, high = self.span(key)
        share = 1 - place if key in self.flipped else place
        if key in self.log:
            return float(math.exp(math.log(low) + share * (math.log(high) - math.log(low))))
        return low + share * (high - low)

    def unit_values(self, key: str) -> Numbers:
        """Return the positions of the lines on an axis."""
        if key not in self._places:
            self._places[key] = self.to_unit(key, self.values(key))
        return self._places[key]

    def rank_shares(self) -> Numbers:
        """Return the rank of each line, from 0 for the best score to 1 for the worst; nan without a score."""
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
        """Return which lines pass every brush."""
        mask = np.ones(len(self.lines.keys), bool)
        for key, (low, high) in self.brushes.items():
            places = self.unit_values(key)
            mask &= (places >= low - 1e-9) & (places <= high + 1e-9)
        return mask

    def set_brush(self, key: str, ends: Brush | None) -> None:
        """Brush an axis between two positions, or remove its brush if `ends` is None."""
        if ends is None:
            self.brushes.pop(key, None)
        else:
            self.brushes[key] = max(min(ends), 2 * MISSING), min(max(ends), 1 - MISSING)

    def flip(self, key: str) -> None:
        """Turn an axis and its brush upside down; lines without a value stay below its foot."""
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
        """Move an axis to another position in the order."""
        self.order.remove(key)
        self.order.insert(min(max(to, 0), len(self.order)), key)

    def stops(self, key: str) -> list[float]:
        """Return the positions at which a brush stops when keys move it: marks or words, else tenths."""
        axis = self.axes[key]
        values = axis.marks or tuple(map(float, range(len(axis.words))))
        found = self.to_unit(key, np.asarray(values, np.float64)) if values else np.linspace(0, 1, 11)
        return sorted({float(place) for place in found})


def nearest(shares: Numbers, ends: tuple[Numbers, Numbers], at: tuple[float, float], mask: Mask) -> tuple[int, float]:
    """Return the line nearest to a point between two axes, and its distance; (-1, inf) if there is none.

    Args:
        shares: rank of each line; of lines that coincide, the best one counts.
        ends: heights of the lines on the left and on the right axis, in pixels.
        at: fraction of the way from the left to the right axis; height of the point, in pixels.
        mask: lines that count.
    """
    if not mask.any():
        return -1, math.inf
    away = np.abs(ends[0] + at[0] * (ends[1] - ends[0]) - at[1])
    away[~mask] = math.inf
    close = float(away.min())
    near = np.flatnonzero(away <= close + 0.5)
    worst = np.where(np.isfinite(shares[near]), shares[near], math.inf)
    return int(near[int(worst.argmin())]), close
