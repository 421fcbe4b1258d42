"""Lesions from mask images: the boxes around their connected parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from engine.lesions.box_formats import FoundBoxes
from engine.lesions.regions import LEAST_PIXELS

FORMATS: Final = ("PNG", "JPEG", "BMP", "TIFF")
# Larger ones take more than a second and a gigabyte.
MAX_PIXELS: Final = 16 * 1024 * 1024
# Less contrast in a JPEG file is its noise.
MIN_CONTRAST: Final = 32
_NEIGHBORS: Final = np.ones((3, 3), np.bool_)


def read_masks(folder: Path, masks: Mapping[str, Sequence[str]], label: int | None = None) -> FoundBoxes:
    """Read the boxes around the parts of masks.

    Args:
        folder: folder of the dataset.
        masks: name of an image -> names of its masks.
        label: value of the pixels that are lesion; None for all that differ from the background.

    Returns:
        The boxes by image; a mask without a lesion has none.
    """
    found = FoundBoxes()
    for image, names in masks.items():
        for name in names:
            try:
                values = _read_values(folder / name)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                found.problems.append(f"The mask {name} cannot be read: {error}.")
                continue
            for box in find_parts(values, label):
                found.add(image, box, f"The mask {name}")
    return found


def find_parts(values: NDArray[Any], label: int | None = None) -> list[tuple[float, float, float, float]]:
    """Return the boxes around the connected parts of a mask, of 4 pixels at least.

    Args:
        values: (height, width), a value for each label.
        label: as in `read_masks`.

    Returns:
        (x, y, width, height) of each, as fractions of the image.

    Examples:
        >>> mask = np.zeros((10, 20), np.uint8)
        >>> mask[2:6, 5:15] = 255
        >>> find_parts(mask)
        [(0.25, 0.2, 0.5, 0.4)]
    """
    height, width = values.shape
    marked = _find_foreground(values) if label is None else values == label
    parts, _ = ndimage.label(marked, _NEIGHBORS)
    sizes = np.bincount(parts.ravel())
    boxes = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), 1):
        if sizes[number] >= LEAST_PIXELS:
            across, down = columns.stop - columns.start, rows.stop - rows.start
            boxes.append((columns.start / width, rows.start / height, across / width, down / height))
    return boxes


def _find_foreground(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the pixels that differ from the background, which is the commonest value of the border."""
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    known, counts = np.unique(border, return_counts=True)
    background = known[np.argmax(counts)]
    return np.asarray(values != background)


def _read_values(path: Path) -> NDArray[Any]:
    """Return the labels of a mask, (height, width); of a mask in colors, a number for each color."""
    with Image.open(path, formats=FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise ValueError(f"it has more than {MAX_PIXELS // 2**20} megapixels")
        if picture.format == "JPEG":
            return _remove_noise(np.asarray(picture.convert("L")))
        if picture.mode in ("1", "L", "P", "I", "F") or picture.mode.startswith("I;16"):
            return np.asarray(picture).astype(np.float64)
        return np.asarray(picture.convert("RGB")).astype(np.float64) @ np.array([65536.0, 256.0, 1.0])


def _remove_noise(gray: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return a mask of two values, 0 and 255, without the values between them that a JPEG file has along edges."""
    low, high = float(gray.min()), float(gray.max())
    if high - low < MIN_CONTRAST:
        return np.zeros(gray.shape)
    return np.where(gray > (low + high) / 2, 255.0, 0.0)
