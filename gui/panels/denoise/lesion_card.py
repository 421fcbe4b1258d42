"""The lesion: how it is drawn, how wide the rim is that it is compared with, and under which share to warn."""

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout

from gui.panels.denoise.lesion import lesion_text
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.number_edit import WholeEdit
from gui.widgets.region import Region
from gui.widgets.region_state import Mode, RegionState
from gui.widgets.text import label

RIM_MOST_PX = 32
WARN_PERCENT = 80
SPIN_PX = 74
HINTS = {
    "ellipse": "Drag over the lesion on any picture. Enter puts an ellipse in the middle, Escape ends.",
    "polygon": "Click corner after corner; a double-click or Enter closes, Backspace takes one back, Escape ends.",
}


class LesionCard(Card):
    """Draw, offer known ones, remove; rim and threshold."""

    threshold_changed = Signal()

    def __init__(self, regions: RegionState) -> None:
        super().__init__("Lesion")
        self.body.setSpacing(6)
        self._regions, self._known = regions, list[Region]()
        self._size = 0, 0
        self.ellipse, self.polygon = Button("Ellipse"), Button("Polygon")
        self.known, self.remove = Button("Known"), Button("Remove")
        self.text, self.rim, self.share = (
            label(role="caption", wrap=True),
            WholeEdit(1, RIM_MOST_PX, " px"),
            WholeEdit(1, 100, " %"),
        )
        self._add_buttons()
        self.add(self.text)
        self._add_numbers()
        regions.changed.connect(self.refresh)
        regions.mode_changed.connect(self._show_mode)
        self.refresh()

    def show_known(self, known: list[Region]) -> None:
        """Offer the known lesions of the scan."""
        self._known = known
        self.known.setVisible(bool(known))
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
        words = lesion_text(region, self._size, self._regions.rim_px, lambda: region in self._known)
        self.text.setText(HINTS.get(mode, words if region is None or all(self._size) else ""))
        self.remove.setEnabled(region is not None)
        with QSignalBlocker(self.rim):
            self.rim.setValue(self._regions.rim_px)

    def _add_buttons(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(6)
        for button, mode in ((self.ellipse, "ellipse"), (self.polygon, "polygon")):
            button.setCheckable(True)
            button.clicked.connect(lambda on, mode=mode: self._regions.set_mode(mode if on else ""))
        self.ellipse.setToolTip("Draw an ellipse with the mouse")
        self.polygon.setToolTip("Draw a polygon, corner by corner")
        self.known.setToolTip("Take the lesion that the data set's table of boxes names; again for the next one")
        self.known.clicked.connect(self._on_known_clicked)
        self.remove.clicked.connect(lambda: self._regions.change(None, "removal of the lesion"))
        for button in (self.ellipse, self.polygon, self.known, self.remove):
            button.setProperty("kind", "chip")
            line.addWidget(button)
        line.addStretch()
        self.add(line)

    def _add_numbers(self) -> None:
        line = QHBoxLayout()
        self.share.setValue(WARN_PERCENT)
        tips = (
            "Width of the band round the lesion that its contrast is measured against",
            "Warn when a method keeps less of the lesion's contrast than this",
        )
        for title, box, tip in zip(("Rim", "Warn below"), (self.rim, self.share), tips, strict=True):
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

    def _show_mode(self, mode: Mode) -> None:
        self.ellipse.setChecked(mode == "ellipse")
        self.polygon.setChecked(mode == "polygon")
        self.refresh()

    def _on_known_clicked(self) -> None:
        """Take the known lesion after the one that is shown."""
        region = self._regions.region
        at = self._known.index(region) + 1 if region in self._known else 0
        self._regions.change(self._known[at % len(self._known)], "choice of a known lesion")
