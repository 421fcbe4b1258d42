"""Thumbnails of images that do not depend on size, compression and brightness.

Intensities are first mapped so that their 1 and 99.5 percentiles become black and white, then by a power law so that
their mean becomes 0.15. A copy with another gamma then has nearly the same values, because its exponent undoes the
gamma. The curve is measured on a small image, so that a copy which lost its finest highlights in a resize has the same
one, and applied at full size, because averaging and gamma do not commute.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.data.decoded_image import DecodedImage

SIDE: Final = 64
_DARK, _BRIGHT = 1.0, 99.5  # percentiles
_MEAN = 0.15
_LEAST, _MOST = 0.05, 20.0  # exponents
_LARGE = 1024
_FLAT = 0.01


@dataclass(frozen=True, eq=False)
class NormalizedThumbnail:
    """Thumbnail of an image with normalized intensities.

    Args:
        thumbnail: uint16 (SIDE, SIDE), its intensities after the curve, 65535 is 1.
        black, white: the intensities in [0, 1] that became 0 and 1.
        exponent: that of the power law between them; a copy of gamma g has the exponent divided by g.
    """

    thumbnail: NDArray[np.uint16]
    black: float
    white: float
    exponent: float


def normalize_appearance(picture: DecodedImage) -> NormalizedThumbnail | None:
    """Normalize an image for comparison; return None for a constant image, which looks like all others.

    Args:
        picture: at full size; it is squashed to a square, so a copy of other proportions looks the same.
    """
    gray = _limit_size(picture)
    small = np.asarray(gray.resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float64) / _levels(gray)
    black, white = (float(value) for value in np.percentile(small, (_DARK, _BRIGHT)))
    if white - black < _FLAT:
        return None
    exponent = _exponent(np.clip((small - black) / (white - black), 1e-4, 1))
    mapped = Image.fromarray(_curve(np.asarray(gray), _levels(gray), (black, white, exponent)))
    thumbnail = np.asarray(mapped.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return NormalizedThumbnail(np.rint(thumbnail * 65_535).astype(np.uint16), black, white, exponent)


def standardize(thumbnails: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Standardize thumbnails for comparison: slight blur, mean 0, standard deviation 1.

    Args:
        thumbnails: (n, SIDE, SIDE).

    Returns:
        float32 (n, SIDE, SIDE).
    """
    blurred = _blurred(_blurred(thumbnails.astype(np.float32)).swapaxes(1, 2)).swapaxes(1, 2)
    blurred -= blurred.mean((1, 2), keepdims=True)
    blurred /= np.maximum(blurred.std((1, 2), keepdims=True), 1e-3)
    return blurred


def _limit_size(picture: DecodedImage) -> Image.Image:
    """Return the image for Pillow, in 8 bits or as floats in [0, 1]; a huge one is reduced first."""
    gray = Image.fromarray(np.ascontiguousarray(picture.gray if picture.gray.dtype == np.uint8 else picture.unit()))
    factor = max(gray.size) // _LARGE
    return gray.reduce(factor) if factor > 1 else gray


def _levels(gray: Image.Image) -> float:
    return 255.0 if gray.mode == "L" else 1.0


def _exponent(values: NDArray[np.float64]) -> float:
    """Return the exponent that gives values in (0, 1] the wanted mean, by bisection of its logarithm."""
    logarithms, low, high = np.log(values), _LEAST, _MOST
    for _ in range(20):
        middle = float(np.sqrt(low * high))
        if np.exp(middle * logarithms).mean() > _MEAN:
            low = middle
        else:
            high = middle
    return middle


def _curve(gray: NDArray[Any], levels: float, curve: tuple[float, float, float]) -> NDArray[np.float32]:
    """Map every intensity; 8-bit ones by a table."""
    black, white, exponent = curve
    by_table = gray.dtype == np.uint8
    values = np.arange(256, dtype=np.float32) / np.float32(levels) if by_table else gray
    mapped = np.clip((values - np.float32(black)) / np.float32(white - black), 0, 1) ** np.float32(exponent)
    return np.asarray(mapped[gray] if by_table else mapped, np.float32)


def _blurred(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur down the columns with a binomial filter, edges repeated."""
    padded = np.pad(thumbnails, ((0, 0), (1, 1), (0, 0)), mode="edge")
    return np.asarray((padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4, np.float32)
