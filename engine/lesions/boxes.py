"""Bounding boxes of lesions, read from a table such as `lesion_boxes.csv`, and placed on prepared images.

The table has a header: `file`, `x_center`, `y_center`, `width`, `height`, and perhaps `split` and `class`, the folders
that the file lies in. The numbers are fractions of the image's width and height. Commas, semicolons or tabs divide its
columns. Instead of a table, a folder of YOLO files or a JSON file in the COCO format may be given.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from engine.arrays import Mask
from engine.errors import DataError, SourceNotFound
from engine.formatting import decode_table
from engine.lesions.box_formats import FoundBoxes, LesionOutline, merge, read_coco, read_yolo_files, read_yolo_folder
from engine.lesions.regions import Shape, ellipse, stretch

FOLDERS: Final = ("split", "class")
NUMBERS: Final = ("x_center", "y_center", "width", "height")
DELIMITERS: Final = (",", ";", "\t")
MOST_BYTES: Final = 2**25


@dataclass(frozen=True)
class Box:
    """A bounding box, in fractions of its image.

    Args:
        name: path of the image relative to its source, such as 'Training/glioma_tumor/gg (1).jpg'.
        x: left side, from 0 to 1; may lie a little outside the image.
        y: top side.
        width: share of the image's width.
        height: share of its height.
        outline: its true outline; None for the ellipse inscribed in the box.
    """

    name: str
    x: float
    y: float
    width: float
    height: float
    outline: LesionOutline | None = field(default=None, compare=False)

    def mask(self, shape: Shape, aspect: float = 1.0) -> Mask:
        """Return the lesion on the prepared image: its outline if it is known, else the ellipse inscribed in the box.

        Args:
            shape: (height, width) of the prepared image.
            aspect: height over width of the original if it was letterboxed; 1 if it was squashed or is square.

        Returns:
            bool (height, width).
        """
        wide, high = min(1.0, 1.0 / aspect), min(1.0, aspect)
        x, y = (1 - wide) / 2 + self.x * wide, (1 - high) / 2 + self.y * high
        down, across = shape
        corners = (x * across, y * down, self.width * wide * across, self.height * high * down)
        return ellipse(shape, *corners) if self.outline is None else stretch(shape, corners, self.outline.inside)


@dataclass(frozen=True)
class Boxes:
    """Content of a table of boxes.

    Args:
        find_by_name: name of an image -> its boxes.
        problems: a sentence for each skipped row, with its line number.
    """

    find_by_name: Mapping[str, Sequence[Box]]
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.find_by_name.values()))

    def rename(self, names: Mapping[str, str]) -> "Boxes":
        """Return the boxes under other names of their images; those that have none are left out."""
        found: dict[str, list[Box]] = {}
        for name, boxes in self.find_by_name.items():
            if name in names:
                found.setdefault(names[name], []).extend(replace(box, name=names[name]) for box in boxes)
        return Boxes(found, self.problems)


def make_boxes(found: FoundBoxes) -> Boxes:
    """Return boxes of another format, or of masks."""
    return Boxes(
        {
            name: [Box(name, *box, found.outlines.get((name, box))) for box in boxes]
            for name, boxes in found.boxes.items()
        },
        tuple(found.problems),
    )


def require_table(path: Path | None) -> None:
    """Raise SourceNotFound if a table of boxes that is to be read does not exist."""
    if path is not None and not path.exists():
        raise SourceNotFound(f"There is no box file {path}.", "Give the path of a CSV file.")


def read_boxes(path: Path) -> Boxes:
    """Read a table of boxes; a row that cannot be used is skipped and reported in a sentence.

    Args:
        path: a CSV file, a JSON file in the COCO format, or a folder of YOLO files.

    Raises:
        SourceNotFound: the file does not exist.
        DataError: it is not such a table, or no row can be used.
    """
    require_table(path)
    if path.is_dir():
        read = make_boxes(read_yolo_folder(path))
    elif path.suffix.casefold() == ".json":
        read = _read_json(path)
    else:
        read = _read_table(path)
    if not read.find_by_name:
        first = f" {read.problems[0]}" if read.problems else ""
        raise DataError(f"{path.name} has no usable box.{first}", "Correct the table.")
    return read


def read_boxes_beside(folder: Path, files: Mapping[str, str]) -> Boxes:
    """Read the boxes that lie beside images.

    Args:
        folder: folder of the dataset.
        files: name of a text file in the YOLO format -> name of its image; of a JSON file, which is read if it is in
            the COCO format -> empty.

    Returns:
        The boxes; those of a JSON file by the names that it has for the images.
    """
    yolo = {name: image for name, image in files.items() if image and name.casefold().endswith(".txt")}
    parts = [read_yolo_files(folder, yolo)]
    for name, image in files.items():
        if not image:
            with suppress(DataError, OSError):
                parts += [found for found in [read_coco(folder / name)] if found is not None]
    return make_boxes(merge(parts))


def _read_json(path: Path) -> Boxes:
    found = read_coco(path)
    if found is None:
        raise DataError(f"{path.name} is not a table in the COCO format.", "It must have images and annotations.")
    return make_boxes(found)


def _read_table(path: Path) -> Boxes:
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name} is too large for a table of boxes.", "Give a smaller file.")
    try:
        text = decode_table(path.read_bytes())
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text), skipinitialspace=True)
        found, problems = _rows(table, path.name)
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path.name} is not a comma-separated text file.", "Save it as CSV in UTF-8.") from None
    return Boxes(found, tuple(problems))


def _find_delimiter(text: str) -> str:
    """Return the delimiter with which the most of the known columns are in the header."""
    head = next(iter(text.splitlines()), "")

    def count_known(delimiter: str) -> int:
        return len({_clean(cell) for cell in head.split(delimiter)} & {"file", *NUMBERS, *FOLDERS})

    return max(DELIMITERS, key=count_known)


def _clean(column: str) -> str:
    """Return the name of a column without spaces and quotes around it, in small letters."""
    return column.strip().strip("\"'").strip().casefold()


def _rows(table: "csv.DictReader[str]", name: str) -> tuple[dict[str, list[Box]], list[str]]:
    table.fieldnames = [_clean(column) for column in table.fieldnames or ()]
    missing = [column for column in ("file", *NUMBERS) if column not in table.fieldnames]
    if missing:
        raise DataError(
            f"{name} has no column {', '.join(missing)}.", f"Its header must contain file, {', '.join(NUMBERS)}."
        )
    found: dict[str, list[Box]] = {}
    problems = []
    for row in table:
        read = _read(row)
        if isinstance(read, Box):
            found.setdefault(read.name, []).append(read)
        else:
            problems.append(f"Line {table.line_num} of {name}: {read}")
    return found, problems


def _read(row: Mapping[str, str | None]) -> Box | str:
    """Return the box of a row, or a sentence on its problem."""
    cells = {key: (value or "").strip() for key, value in row.items() if isinstance(value, str | None) and key}
    if not cells["file"]:
        return "the file name is missing."
    numbers = []
    for column in NUMBERS:
        try:
            numbers.append(float(cells[column].replace(",", ".")))  # where semicolons divide the columns
        except ValueError:
            return f"{column} is '{cells[column]}', not a number."
    x, y, width, height = numbers
    if not all(map(math.isfinite, numbers)) or not (0 <= x <= 1 and 0 <= y <= 1):
        return "the center of the box is outside the image; use fractions from 0 to 1."
    if not (0 < width <= 1 and 0 < height <= 1):
        return "width and height must be above 0 and at most 1, as fractions of the image."
    name = "/".join(cells[column] for column in (*FOLDERS, "file") if cells.get(column))
    return Box(name, x - width / 2, y - height / 2, width, height)
