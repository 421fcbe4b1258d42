"""The card of the lesion region: how it is drawn, the width of its background ring, and the warning threshold."""

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
