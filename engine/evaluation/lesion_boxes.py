"""Boxes of the lesions in a dataset: from a table, or from the masks and boxes that lie beside its images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine import lesions
from engine.data import Dataset
from engine.data.annotations import list_annotations
from engine.data.files import find_source_folder
from engine.data.name_matching import match_names
from engine.data.series_masks import SeriesMasks
from engine.data.volume_masks import read_masked_slices
from engine.errors import DataError
from engine.lesions import Boxes


def load_boxes(images: Dataset, measured: Sequence[str], table: Path | None, mask_label: int | None = None) -> Boxes:
    """Load the boxes of a dataset's lesions, by the names of its images.

    Args:
        images: the dataset.
        measured: names of the images that will be measured; masks of others are not read.
        table: a table of boxes (`lesions.read_boxes`); None for what lies beside the images: masks, or else boxes in
            the formats YOLO or COCO.
        mask_label: value of the pixels of masks that are lesion; that of the dataset's settings if None, where 0 means
            all that differ from the background.

    Raises:
        SourceNotFound: there is no such table.
        DataError: it cannot be read, or none of its files is an image of the dataset.
    """
    names = [name for split in images.splits.values() for name in split.names]
    if table is None:
        label = (images.config.mask_label or None) if mask_label is None else mask_label
        found = _read_beside(images, set(measured), label)
        return found.rename(match_names(found.find_by_name, names))
    read = lesions.read_boxes(table)
    matched = read.rename(match_names(read.find_by_name, names))
    if not matched.find_by_name:
        raise make_no_boxes_error("dataset", names, read)
    missed = len(read) - len(matched)
    if missed:
        noun = "box belongs" if missed == 1 else "boxes belong"
        sentence = f"{missed:,} {noun} to no image of the dataset, or to several."
        return replace(matched, problems=(*matched.problems, sentence))
    return matched


def require_boxes(boxes: Boxes, part: str, names: Sequence[str]) -> None:
    """Raise an error if no image of a part of a dataset has a box.

    Raises:
        DataError: so it is.
    """
    if not any(name in boxes.find_by_name for name in names):
        raise make_no_boxes_error(part, names, boxes)


def make_no_boxes_error(part: str, names: Sequence[str], boxes: Boxes) -> DataError:
    """Return the error that no image has a box; it shows a name of either side."""
    example, image = next(iter(boxes.find_by_name), "none"), next(iter(names), "none")
    where, advice = f"{part} split", "Choose another split, or the table that belongs to these images."
    if part == "dataset":
        where, advice = (
            part,
            "Choose the table that belongs to these images. A file name alone must be that of one image.",
        )
    return DataError(
        f"No image of the {where} has a box; the first file in the table is '{example}', the first image '{image}'.",
        advice,
    )


def _read_beside(images: Dataset, names: set[str], mask_label: int | None) -> Boxes:
    """Return the boxes of masks, or else of files beside the images of a folder."""
    folder = find_source_folder(images.source)
    if folder is None:
        return Boxes({})
    problems: list[str] = []
    if beside := SeriesMasks(folder):
        slices = beside.read(sorted(names), mask_label, problems)
        return _require_label(lesions.make_boxes(lesions.find_slice_boxes(slices, problems, mask_label)), mask_label)
    found = list_annotations(folder)
    if not found.images:
        slices = read_masked_slices(folder, sorted(names), images.config.plane, problems)
        return _require_label(lesions.make_boxes(lesions.find_slice_boxes(slices, problems, mask_label)), mask_label)
    masks = {image: own for image, own in found.masks.items() if image in names}
    if masks:
        return _require_label(lesions.make_boxes(lesions.read_masks(folder, masks, mask_label)), mask_label)
    return lesions.read_boxes_beside(folder, found.boxes)


def _require_label(boxes: Boxes, mask_label: int | None) -> Boxes:
    if mask_label is not None and not boxes:
        raise DataError(f"No mask has a part of pixel value {mask_label}.", "Choose another value with --mask-label.")
    return boxes
