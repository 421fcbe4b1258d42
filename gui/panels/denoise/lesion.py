"""The lesion region: the card that draws it, and the lesion contrast that each image retains."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout

from engine import lesions
from engine.errors import EngramError
from engine.lesions import Retention
from gui.lesion_regions import lesion_text, mask_of
from gui.panels.denoise.results_data import DenoisedImage
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.number_fields import WholeEdit
from gui.widgets.region.buttons import HINTS, RegionButtons
from gui.widgets.region.region import Region, RegionState
from gui.widgets.timers import make_timer

RIM_MOST_PX = 32
WARN_PERCENT = 80
SPIN_PX = 74


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


class LesionCard(Card):
    """A card that draws, offers and removes the lesion region, with background ring and threshold."""

    threshold_changed = Signal()

    def __init__(self, regions: RegionState) -> None:
        super().__init__("Lesion")
        self.body.setSpacing(6)
        self._regions, self.buttons = regions, RegionButtons(regions)
        self._size = 0, 0
        self.text, self.rim, self.share = (
            label(role="caption", wrap=True),
            WholeEdit(1, RIM_MOST_PX, " px"),
            WholeEdit(1, 100, "%"),
        )
        self.add(self.buttons)
        self.add(self.text)
        self._add_numbers()
        regions.changed.connect(self.refresh)
        regions.mode_changed.connect(self.refresh)
        self.refresh()

    def show_known(self, known: list[Region]) -> None:
        """Offer the known lesions of the image."""
        self.buttons.show_known(known)
        self.refresh()

    def show_size(self, size: tuple[int, int]) -> None:
        """Show the number of lesion pixels on an image of this height and width."""
        if size != self._size:
            self._size = size
            self.refresh()

    def threshold(self) -> float:
        """Return the share of lesion contrast retained below which the panel warns."""
        return self.share.value() / 100

    def refresh(self) -> None:
        region, mode = self._regions.region, self._regions.mode
        words = lesion_text(region, self._size, self._regions.rim_px, lambda: region in self.buttons.known_regions)
        self.text.setText(HINTS.get(mode, words if region is None or all(self._size) else ""))
        with QSignalBlocker(self.rim):
            self.rim.setValue(self._regions.rim_px)

    def _add_numbers(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(4)  # the card fits the column beside a scroll bar
        self.share.setValue(WARN_PERCENT)
        tips = (
            "Background ring: width of the ring around the lesion used as the reference for its contrast",
            "Warn if the lesion contrast retained falls below this percentage",
        )
        for title, box, tip in zip(("Ring width", "Warn below"), (self.rim, self.share), tips, strict=True):
            form = QFormLayout()
            text = label(title, role="quiet")
            text.setBuddy(box)
            text.setToolTip(tip)
            box.setToolTip(tip)
            box.setAccessibleName(title.lower())
            box.setFixedWidth(SPIN_PX)
            form.addRow(text, box)
            line.addLayout(form)
        self.rim.valueChanged.connect(self._regions.set_rim)
        self.share.valueChanged.connect(lambda _: self.threshold_changed.emit())
        line.addStretch()
        self.add(line)
