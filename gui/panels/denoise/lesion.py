"""The lesion: regions as masks, known boxes as regions, and how much of it each picture keeps."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImageReader

from engine import lesions
from engine.config import DataConfig
from engine.errors import EngramError
from engine.lesions import Box, Retention
from gui.panels.denoise.made import Made
from gui.widgets.region import Region

BOXES = "lesion_boxes.csv"
NO_VALUE = Retention(math.nan, (math.nan, math.nan), math.nan, math.nan, math.nan)


class KnownBoxes:
    """The boxes that a folder of scans brings, read when they are first asked for."""

    def __init__(self) -> None:
        self._source = ""
        self._boxes: Mapping[str, object] = {}

    def of(self, data: DataConfig, name: str) -> list[Region]:
        """The known lesions of an image, as ellipses in their boxes."""
        if data.source != self._source:
            self._source, self._boxes = data.source, _read(data.source)
        found = self._boxes.get(name, ())
        aspect = _aspect(data, name) if found else 1.0
        return [_ellipse(box, aspect) for box in found] if isinstance(found, list | tuple) else []

    def names(self, data: DataConfig) -> set[str]:
        """The images that have a known lesion."""
        self.of(data, "")
        return set(self._boxes)


def mask_of(region: Region, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels of a region on a picture of a shape. Raises RegionError."""
    height, width = shape
    if region.kind == "polygon":
        return lesions.fitting(lesions.polygon(shape, [(x * width, y * height) for x, y in region.points]))
    left, top, right, bottom = region.box
    draw = lesions.ellipse if region.kind == "ellipse" else lesions.rectangle
    return lesions.fitting(draw(shape, left * width, top * height, (right - left) * width, (bottom - top) * height))


class Keeping(QObject):
    """How much of a lesion each picture keeps: one picture after the other, so that the window never waits."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.found: dict[str, Retention] = {}
        self.problem = ""
        self._of: dict[str, tuple[object, ...]] = {}
        self._left: list[Made] = []
        self._place: tuple[Region | None, int] = None, 4
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._find_one)

    def follow(self, made: Mapping[str, Made], region: Region | None, rim_px: int) -> None:
        """Find the numbers of these pictures, those that are not known yet."""
        self._place = region, rim_px
        wanted = {key: (each.image, region, rim_px) for key, each in made.items()}
        same = {key for key, of in wanted.items() if self._is_known(key, of)}
        self.found = {key: value for key, value in self.found.items() if key in same}
        self._left = [each for key, each in made.items() if key not in same and region is not None]
        self.problem = ""
        self._next.start()

    def _is_known(self, key: str, of: tuple[object, ...]) -> bool:
        before = self._of.get(key)
        return key in self.found and before is not None and before[0] is of[0] and before[1:] == of[1:]

    def _find_one(self) -> None:
        region, rim_px = self._place
        if self._left and region is not None:
            made = self._left.pop(0)
            self._of[made.key] = made.image, region, rim_px
            try:
                mask = mask_of(region, (made.image.shape[0], made.image.shape[1]))
                self.found[made.key] = lesions.retention(made.original, made.image, mask, rim_px)
            except EngramError as error:
                self.problem, self._left = str(error), []
        if self._left:
            self._next.start()
        else:
            self.changed.emit()


def lesion_text(region: Region | None, size: tuple[int, int], rim_px: int, known: Callable[[], bool]) -> str:
    """Say where the region comes from and how large it is; what is wrong with it where it cannot be measured."""
    if region is None:
        return "Nothing marked yet: draw it on any picture."
    try:
        pixels = lesions.area(mask_of(region, size))
    except EngramError as error:
        return str(error)
    return f"{'Known lesion' if known() else 'Drawn by hand'} · {pixels} px · rim {rim_px} px"


def _read(source: str) -> Mapping[str, object]:
    """The boxes of a folder; none where there is no table, or none that can be read."""
    path = Path(source).expanduser() / BOXES
    try:
        return dict(lesions.read_boxes(path).of) if path.is_file() else {}
    except (EngramError, OSError):
        return {}


def _aspect(data: DataConfig, name: str) -> float:
    """Height over width of an original that was letterboxed; only its header is read."""
    if data.fit == "squash":
        return 1.0
    size = QImageReader(str(Path(data.source).expanduser() / name)).size()
    return size.height() / size.width() if size.isValid() and size.width() else 1.0


def _ellipse(box: Box, aspect: float) -> Region:
    wide, high = min(1.0, 1.0 / aspect), min(1.0, aspect)
    left, top = (1 - wide) / 2 + box.x * wide, (1 - high) / 2 + box.y * high
    right, bottom = left + box.width * wide, top + box.height * high
    return Region("ellipse", ((max(left, 0.0), max(top, 0.0)), (min(right, 1.0), min(bottom, 1.0))))
