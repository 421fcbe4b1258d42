"""Lesions as regions: those of a dataset's table of boxes, and any region as pixels of an image."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImageReader

from engine import lesions
from engine.config import DataConfig
from engine.errors import EngramError
from engine.lesions import Box
from gui.formatting import format_count
from gui.widgets.region.region import Region

BOXES = "lesion_boxes.csv"


class LesionBoxes:
    """Lesion boxes of a dataset folder, read on first use."""

    def __init__(self) -> None:
        self._source = ""
        self._boxes: Mapping[str, object] = {}

    def regions_for(self, data: DataConfig, name: str) -> list[Region]:
        """Return the known lesions of an image, as ellipses in their boxes."""
        if data.source != self._source:
            self._source, self._boxes = data.source, _read(data.source)
        found = self._boxes.get(name, ())
        aspect = _aspect(data, name) if found else 1.0
        return [_ellipse(box, aspect) for box in found] if isinstance(found, list | tuple) else []

    def names(self, data: DataConfig) -> set[str]:
        """Return the images that have a known lesion."""
        self.regions_for(data, "")
        return set(self._boxes)


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


def _read(source: str) -> Mapping[str, object]:
    """Return the boxes of a folder; empty if there is no table, or none that can be read."""
    path = Path(source).expanduser() / BOXES
    try:
        return dict(lesions.read_boxes(path).find_by_name) if path.is_file() else {}
    except (EngramError, OSError):
        return {}


def _aspect(data: DataConfig, name: str) -> float:
    """Return height over width of an original that was letterboxed; only its header is read."""
    if data.fit == "squash":
        return 1.0
    size = QImageReader(str(Path(data.source).expanduser() / name)).size()
    return size.height() / size.width() if size.isValid() and size.width() else 1.0


def _ellipse(box: Box, aspect: float) -> Region:
    wide, high = min(1.0, 1.0 / aspect), min(1.0, aspect)
    left, top = (1 - wide) / 2 + box.x * wide, (1 - high) / 2 + box.y * high
    right, bottom = left + box.width * wide, top + box.height * high
    return Region("ellipse", ((max(left, 0.0), max(top, 0.0)), (min(right, 1.0), min(bottom, 1.0))))
