"""The lesion: how it is drawn, how wide the rim is that it is compared with, and under which share to warn."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout

from gui.lesion_regions import lesion_text
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.number_edit import WholeEdit
from gui.widgets.region.buttons import HINTS, RegionButtons
from gui.widgets.region.region import Region
from gui.widgets.region.state import RegionState

RIM_MOST_PX = 32
WARN_PERCENT = 80
SPIN_PX = 74


class LesionCard(Card):
    """Draw, offer known ones, remove; rim and threshold."""

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
        """Offer the known lesions of the scan."""
        self.buttons.show_known(known)
        self.refresh()

    def show_size(self, size: tuple[int, int]) -> None:
        """Count the lesion's pixels on a picture of this height and width."""
        if size != self._size:
            self._size = size
            self.refresh()

    def threshold(self) -> float:
        """The share of a lesion's contrast under which to warn."""
        return self.share.value() / 100

    def refresh(self) -> None:
        region, mode = self._regions.region, self._regions.mode
        words = lesion_text(region, self._size, self._regions.rim_px, lambda: region in self.buttons.known_regions)
        self.text.setText(HINTS.get(mode, words if region is None or all(self._size) else ""))
        with QSignalBlocker(self.rim):
            self.rim.setValue(self._regions.rim_px)

    def _add_numbers(self) -> None:
        line = QHBoxLayout()
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
