"""Numbers of one curve, raw and smoothed."""

import statistics
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Bounds = tuple[float, float, float, float]
# The range of the values that the axis shows when outliers are clipped.
OUTLIERS = (0.05, 0.95)


@dataclass(frozen=True)
class Scale:
    """Axes of a plot: which are logarithmic, and whether the range of y leaves out the outliers of each curve."""

    log_x: bool = False
    log_y: bool = False
    clips: bool = False


@dataclass(frozen=True)
class SeriesStyle:
    """Label and color key of a curve; its line is dashed (validation) or solid (training).

    A faint curve stands behind the others: it is in no list of values, and the axes do not follow it once there is
    another curve of its color with two points.
    """

    label: str
    color_key: str
    dashed: bool = False
    faint: bool = False


class Smoother:
    """Exponential moving average without start bias: s_t = sum w^(t-i) y_i / sum w^(t-i), for w in [0, 1).

    Values that are not finite pass through and do not enter the average. The smoother keeps its state, so that a
    growing curve costs only its new points.
    """

    def __init__(self, weight: float = 0.0) -> None:
        self.weight = weight
        self._sum, self._mass = 0.0, 0.0

    def extend(self, values: Numbers) -> Numbers:
        """Return the smoothed values of the next stretch of the curve."""
        smoothed = np.array(values, dtype=np.float64)
        for i, value in enumerate(smoothed):
            if np.isfinite(value):
                self._sum = self.weight * self._sum + value
                self._mass = self.weight * self._mass + 1.0
                smoothed[i] = self._sum / self._mass
        return smoothed


class Series:
    """One growing curve."""

    def __init__(self, style: SeriesStyle, weight: float) -> None:
        self.style = style
        self.x: Numbers = np.zeros(0)
        self.y: Numbers = np.zeros(0)
        self.smooth: Numbers = np.zeros(0)
        self.best: float | None = None
        self._smoother = Smoother(weight)

    def set_data(self, x: ArrayLike, y: ArrayLike) -> None:
        """Set the whole curve; if it only grew, smooth only the new points."""
        xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
        old = len(self.y)
        grown = old <= len(ys) and np.array_equal(ys[:old], self.y, equal_nan=True)
        if not grown:
            self._smoother, self.smooth, old = Smoother(self._smoother.weight), np.zeros(0), 0
        self.smooth = np.concatenate([self.smooth, self._smoother.extend(ys[old:])])
        self.x, self.y = xs, ys

    def set_smoothing(self, weight: float) -> None:
        self._smoother = Smoother(weight)
        self.smooth = self._smoother.extend(self.y)

    def bounds(self, scale: "Scale", between: tuple[float, float] | None = None) -> Bounds | None:
        """Return left, right, low and high of the drawable values, raw and smoothed, or None if there are none.

        Args:
            scale: which axes are logarithmic, and whether outliers count.
            between: only values at these x count.
        """
        seen = drawable(self.x, scale.log_x) & drawable(self.y, scale.log_y)
        if between is not None:
            seen &= (self.x >= between[0]) & (self.x <= between[1])
        if not seen.any():
            return None
        xs, ys = self.x[seen], np.concatenate([self.y[seen], self.smooth[seen]])
        low, high = np.quantile(ys, OUTLIERS) if scale.clips else (ys.min(), ys.max())
        return float(xs.min()), float(xs.max()), float(low), float(high)

    def nearest(self, x: float) -> int | None:
        """Return the index of the point nearest to x, or None if x is more than half a step from all of them."""
        if not len(self.x):
            return None
        at = int(np.abs(self.x - x).argmin())
        step = statistics.median(np.diff(self.x).tolist()) if len(self.x) > 1 else 1.0
        return at if abs(self.x[at] - x) <= step / 2 * 1.000001 else None


def drawable(values: Numbers, log: bool) -> NDArray[np.bool_]:
    """Return which values a linear, or a logarithmic, axis can show."""
    positive = values > 0 if log else np.ones(len(values), bool)
    return np.isfinite(values) & positive


def to_axis(values: Numbers, log: bool) -> Numbers:
    """Return the axis positions of values.

    On a logarithmic axis this is the logarithm, nan where there is none.
    """
    if not log:
        return values
    placed = np.full(len(values), np.nan)
    np.log10(values, out=placed, where=drawable(values, True))
    return placed


def decimate(y: Numbers, most: int) -> NDArray[np.intp]:
    """Return the indices of at most `most` points that keep the look: low and high of each short stretch."""
    if len(y) <= most:
        return np.arange(len(y))
    size = -(-2 * len(y) // (most - 2))
    stretches = np.arange(len(y) // size)[:, None] * size
    whole = y[: len(stretches) * size].reshape(-1, size)
    low = np.where(np.isfinite(whole), whole, np.inf).argmin(axis=1)
    high = np.where(np.isfinite(whole), whole, -np.inf).argmax(axis=1)
    inner = np.sort(stretches + np.stack([low, high], axis=1), axis=1).ravel()
    return np.unique(np.concatenate([[0], inner, [len(y) - 1]]))


def padded_bounds(bounds: list[Bounds]) -> Bounds:
    """Return the range that contains all bounds, in axis positions, padded and valid for a single point."""
    if not bounds:
        return 0.0, 1.0, 0.0, 1.0
    lefts, rights, lows, highs = (np.array(side) for side in zip(*bounds, strict=True))
    left, right, low, high = float(lefts.min()), float(rights.max()), float(lows.min()), float(highs.max())
    if right <= left:
        left, right = left - 0.5, right + 0.5
    if high <= low:
        pad = abs(low) * 0.1 or 1.0
        low, high = low - pad, high + pad
    return (
        left - 0.02 * (right - left),
        right + 0.02 * (right - left),
        low - 0.06 * (high - low),
        high + 0.06 * (high - low),
    )
