"""A ruler and regions on one slice: geometry and statistics. Pure data.

Points are (x, y) in pixels of the slice; pixel (i, j) covers [i, i + 1) x [j, j + 1).
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gui.formatting import format_number
from gui.pixmaps import Array
from gui.widgets.view_state import Point
from gui.widgets.volume.model import Plane

Kind = Literal["ruler", "rectangle", "ellipse"]
Spacing = tuple[float, float] | None
MIN_PIXELS = 0.5  # a shorter drag is a click


@dataclass(frozen=True)
class Measurement:
    """A ruler from point to point, or a region between opposite corners, on one slice of a plane."""

    kind: Kind
    plane: Plane
    index: int
    start: Point
    end: Point

    @property
    def is_visible(self) -> bool:
        """Return whether it is more than a click; a region needs two sides."""
        sides = abs(self.end[0] - self.start[0]), abs(self.end[1] - self.start[1])
        return (max(sides) if self.kind == "ruler" else min(sides)) >= MIN_PIXELS

    def move(self, step: Point, size: tuple[float, float], only_end: bool = False) -> "Measurement":
        """Return it moved by a step as far as the slice reaches, or with its second point moved."""
        points = (self.end,) if only_end else (self.start, self.end)
        x, y = (
            min(max(step[axis], -min(at[axis] for at in points)), size[axis] - max(at[axis] for at in points))
            for axis in (0, 1)
        )
        start = self.start if only_end else (self.start[0] + x, self.start[1] + y)
        return replace(self, start=start, end=(self.end[0] + x, self.end[1] + y))


@dataclass(frozen=True)
class RegionStats:
    """Number of pixels in a region, and mean, SD, lowest and highest of their values; NaN if they have none."""

    pixels: int
    mean: float
    sd: float
    low: float
    high: float


def length(measured: Measurement, spacing: Spacing) -> float:
    """Return the length of a ruler, in millimeters or, where the spacing is unknown, in pixels."""
    down, along = spacing or (1.0, 1.0)
    return math.hypot((measured.end[0] - measured.start[0]) * along, (measured.end[1] - measured.start[1]) * down)


def mask(measured: Measurement, shape: tuple[int, int]) -> Array:
    """Return the pixels whose centers lie in a region, (height, width) of booleans."""
    x, y = np.arange(shape[1]) + 0.5, (np.arange(shape[0]) + 0.5)[:, None]
    left, right = sorted((measured.start[0], measured.end[0]))
    top, bottom = sorted((measured.start[1], measured.end[1]))
    if measured.kind == "ellipse":
        across = (x - (left + right) / 2) / max((right - left) / 2, 1e-9)
        down = (y - (top + bottom) / 2) / max((bottom - top) / 2, 1e-9)
        return np.asarray(across**2 + down**2 <= 1)
    return np.asarray((x >= left) & (x < right) & (y >= top) & (y < bottom))


def region_stats(measured: Measurement, values: Array) -> RegionStats:
    """Return the statistics of a region of a slice; the SD is that of the sample (n - 1)."""
    found = values[mask(measured, (values.shape[0], values.shape[1]))].astype(np.float64)
    numbers = found[np.isfinite(found)]
    if not numbers.size:
        return RegionStats(found.size, math.nan, math.nan, math.nan, math.nan)
    sd = float(numbers.std(ddof=1)) if numbers.size > 1 else 0.0
    return RegionStats(found.size, float(numbers.mean()), sd, float(numbers.min()), float(numbers.max()))


def describe(measured: Measurement, values: Array, spacing: Spacing, units: str) -> str:
    """Return what was measured, one fact a line."""
    if measured.kind == "ruler":
        known = f"{length(measured, spacing):.1f}"
        return f"Length {known} mm" if spacing else f"Length {known} pixels; the voxel spacing is unknown."
    found = region_stats(measured, values)
    if not found.pixels:
        return "The region is smaller than a pixel."
    unit = f" {units}" if units else ""
    area = f"{found.pixels:,} pixels"
    area = f"{found.pixels * spacing[0] * spacing[1]:,.1f} mm² ({area})" if spacing else f"{area}; spacing unknown"
    if math.isnan(found.mean):
        return f"Area {area}\nNo values in the region."
    return (
        f"Area {area}\nMean {format_number(found.mean)} ± {format_number(found.sd)}{unit} (SD)\n"
        f"Minimum {format_number(found.low)}, maximum {format_number(found.high)}{unit}"
    )
