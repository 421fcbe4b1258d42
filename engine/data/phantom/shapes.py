"""Shapes of the anatomy, in head millimeters, and the plan of a slice that is made of them."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.data.phantom.frame import Point
from engine.data.phantom.texture import Floats

Points = NDArray[np.float64]
Indices = NDArray[np.intp]

BEARINGS = 2048  # directions of an outline's tables
_BEARINGS_AROUND = np.arange(BEARINGS) * (4 / BEARINGS)
_SMOOTH = 6  # bearings to each side for the average of an outline, where it folds behind itself
_SPLINE = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2  # Catmull and Rom 1974


@dataclass(frozen=True)
class Ellipse:
    """An ellipse of one tissue; `pair` draws its mirror image on the other side of u = 0 as well."""

    tissue: str
    centre: Point
    radii: Point
    tilt: float = 0.0  # degrees, clockwise in the image
    pair: bool = False
    opacity: float = 1.0
    soft: float = 1.0  # edge width, in widths of the canvas's own


@dataclass(frozen=True)
class Stroke:
    """A line of changing half-width: a fissure, a vessel, a ventricle's horn, the corpus callosum."""

    tissue: str
    points: tuple[Point, ...]
    widths: tuple[float, ...]  # half-widths at the points, mm
    pair: bool = False
    opacity: float = 1.0
    soft: float = 1.0


Shape = Ellipse | Stroke


def ellipse_depth(u: Floats, v: Floats, row: NDArray[np.floating]) -> Floats:
    """Return the depth in an ellipse of center, radii and tilt (radians) `row`, mm; exact at a circle's edge."""
    cu, cv, a, b, tilt = (float(x) for x in row)
    c, s = math.cos(tilt), math.sin(tilt)
    du, dv = u - cu, v - cv
    along = du * (c / a)
    along += dv * (s / a)
    du *= -s / b
    dv *= c / b
    du += dv
    along *= along
    du *= du
    along += du
    np.sqrt(along, out=along)
    along -= 1
    along *= -min(a, b)
    return along


def stroke_depth(places: Floats, table: Floats) -> Floats:
    """Return the depth in a polyline of tapering half-width, all pieces at once: half-width minus distance, mm.

    Args:
        places: (3, h, w) head millimeters u and v, and ones.
        table: (n, 9), for each piece the coefficients of the coordinates along and across it in mm (3 and 3), its
            length, its half-width at the start and the change of that per mm.
    """
    count, (_, height, width) = len(table), places.shape
    flat = places.reshape(3, -1)
    across = table[:, 3:6] @ flat
    along = table[:, :3] @ flat
    length, start, change = table[:, 6:].T[:, :, None]
    foot = np.maximum(along, 0)
    np.minimum(foot, length, out=foot)
    along -= foot
    along *= along
    across *= across
    across += along
    foot *= change
    foot += start
    foot -= np.sqrt(across, out=across)
    depth: Floats = (foot if count == 1 else foot.max(axis=0)).reshape(height, width)
    return depth


def piece_table(line: Points, width: Points) -> Floats:
    """Return the table for `stroke_depth`, (n - 1, 9), of a line of n points."""
    step = line[1:] - line[:-1]
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-3)
    c, s = step[:, 0] / length, step[:, 1] / length
    u, v = line[:-1].T
    rows = [c, s, -c * u - s * v, -s, c, s * u - c * v, length, width[:-1], (width[1:] - width[:-1]) / length]
    return np.column_stack(rows).astype(np.float32)


