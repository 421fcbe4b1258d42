"""Coordinates of a head in the image, in millimeters per pixel, and a canvas to paint tissue on."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.data.phantom.texture import Floats, smooth_field

Window = tuple[slice, slice]
Point = tuple[float, float]
EVERYWHERE: Window = (slice(None), slice(None))


class Patch(NamedTuple):
    """A shape on the canvas: the depth of each pixel of a window inside it, in mm (negative outside)."""

    window: Window
    depth: Floats


@dataclass(frozen=True)
class Pose:
    """Position and orientation of the head in the image."""

    field_mm: float  # width of the image
    middle: Point  # head coordinates (mm) of the middle of the image
    angle: float  # radians
    stretch: Point  # width and height relative to the mean head
    mirrored: bool


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[Floats, Floats]:
    """Return the coordinates of the pixels in the image, from -0.5 to 0.5, as a row and a column."""
    places = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    return places[None, :], places[:, None]


class Frame:
    """Head coordinates, in millimeters, of every pixel.

    `u` runs to the head's left or back (right in the image), `v` down or back; both (size, size) float32. A smooth
    random bend makes every outline organic.
    """

    def __init__(self, size: int, pose: Pose, bend_mm: Floats) -> None:
        """Compute the coordinates. `bend_mm` holds the (2, k, k) cosine amplitudes of the bend."""
        self.size = size
        self.pose = pose
        self.pixel_mm = pose.field_mm / size
        across, down = _grid(size)
        sign = -1.0 if pose.mirrored else 1.0
        c, s = np.cos(pose.angle) * pose.field_mm, np.sin(pose.angle) * pose.field_mm
        (su, sv), (mu, mv) = pose.stretch, pose.middle
        self._to_head = np.array([[c * sign / su, s / su], [-s * sign / sv, c / sv]])
        self._to_picture = np.linalg.inv(self._to_head)
        m = self._to_head.astype(np.float32)
        bend = smooth_field(size, bend_mm)
        self.places: Floats = np.ones((3, size, size), np.float32)  # u, v and ones
        self.u, self.v = self.places[0], self.places[1]
        np.add(m[0, 0] * across + bend[0], m[0, 1] * down + np.float32(mu), out=self.u)
        np.add(m[1, 0] * across + bend[1], m[1, 1] * down + np.float32(mv), out=self.v)
        self._margin_mm = float(np.abs(bend).max())

    def windows(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> list[Window]:
        """Return the windows of pixels that contain the shapes between corners, (n, 2) in mm each (may be empty)."""
        half = (high - low) / 2 + (self._margin_mm + 2)
        at = ((high + low) / 2 - self.pose.middle) @ self._to_picture.T + 0.5
        reach = half @ np.abs(self._to_picture).T
        first = np.clip((at - reach) * self.size, 0, self.size).astype(np.intp)
        last = np.clip((at + reach) * self.size + 1, 0, self.size).astype(np.intp)
        sides = np.concatenate([first, last], axis=1).tolist()
        return [(slice(top, bottom), slice(left, right)) for left, top, right, bottom in sides]

    def to_pixels(self, du: Floats, dv: Floats) -> tuple[Floats, Floats]:
        """Convert a displacement in millimeters of the head to one across and down the image in pixels."""
        m = (self._to_picture * self.size).tolist()
        return du * m[0][0] + dv * m[0][1], du * m[1][0] + dv * m[1][1]


class Canvas:
    """A noise-free image in progress, painted from the outside in."""

    def __init__(self, frame: Frame, blur_mm: float) -> None:
        """Start with black. Edges are as soft as a pixel or `blur_mm`, whichever is wider."""
        self.frame = frame
        self.soft_mm = max(frame.pixel_mm * 1.2, blur_mm)
        self.image: Floats = np.zeros((frame.size, frame.size), np.float32)

    def cover(self, depth: Floats, soft: float = 1.0) -> Floats:
        """Return the share of each pixel that lies inside a shape, 0 to 1, from its depth in mm."""
        share = depth * (1 / (self.soft_mm * soft))
        share += 0.5
        np.maximum(share, 0, out=share)
        np.minimum(share, 1, out=share)
        return share

    def paint(self, patch: Patch, value: float | Floats, opacity: float = 1.0, soft: float = 1.0) -> None:
        """Paint a tissue of one brightness (or one per pixel of the patch) over the image."""
        share = self.cover(patch.depth, soft)
        if opacity != 1.0:
            share *= opacity
        below = self.image[patch.window]
        share *= value - below
        below += share
