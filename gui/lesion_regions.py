"""Lesions as regions: those of a dataset's table of boxes, and any region as pixels of an image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImageReader

from engine import lesions
from engine.config import DataConfig
from engine.data.annotations import list_annotations
from engine.data.files import find_source_folder
from engine.data.name_matching import match_names
from engine.data.series_masks import SeriesMasks
from engine.data.source import SLICE_MARK
from engine.data.volume_masks import find_volume_masks, read_volume_slices
from engine.errors import EngramError
from engine.lesions import Box
from gui.formatting import format_count
from gui.widgets.region.region import Region

BOXES = "lesion_boxes.csv"


class LesionBoxes:
    """Lesion boxes of a dataset folder, read on first use."""

    def __init__(self) -> None:
        self._source = "", 0
        self._boxes: dict[str, list[Box]] = {}
        self._masks: dict[str, list[str]] = {}
        self._series: SeriesMasks | None = None

    def regions_for(self, data: DataConfig, name: str) -> list[Region]:
        """Return the known lesions of an image: their outlines if masks say them, else the ellipses in their boxes."""
        if (data.source, data.mask_label) != self._source:
            self._source = data.source, data.mask_label
            self._boxes, self._masks = _read(data.source)
            folder = find_source_folder(data.source)
            self._series = SeriesMasks(folder) if folder else None
        if self._series and name and name not in self._boxes:
            problems: list[str] = []
            slices = self._series.read([name], data.mask_label or None, problems)
            read = lesions.make_boxes(lesions.find_slice_boxes(slices, problems, data.mask_label or None))
            self._boxes[name] = list(read.find_by_name.get(name, ()))
        if SLICE_MARK in name and name not in self._boxes:
            self._boxes[name] = []
            self._boxes.update(_read_volume(data, name.rpartition(SLICE_MARK)[0]))
        if name in self._masks:
            masks = {name: self._masks.pop(name)}
            read = lesions.make_boxes(
                lesions.read_masks(find_source_folder(data.source) or Path(), masks, data.mask_label or None)
            )
            self._boxes[name] = list(read.find_by_name.get(name, ()))
        found = self._boxes.get(name, [])
        aspect = _aspect(data, found[0]) if found else 1.0
        return [_to_region(box, aspect) for box in found]

    def names(self, data: DataConfig) -> set[str]:
        """Return the images that have a known lesion, or a mask that was not read yet."""
        self.regions_for(data, "")
        return {name for name, boxes in self._boxes.items() if boxes} | set(self._masks)


def mask_of(region: Region, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of a region on an image of a given shape. Raises RegionError."""
    height, width = shape
    if region.kind == "polygon":
        return lesions.require_measurable(lesions.polygon(shape, [(x * width, y * height) for x, y in region.points]))
    left, top, right, bottom = region.box
    draw = lesions.ellipse if region.kind == "ellipse" else lesions.rectangle
    return lesions.require_measurable(
        draw(shape, left * width, top * height, (right - left) * width, (bottom - top) * height)
    )


def format_region(region: Region, size: int) -> str:
    """Return a region as text in pixels of an image of a given size, as the command line takes it."""
    if region.kind == "polygon":
        corners = ",".join(f"{x * size:g},{y * size:g}" for x, y in region.points)
        return f"polygon:{corners}"
    left, top, right, bottom = (value * size for value in region.box)
    box = f"{left:g},{top:g},{right - left:g},{bottom - top:g}"
    return box if region.kind == "ellipse" else f"rectangle:{box}"


def lesion_text(region: Region | None, size: tuple[int, int], rim_px: int, known: Callable[[], bool]) -> str:
    """Return where the region comes from and its size, or why it cannot be measured."""
    if region is None:
        return "No lesion marked. Choose Ellipse or Polygon, then draw on any image."
    try:
        pixels = lesions.area(mask_of(region, size))
    except EngramError as error:
        return str(error)
    kind = "Known lesion" if known() else "Drawn lesion"
    return f"{kind} · {format_count(pixels)} pixels · background ring {rim_px} px wide"


def _read(source: str) -> tuple[dict[str, list[Box]], dict[str, list[str]]]:
    """Return the boxes of a folder, and the masks of its images; both empty if there are none that can be read."""
    folder = find_source_folder(source)
    if folder is None:
        return {}, {}
    found = list_annotations(folder)
    try:
        table = folder / BOXES
        boxes = lesions.read_boxes(table) if table.is_file() else None
    except (EngramError, OSError):
        return {}, {}
    if boxes is None and found.masks:
        return {}, found.masks
    read = boxes or lesions.read_boxes_beside(folder, found.boxes)
    names = dict.fromkeys(read.find_by_name)
    matched = read.rename({name: name for name in names} | match_names(names, found.images))
    return {name: list(own) for name, own in matched.find_by_name.items()}, {}


def _read_volume(data: DataConfig, volume: str) -> dict[str, list[Box]]:
    """Return the lesions of all slices of a volume, by the names of the slices."""
    folder, problems = find_source_folder(data.source), list[str]()
    if folder is None:
        return {}
    masks = find_volume_masks(folder).get(volume, ())
    slices = read_volume_slices(folder, volume, masks, data.plane, problems)
    found = lesions.make_boxes(lesions.find_slice_boxes(slices, problems, data.mask_label or None))
    return {name: list(boxes) for name, boxes in found.find_by_name.items()}


def _aspect(data: DataConfig, box: Box) -> float:
    """Return height over width of an original that was letterboxed; only its header is read."""
    if data.fit == "squash":
        return 1.0
    if box.outline and box.outline.aspect is not None:
        return box.outline.aspect
    size = QImageReader(str((find_source_folder(data.source) or Path()) / box.name)).size()
    return size.height() / size.width() if size.isValid() and size.width() else 1.0


def _to_region(box: Box, aspect: float) -> Region:
    wide, high = min(1.0, 1.0 / aspect), min(1.0, aspect)
    left, top = (1 - wide) / 2 + box.x * wide, (1 - high) / 2 + box.y * high
    right, bottom = left + box.width * wide, top + box.height * high
    if box.outline is not None:
        corners = lesions.trace(box.outline.inside)
        return Region("polygon", tuple((left + x * (right - left), top + y * (bottom - top)) for x, y in corners))
    return Region("ellipse", ((max(left, 0.0), max(top, 0.0)), (min(right, 1.0), min(bottom, 1.0))))
