"""Preparation: from an image of any size to the square image that the models see, and back."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.config import DataConfig
from engine.data.scan import Scan

VERSION: Final = 1  # increase it if the prepared pixels of an image change, so that old caches are not read
_BLOCK: Final = 2**20  # pixels


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

    Example:
        >>> image = np.zeros((200, 100), np.uint8)
        >>> image[:, 40:60] = 255
        >>> prepared = prepare(image, DataConfig(size=32))
        >>> prepared.shape, prepared.dtype.name, float(prepared.max())
        ((32, 32), 'float32', 1.0)
    """
    if isinstance(pixels, Scan):
        aspect = pixels.aspect
        pixels = pixels.slice(len(pixels) // 2 if index is None else index)
    content = _resize(pixels, config, aspect)
    low, high = _range(content, config.normalisation)
    canvas = np.zeros((config.size, config.size), dtype=np.float32)
    canvas[_content_area(pixels.shape, config, aspect)] = content
    return np.clip((canvas - low) / np.float32(high - low), 0, 1, dtype=np.float32)


def measure_range(
    pixels: NDArray[np.floating] | NDArray[np.uint8], config: DataConfig, aspect: float = 1.0
) -> tuple[float, float]:
    """Return the intensities that `prepare` makes black and white: 0 and 1 unless the image is normalized.

    Args:
        pixels: (height, width) in [0, 1], or in 0 to 255 as uint8.
        config: its size, fit and normalization are used.
        aspect: height of a pixel divided by its width.

    Examples:
        >>> measure_range(np.eye(32), DataConfig(size=32))
        (0.0, 1.0)
    """
    return _range(_resize(pixels, config, aspect), config.normalisation)


def restore(
    image: NDArray[np.floating],
    config: DataConfig,
    shape: tuple[int, int],
    aspect: float = 1.0,
    limits: tuple[float, float] = (0.0, 1.0),
) -> NDArray[np.float32]:
    """Invert `prepare`: cut off the padding, resize to the former size, and undo the normalization.

    What the resizing blurred stays blurred, and what the normalization clipped stays clipped. The edges of the image
    come back to the edges, so a point moves by no more than the rounding of the resizing filter.

    Args:
        image: (size, size) in [0, 1], prepared, or a model's output for a prepared image.
        config: the settings that the image was prepared with.
        shape: height and width of the image before its preparation.
        aspect: height of a pixel divided by its width, before the preparation.
        limits: what `measure_range` returned for the image before its preparation.

    Returns:
        float32 (height, width); within `limits`.

    Examples:
        >>> config = DataConfig(size=32)
        >>> pixels = np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6)
        >>> restored = restore(prepare(pixels, config), config, pixels.shape)
        >>> restored.shape, bool(np.abs(restored - pixels).max() < 0.1)
        ((4, 6), True)
    """
    content = np.asarray(image, dtype=np.float32)[_content_area(shape, config, aspect)]
    height, width = shape
    picture = Image.fromarray(np.ascontiguousarray(content)).resize((width, height), Image.Resampling.BILINEAR)
    low, high = limits
    return np.asarray(picture, dtype=np.float32) * np.float32(high - low) + np.float32(low)


def _resize(pixels: NDArray[np.floating] | NDArray[np.uint8], config: DataConfig, aspect: float) -> NDArray[np.float32]:
    """Return the image in its size within the square, in [0, 1], before the normalization."""
    height, width = _letterbox_size(pixels.shape[0] * aspect, pixels.shape[1], config)
    picture = _picture(pixels, config.normalisation == "none").resize((width, height), Image.Resampling.BILINEAR)
    return np.divide(np.asarray(picture), 255 if picture.mode == "L" else 1, dtype=np.float32)


def _content_area(shape: Sequence[int], config: DataConfig, aspect: float) -> tuple[slice, slice]:
    """Return the rows and columns of the square that the image fills; the rest is padding."""
    height, width = _letterbox_size(shape[0] * aspect, shape[1], config)
    top, left = (config.size - height) // 2, (config.size - width) // 2
    return slice(top, top + height), slice(left, left + width)


def _picture(pixels: NDArray[np.floating] | NDArray[np.uint8], keep_8_bits: bool) -> Image.Image:
    """Return the pixels for Pillow: mode L (0 to 255) if they have 8 bits and keep them, else mode F (0 to 1)."""
    if keep_8_bits and (levels := _find_levels(pixels)) is not None:
        return Image.fromarray(levels)
    unit = np.divide(pixels, 255 if pixels.dtype == np.uint8 else 1, dtype=np.float32)
    return Image.fromarray(np.ascontiguousarray(unit))


def _find_levels(pixels: NDArray[np.floating] | NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return pixels of 8 bits as 0 to 255; None if they have more. Some rows at a time, as images may be large."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8)
    levels = np.empty(pixels.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, pixels.shape[1]))
    for start in range(0, len(pixels), rows):
        scaled = pixels[start : start + rows] * 255
        rounded = np.rint(scaled)
        if not np.allclose(rounded, scaled, rtol=0, atol=1e-3):
            return None
        levels[start : start + rows] = rounded.clip(0, 255)
    return levels


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
