"""Points in a plane: their data, the range that shows all of them, and the search for points by place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Point = tuple[float, float]
Ranges = tuple[Point, Point]

MARGIN = 1.06
MAX_STRETCH = 2.0
PERCENTILES = (1, 99)


@dataclass(frozen=True)
class Mark:
    """Look of the points of a group: its name, the key of its color, its shape."""

    title: str
    series: str
    shape: str = "circle"


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points (n, 2) and the group of each as an index into the marks; values (n,), if given, set the colors.

    The extra point belongs to no group. It is always visible, with its name beside it.
    """

    points: Numbers
    groups: NDArray[np.int64]
    marks: tuple[Mark, ...]
    axes: tuple[str, str] = ("", "")
    values: Numbers | None = None
    value_title: str = ""
    extra_point: Point | None = None
    guest_title: str = ""

    def extent(self) -> Numbers:
        """Return all points that a view has to hold."""
        return self.points if self.extra_point is None else np.vstack([self.points, self.extra_point])

    def shares(self) -> Numbers:
        """Return the position of each value between the 1st and the 99th percentile, 0 to 1; zeros without values."""
        if self.values is None or not np.isfinite(self.values).any():
            return np.zeros(len(self.points))
        low, high = self.ends()
        return np.clip((np.nan_to_num(self.values, nan=low) - low) / max(high - low, 1e-12), 0, 1)

    def ends(self) -> tuple[float, float]:
        """Return the values that have the first and the last color."""
        assert self.values is not None
        low, high = np.percentile(self.values[np.isfinite(self.values)], PERCENTILES)
        return float(low), float(high)


EMPTY = Scatter(np.zeros((0, 2)), np.zeros(0, np.int64), ())


def fit_ranges(points: Numbers, size: Point) -> Ranges:
    """Return the x and y ranges that just show all points in so many pixels.

    One axis is stretched to fill its side, to twice the scale of the other at most.
    """
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (-np.ones(2), np.ones(2))
    span = (high - low) * MARGIN
    span = np.maximum(span, span.max() * 1e-9) if span.any() else np.ones(2)
    full = np.asarray(size) / span
    scale = np.minimum(full, full[::-1] * MAX_STRETCH)
    half, middle = np.asarray(size) / scale / 2, (low + high) / 2
    (left, bottom), (right, top) = (middle - half).tolist(), (middle + half).tolist()
    return (left, right), (bottom, top)


def nearest(places: Numbers, shown: Flags, at: Point, reach: float) -> int:
    """Return the shown point nearest to a place, within so many pixels; -1 if there is none."""
    if not shown.any():
        return -1
    away = np.where(shown, np.square(places - np.asarray(at)).sum(axis=1), np.inf)
    found = int(away.argmin())
    return found if away[found] <= reach**2 else -1


def inside(places: Numbers, corners: Sequence[Point]) -> Flags:
    """Return which places lie within a polygon (even-odd rule)."""
    held = np.zeros(len(places), np.bool_)
    if len(corners) < 3:
        return held
    x, y = places[:, 0], places[:, 1]
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            held ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return held


def nearest_in_direction(places: Numbers, shown: Flags, start: int, way: Point) -> int:
    """Return the nearest shown point within 45 degrees of a direction; the start itself if there is none."""
    step = places - places[start]
    along = step @ np.asarray(way)
    across = np.abs(step @ np.asarray((-way[1], way[0])))
    good = shown & (along > 0) & (across <= along)
    if not good.any():
        return start
    return int(np.where(good, np.square(step).sum(axis=1), np.inf).argmin())
