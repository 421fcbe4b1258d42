"""Points in a plane: what they are, where they lie in a view, which lie under a pointer or within a lasso."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Point = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 42
SPARE = 1.06
MOST_ZOOM, MOST_STRETCH = 200.0, 2.0
TAILS = (1, 99)


@dataclass(frozen=True)
class Mark:
    """How the points of a group look: its name, the key of its colour, its shape."""

    title: str
    series: str
    shape: str = "circle"


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points (n, 2), the group of each as an index into the marks; values (n,), where given, make the colours.

    A guest is one more point that belongs to no group and is always in sight, with the name that stands beside it.
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
        """All points that a frame has to hold."""
        return self.points if self.extra_point is None else np.vstack([self.points, self.extra_point])

    def shares(self) -> Numbers:
        """Each value's place between the 1st and the 99th percentile, 0 to 1; without values, zeros."""
        if self.values is None or not np.isfinite(self.values).any():
            return np.zeros(len(self.points))
        low, high = self.ends()
        return np.clip((np.nan_to_num(self.values, nan=low) - low) / max(high - low, 1e-12), 0, 1)

    def ends(self) -> tuple[float, float]:
        """The values that have the first and the last colour."""
        assert self.values is not None
        low, high = np.percentile(self.values[np.isfinite(self.values)], TAILS)
        return float(low), float(high)


EMPTY = Scatter(np.zeros((0, 2)), np.zeros(0, np.int64), ())


@dataclass(frozen=True)
class PlotTransform:
    """How the plane lies in a widget of some size: scales in pixels per unit, across and up; y points up."""

    size: Point
    centre: Point
    scale: Point

    @property
    def middle(self) -> Point:
        return (LEFT + self.size[0] - RIGHT) / 2, (TOP + self.size[1] - BOTTOM) / 2

    def to_view(self, points: Numbers) -> Numbers:
        """Places in the widget, (n, 2)."""
        across, down = self.middle
        x = across + (points[:, 0] - self.centre[0]) * self.scale[0]
        y = down - (points[:, 1] - self.centre[1]) * self.scale[1]
        return np.stack([x, y], axis=1)

    def to_plane(self, at: Point) -> Point:
        across, down = self.middle
        return (at[0] - across) / self.scale[0] + self.centre[0], (down - at[1]) / self.scale[1] + self.centre[1]

    def zoomed(self, factor: float, at: Point, least: Point) -> "PlotTransform":
        """Zoom so that what lies under a place of the widget stays there; never out of the whole by more than half."""
        by = min(max(self.scale[0] * factor / least[0], 0.5), MOST_ZOOM)
        scale = least[0] * by, least[1] * by
        x, y = self.to_plane(at)
        across, down = self.middle
        return replace(self, scale=scale, centre=(x - (at[0] - across) / scale[0], y + (at[1] - down) / scale[1]))

    def panned(self, dx: float, dy: float) -> "PlotTransform":
        """Move what is seen by so many pixels."""
        return replace(self, centre=(self.centre[0] - dx / self.scale[0], self.centre[1] + dy / self.scale[1]))


def fit_all(points: Numbers, size: Point) -> PlotTransform:
    """The frame in which all points are just in sight; one axis is stretched to fill the room, to twice at the most."""
    room = max(size[0] - LEFT - RIGHT, 1.0), max(size[1] - TOP - BOTTOM, 1.0)
    if not len(points):
        return PlotTransform(size, (0.0, 0.0), (min(room) / 2, min(room) / 2))
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.maximum((high - low) * SPARE, 1e-9)
    full = [min(float(room[axis] / span[axis]), 1e9) for axis in (0, 1)]
    scale = min(full[0], full[1] * MOST_STRETCH), min(full[1], full[0] * MOST_STRETCH)
    middle = (low + high) / 2
    return PlotTransform(size, (float(middle[0]), float(middle[1])), scale)


def nearest(places: Numbers, shown: Flags, at: Point, reach: float) -> int:
    """The shown point nearest to a place of the widget, within so many pixels; -1 for none."""
    if not shown.any():
        return -1
    away = np.where(shown, np.square(places - np.asarray(at)).sum(axis=1), np.inf)
    found = int(away.argmin())
    return found if away[found] <= reach**2 else -1


def inside(places: Numbers, corners: Sequence[Point]) -> Flags:
    """Which places lie within a polygon (even-odd rule)."""
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
    """The nearest shown point in a direction from one, within 45 degrees of it; the same one where there is none."""
    step = places - places[start]
    along = step @ np.asarray(way)
    across = np.abs(step @ np.asarray((-way[1], way[0])))
    good = shown & (along > 0) & (across <= along)
    if not good.any():
        return start
    return int(np.where(good, np.square(step).sum(axis=1), np.inf).argmin())
