"""Arrays to images: gray by window and level, heat maps, signed differences, color bars.

Pure functions of numbers; row 0 is the top and column 0 the left, always. Values that are not finite are drawn as the
lowest value.
"""

from enum import Enum
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from engine import colors

Array = NDArray[Any]
Bytes = NDArray[np.uint8]


class Colormap(Enum):
    """Mapping from numbers to colors."""

    GRAY = "gray"
    HEAT = "heat"
    SIGNED = "signed"


STOPS = {Colormap.GRAY: colors.GRAY, Colormap.HEAT: colors.HEAT, Colormap.SIGNED: colors.SIGNED}


@cache
def make_color_table(scale: Colormap) -> Bytes:
    """Return the colors of a scale, lowest value first, as (255, 3) uint8; entry 127 is the middle."""
    table = colors.make_color_table(STOPS[scale])
    table.setflags(write=False)
    return table


def to_gray(values: Array, window: float, level: float, invert: bool = False) -> Bytes:
    """Map level - window / 2 to 0 and level + window / 2 to 255, clipped in between; `invert` swaps the ends."""
    gray = np.rint(_share(values, level - window / 2, level + window / 2) * 255).astype(np.uint8)
    return ~gray if invert else gray


def to_colors(values: Array, low: float, high: float, scale: Colormap) -> Bytes:
    """Map low to the scale's first color and high to its last: (h, w) numbers to (h, w, 3) uint8."""
    return make_color_table(scale)[np.rint(_share(values, low, high) * 254).astype(np.uint8)]


def gray_image(values: Array, window: float = 1.0, level: float = 0.5, invert: bool = False) -> QImage:
    """Return a gray image of (h, w) numbers; with the defaults [0, 1] spans black to white."""
    return image_of(to_gray(values, window, level, invert))


def heat_image(values: Array, low: float, high: float) -> QImage:
    """Return a heat map of (h, w) numbers, low dark and high bright."""
    return image_of(to_colors(values, low, high, Colormap.HEAT))


def signed_image(values: Array, limit: float) -> QImage:
    """Return an image of signed (h, w) numbers: blue from -limit, gray at zero, orange up to +limit."""
    return image_of(to_colors(values, -limit, limit, Colormap.SIGNED))


def image_of(pixels: Bytes) -> QImage:
    """Return the image of (h, w) or (h, w, 3) bytes; it owns its memory."""
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if pixels.ndim == 2 else QImage.Format.Format_RGB888
    channels = 1 if pixels.ndim == 2 else 3
    return QImage(np.ascontiguousarray(pixels).tobytes(), width, height, width * channels, kind).copy()


def pixels_of(image: QImage) -> Bytes:
    """Return the bytes of an image: (h, w) if it is gray, else (h, w, 3)."""
    gray = image.format() == QImage.Format.Format_Grayscale8
    channels = 1 if gray else 3
    plain = image if gray else image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    pixels = rows[:, : plain.width() * channels].copy()
    return pixels if gray else pixels.reshape(plain.height(), plain.width(), 3)


def bar_image(scale: Colormap, length: int) -> QImage:
    """Return a color bar one pixel high, low at the left."""
    return image_of(make_color_table(scale)[None, np.rint(np.linspace(0, 254, max(length, 2))).astype(np.uint8)])


def robust_range(values: Array, tails: float = 0.001) -> tuple[float, float]:
    """Return the 0.1 and 99.9% quantiles (or others) of the finite values; (0, 1) if there are none."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = np.quantile(finite, [tails, 1 - tails])
    return float(low), float(high)


def robust_limit(values: Array, tails: float = 0.001) -> float:
    """Return the limit of a symmetric scale for signed values: the 99.9% quantile of their size, never zero."""
    low, high = robust_range(np.abs(values), tails)
    return high or low or 1.0


def _share(values: Array, low: float, high: float) -> NDArray[np.float32]:
    span = max(high - low, 1e-12)
    share = (np.asarray(values, dtype=np.float32) - np.float32(low)) / np.float32(span)
    clipped: NDArray[np.float32] = np.clip(np.nan_to_num(share, nan=0.0, posinf=0.0, neginf=0.0), 0, 1)
    return clipped
