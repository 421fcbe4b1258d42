"""Boxes of lesions in the formats YOLO (a text file for each image) and COCO (one JSON file)."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError

MOST_BYTES: Final = 2**25  # whatever JSON is in it, reading it takes less than a gigabyte
_YOLO_NUMBERS: Final = 4


@dataclass(frozen=True, eq=False)
class LesionOutline:
    """True outline of a lesion inside its box.

    Args:
        inside: (height, width) of the box in pixels of the mask, which of them are lesion.
        aspect: height over width of the image; None if its own file says it.
    """

    inside: NDArray[np.bool_]
    aspect: float | None = None


@dataclass
class FoundBoxes:
    """Boxes while they are read: (x, y, width, height) by image, as fractions from the upper left corner."""

    boxes: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    outlines: dict[tuple[str, tuple[float, float, float, float]], LesionOutline] = field(default_factory=dict)

    def add(self, image: str, box: tuple[float, float, float, float], place: str) -> None:
        """Add a box, or the problem that it has."""
        x, y, width, height = box
        is_inside = all(map(math.isfinite, box)) and 0 <= x + width / 2 <= 1 and 0 <= y + height / 2 <= 1
        if is_inside and 0 < width <= 1 and 0 < height <= 1:
            self.boxes.setdefault(image, []).append(box)
        else:
            self.problems.append(f"{place}: the box is not inside the image.")


def read_yolo_folder(folder: Path) -> FoundBoxes:
    """Read the text files of a folder and its subfolders; the images are called like them."""
    found = FoundBoxes()
    for path in sorted(folder.rglob("*.txt")):
        if path.is_file():
            _read_yolo(path, path.relative_to(folder).as_posix(), found)
    return found


def read_yolo_files(folder: Path, images: Mapping[str, str]) -> FoundBoxes:
    """Read text files by the images that they belong to: file -> image, both relative to a folder."""
    found = FoundBoxes()
    for name, image in images.items():
        _read_yolo(folder / name, image, found)
    return found


def read_coco(path: Path) -> FoundBoxes | None:
    """Read a JSON file in the COCO format; None if it is none.

    Raises:
        DataError: it is not JSON, or too large.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path.name} is too large for a table of boxes.", "Give a smaller file.")
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise DataError(f"{path.name} is not a JSON file.", "Give a file in the COCO format.") from None
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    ):
        return None
    return _read_annotations(content, path.name)


def _read_annotations(content: Mapping[str, Any], name: str) -> FoundBoxes:
    found = FoundBoxes()
    images = {each["id"]: each for each in content["images"] if isinstance(each, dict) and _is_key(each.get("id"))}
    for number, each in enumerate(content["annotations"], 1):
        place = f"Annotation {number} of {name}"
        image = images.get(each["image_id"]) if isinstance(each, dict) and _is_key(each.get("image_id")) else None
        try:
            if image is None:
                raise LookupError("its image is not listed")
            width, height = float(image["width"]), float(image["height"])
            x, y, across, down = _find_corners(each)
            found.add(str(image["file_name"]), (x / width, y / height, across / width, down / height), place)
        except (LookupError, TypeError, ValueError, ArithmeticError):
            found.problems.append(f"{place}: its image, the size of the image, or the box is missing.")
    return found


def _is_key(value: object) -> bool:
    return isinstance(value, int | str)


def _find_corners(annotation: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Return x, y, width and height in pixels, from the box or else from the polygons."""
    if annotation.get("bbox"):
        x, y, width, height = map(float, annotation["bbox"])
        return x, y, width, height
    points = [float(value) for part in annotation["segmentation"] for value in part]
    return _bound(points[::2], points[1::2])


def _bound(across: list[float], down: list[float]) -> tuple[float, float, float, float]:
    return min(across), min(down), max(across) - min(across), max(down) - min(down)


def _read_yolo(path: Path, image: str, found: FoundBoxes) -> None:
    """Read the lines 'class x_center y_center width height' (or the corners of a polygon) of one file."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        found.problems.append(f"{path.name} cannot be read as text.")
        return
    rows = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    try:
        values = [(number, [float(cell) for cell in cells]) for number, cells in rows]
    except ValueError:  # a list of classes, or a text about the images
        return
    for number, (_, *numbers) in values:
        place = f"Line {number} of {path.name}"
        if len(numbers) in (_YOLO_NUMBERS, _YOLO_NUMBERS + 1):
            x, y, width, height = numbers[:_YOLO_NUMBERS]
            found.add(image, (x - width / 2, y - height / 2, width, height), place)
        elif len(numbers) > _YOLO_NUMBERS and len(numbers) % 2 == 0:
            found.add(image, _bound(numbers[::2], numbers[1::2]), place)
        else:
            found.problems.append(f"{place}: five numbers are expected.")


def merge(parts: Iterable[FoundBoxes]) -> FoundBoxes:
    """Return the boxes of several files."""
    merged = FoundBoxes()
    for part in parts:
        for image, boxes in part.boxes.items():
            merged.boxes.setdefault(image, []).extend(boxes)
        merged.problems += part.problems
    return merged
