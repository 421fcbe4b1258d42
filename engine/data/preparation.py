"""Preparation: from an image of any size to the square image that the models see."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.config import DataConfig
from engine.data.scan import Scan

VERSION: Final = 1  # increase it if the prepared pixels of an image change, so that old caches are not read


def prepare(
    pixels: NDArray[np.floating] | NDArray[np.uint8] | Scan,
    config: DataConfig,
    index: int | None = None,
    aspect: float = 1.0,
) -> NDArray[np.float32]:
    """Prepare one image exactly as `load` prepares those of a dataset (which then rounds to 8 or 16 bits).

    Resizing uses Pillow's bilinear filter, which widens when it shrinks an image and so does not alias. 8-bit
    intensities that are not normalized stay 8-bit, as in the reference study; all others are resized as floats.
    Letterbox keeps the proportions (in millimeters if the file has them), centers, and pads with black; squash fills
    the square. Percentile maps the 0.1 and 99.9 percentiles, z-score the mean ± 3 standard deviations of the head, to
    [0, 1]; the head is all that is brighter than the mean, and both measures exclude the padding.

    Args:
        pixels: (height, width) in [0, 1], or in 0 to 255 as uint8, or a `Scan`.
        config: its size, fit and normalization are used.
        index: slice of a `Scan`; the middle one if None.
        aspect: height of a pixel divided by its width; a `Scan` has its own.

    Returns:
        float32 (size, size) in [0, 1].
    """
    if isinstance(pixels, Scan):
        aspect = pixels.aspect
        pixels = pixels.slice(len(pixels) // 2 if index is None else index)
    height, width = _letterbox_size(pixels.shape[0] * aspect, pixels.shape[1], config)
    picture = _picture(pixels, config.normalisation == "none").resize((width, height), Image.Resampling.BILINEAR)
    content = np.divide(np.asarray(picture), 255 if picture.mode == "L" else 1, dtype=np.float32)
    low, high = _range(content, config.normalisation)
    canvas = np.zeros((config.size, config.size), dtype=np.float32)
    top, left = (config.size - height) // 2, (config.size - width) // 2
    canvas[top : top + height, left : left + width] = content
    return np.clip((canvas - low) / np.float32(high - low), 0, 1, dtype=np.float32)


def _picture(pixels: NDArray[np.floating] | NDArray[np.uint8], keep_8_bits: bool) -> Image.Image:
    """Return the pixels for Pillow: mode L (0 to 255) if they have 8 bits and keep them, else mode F (0 to 1)."""
    levels = pixels if pixels.dtype == np.uint8 else np.rint(pixels * 255)
    if keep_8_bits and (levels is pixels or np.allclose(levels, pixels * 255, rtol=0, atol=1e-3)):
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    unit = np.divide(pixels, 255 if levels is pixels else 1, dtype=np.float32)
    return Image.fromarray(np.ascontiguousarray(unit))


def _letterbox_size(height: float, width: float, config: DataConfig) -> tuple[int, int]:
    """Return height and width of the image in the square."""
    if config.fit == "squash":
        return config.size, config.size
    scale = config.size / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _range(content: NDArray[np.float32], normalisation: str) -> tuple[float, float]:
    """Return the intensities that become black and white; those of a constant image stay unchanged."""
    low, high = 0.0, 1.0
    if normalisation == "percentile":
        low, high = (float(value) for value in np.percentile(content, (0.1, 99.9)))
    elif normalisation == "z-score":
        head = content[content > content.mean()]
        if head.size:
            low, high = head.mean() - 3 * head.std(), head.mean() + 3 * head.std()
    return (low, high) if high - low > 1e-6 else (0.0, 1.0)
