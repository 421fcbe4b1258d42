"""The lesion contrast that each image retains."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from engine import lesions
from engine.errors import EngramError
from engine.lesions import Retention
from gui.lesion_regions import mask_of
from gui.panels.denoise.results_data import DenoisedImage
from gui.widgets.region.region import Region
from gui.widgets.timer import make_timer


class RetentionCalculator(QObject):
    """A calculator of the lesion contrast retained, one image after the other, so that the app never blocks."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.found: dict[str, Retention] = {}
        self.problem = ""
        self._of: dict[str, tuple[object, ...]] = {}
        self._left: list[DenoisedImage] = []
        self._place: tuple[Region | None, int] = None, 4
        self._next = make_timer(self, 0)
        self._next.timeout.connect(self._find_one)

    def update(self, made: Mapping[str, DenoisedImage], region: Region | None, rim_px: int) -> None:
        """Compute the values of these images that are not known yet."""
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
