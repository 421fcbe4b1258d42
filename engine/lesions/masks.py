"""Lesions from mask images: the boxes around their connected parts."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image

from engine.lesions.box_formats import FoundBoxes, LesionOutline
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
            add_parts(found, image, values, label)
    return found


def add_parts(
    found: FoundBoxes, image: str, values: NDArray[Any], label: int | None = None, aspect: float | None = None
) -> None:
    """Add the connected parts of a mask to the boxes of an image, with their outlines.

    Args:
        found: the boxes; changed.
        image: name of the image.
        values: (height, width), a value for each label.
        label: as in `read_masks`.
        aspect: height over width of the image, if its own file does not say it.
    """
    for box, inside in find_parts(values, label):
        found.add(image, box, f"The mask of {image}")
        found.outlines[image, box] = LesionOutline(inside, aspect)


def find_slice_boxes(
    slices: Iterable[tuple[str, NDArray[Any], float]], problems: list[str], label: int | None = None
) -> FoundBoxes:
    """Find the lesions of slices of volumes.

    Args:
        slices: name of each slice, its labels (height, width), and height over width of the slice.
        problems: sentences on masks that cannot be used; those of the reader of the slices too.
        label: label that is lesion; None for all above 0.
    """
    found = FoundBoxes(problems=problems)
    for name, labels, aspect in slices:
        add_parts(found, name, labels > 0 if label is None else labels == label, 1, aspect)
    return found


def find_parts(
    values: NDArray[Any], label: int | None = None
) -> list[tuple[tuple[float, float, float, float], NDArray[np.bool_]]]:
    """Return the boxes around the connected parts of a mask, of 4 pixels at least, and the pixels inside each.

    Args:
        values: (height, width), a value for each label.
        label: as in `read_masks`.

    Returns:
        (x, y, width, height) of each, as fractions of the image, and (height, width) of its box, the part.

    Examples:
        >>> mask = np.zeros((10, 20), np.uint8)
        >>> mask[2:6, 5:15] = 255
        >>> [(box, inside.shape) for box, inside in find_parts(mask)]
        [((0.25, 0.2, 0.5, 0.4), (4, 10))]
    """
    height, width = values.shape
    marked = _find_foreground(values) if label is None else values == label
    parts, _ = scipy.ndimage.label(marked, _NEIGHBORS)
    sizes = np.bincount(parts.ravel())
    found = []
    for number, (rows, columns) in enumerate(scipy.ndimage.find_objects(parts), 1):
        if sizes[number] >= LEAST_PIXELS:
            across, down = columns.stop - columns.start, rows.stop - rows.start
            box = (columns.start / width, rows.start / height, across / width, down / height)
            found.append((box, parts[rows, columns] == number))
    return found


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