@lru_cache(maxsize=64)
def open_spline(count: int, pieces: int) -> Points:
    """Return the weights that map `count` points to a smooth open line of (count - 1) * pieces + 1."""
    rows = np.zeros(((count - 1) * pieces + 1, count))
    for k, row in enumerate(rows):
        i = min(k // pieces, count - 2)
        t = k / pieces - i
        for j, w in enumerate(np.array([1, t, t * t, t**3]) @ _SPLINE):
            row[min(max(i + j - 1, 0), count - 1)] += w
    return rows


@lru_cache(maxsize=32)
def _closed_spline(count: int, pieces: int = 24) -> Points:
    """Return the weights that map `count` points of a ring to `count * pieces`."""
    rows = np.zeros((count * pieces, count))
    for k in range(count * pieces):
        i, t = k // pieces, (k % pieces) / pieces
        for j, w in enumerate(np.array([1, t, t * t, t**3]) @ _SPLINE):
            rows[k, (i + j - 1) % count] += w
    return rows


def _bearing(du: NDArray[np.floating], dv: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a cheap substitute for the angle, from 0 (up) clockwise to 4: monotonic, exact at the quarters."""
    t = dv / (np.abs(du) + np.abs(dv) + np.float32(1e-6))
    return np.where(du < 0, 3 - t, t + 1)


@lru_cache(maxsize=1)
def _bearing_angles() -> Points:
    """Return the true angle of every tabulated bearing, radians, increasing from 0."""
    b = _BEARINGS_AROUND
    t = np.where(b < 2, b - 1, 3 - b)
    side = np.where(b < 2, 1 - np.abs(t), np.abs(t) - 1)
    return np.unwrap(np.arctan2(side, -t))


@lru_cache(maxsize=1)
def _angles() -> Points:
    """Return the true angle from each tabulated bearing to the next, radians."""
    angle = _bearing_angles()
    return np.diff(angle, append=angle[0] + 2 * np.pi)


class Contour:
    """A closed line around a center from which all of it is visible, tabulated by bearing."""

    def __init__(self, points: Points, center: Point) -> None:
        """Tabulate distance and slope of `points`, (n, 2) in mm, clockwise or not."""
        self.center = center
        dense = _closed_spline(len(points)) @ points - np.array(center)
        bearings = _bearing(dense[:, 0], dense[:, 1])
        order = np.argsort(bearings)
        radii = np.hypot(dense[:, 0], dense[:, 1])
        bearings, radii = bearings[order], radii[order]
        first, last = bearings[0] + 4, bearings[-1] - 4
        bearings, radii = np.concatenate([[last], bearings, [first]]), np.concatenate([radii[-1:], radii, radii[:1]])
        radius = np.interp(_BEARINGS_AROUND, bearings, radii)
        sums = np.concatenate([radius[-_SMOOTH:], radius, radius[:_SMOOTH]]).cumsum()
        radius = (sums[2 * _SMOOTH :] - sums[: -2 * _SMOOTH]) / (2 * _SMOOTH)
        across = radius * _angles()
        self._step = np.hypot(np.concatenate([radius[1:], radius[:1]]) - radius, across)
        self.radius = radius.astype(np.float32)
        self.upright = np.maximum(across / self._step, 0.4).astype(np.float32)

    @cached_property
    def arc_length_share(self) -> Floats:
        """Return the share of the line's length before every bearing, from 0 to 1, (BEARINGS,)."""
        sums = np.cumsum(self._step)
        return ((sums - self._step) / sums[-1]).astype(np.float32)

    def bearing(self, u: Floats, v: Floats) -> tuple[Indices, Floats]:
        """Return the row of the tables and the distance from the center in mm, for every coordinate."""
        du, dv = u - np.float32(self.center[0]), v - np.float32(self.center[1])
        row = (_bearing(du, dv) * np.float32(BEARINGS / 4)).astype(np.intp)
        row &= BEARINGS - 1
        du *= du
        dv *= dv
        du += dv
        return row, np.sqrt(du, out=du)

    def depth(self, row: Indices, distance: Floats) -> Floats:
        """Return the depth of coordinates inside the outline, in mm."""
        inside = self.radius.take(row)
        inside -= distance
        inside *= self.upright.take(row)
        return inside

    def locate(self, way: float, depth: float) -> Point:
        """Return the point at share `way` of the line's length and `depth` mm inside it."""
        row = int(np.searchsorted(self.arc_length_share, way % 1.0)) % BEARINGS
        angle, radius = float(_bearing_angles()[row]), float(self.radius[row]) - depth
        return self.center[0] + radius * math.sin(angle), self.center[1] - radius * math.cos(angle)


Plane = Literal["axial", "coronal", "sagittal"]


@dataclass(frozen=True)
class PhantomPlan:
    """One slice of the mean head, in millimeters, from which every subject deviates."""

    name: str
    plane: Plane
    middle: Point  # head coordinates of the middle of the image
    field_mm: float  # width of the image
    brain: tuple[Point, ...]  # inner table of the skull
    centre: Point  # a point from which both outlines are fully visible
    head: tuple[Point, ...] = ()  # skin; empty: the brain's outline and the thickness of the vault
    symmetric: bool = True  # the outlines give the half with u >= 0, front or top to back or bottom
    face: tuple[Shape, ...] = ()  # outside the brain, in the order of painting
    fissures: tuple[Stroke, ...] = ()  # folds of the brain's surface
    inside: tuple[Shape, ...] = ()  # in the brain, in the order of painting
    reach_mm: float = 20.0  # depth of sulci from the edge; 0: the slice grazes the cortex and has sulci everywhere
    sella: Point | None = None
    lesions: tuple[Point, Point] = ((-40, -40), (40, 40))  # corners of the region of gliomas
    dura: tuple[float, float] = (-0.46, 0.46)  # range of meningiomas, as shares of the skull's outline
