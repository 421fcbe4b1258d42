"""Buttons that draw a region, show a known lesion, or remove the region."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from gui.widgets.buttons import Button
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.region.region import Mode, Region, RegionState

HINTS = {
    "ellipse": "Drag across the lesion on any image. Enter: place an ellipse at the center. Esc: cancel.",
    "polygon": "Click to add vertices. Double-click or Enter: close the polygon. Backspace: undo vertex. Esc: cancel.",
}


class RegionButtons(QWidget):
    """Ellipse, polygon, known, remove."""

    def __init__(self, regions: RegionState) -> None:
        super().__init__()
        self._regions, self.known_regions = regions, list[Region]()
        self.ellipse, self.polygon = Button("Ellipse"), Button("Polygon")
        self.known, self.remove = Button("Known"), Button("Remove")
        self._lay_out()
        regions.changed.connect(self._refresh)
        regions.mode_changed.connect(self._show_mode)
        self._refresh()

    def show_known(self, known: Sequence[Region]) -> None:
        """Offer the known lesions of the image."""
        self.known_regions = list(known)
        self.known.setVisible(bool(known))

    def _lay_out(self) -> None:
        line = FlowLayout(gap=6)
        self.setLayout(line)
        for button, mode in ((self.ellipse, "ellipse"), (self.polygon, "polygon")):
            button.setCheckable(True)
            button.clicked.connect(lambda on, mode=mode: self._regions.set_mode(mode if on else ""))
        self.ellipse.setToolTip("Draw an ellipse by dragging")
        self.polygon.setToolTip("Draw a polygon, vertex by vertex")
        self.known.setToolTip("Use a lesion box from the dataset's annotation table; click again for the next one")
        self.known.clicked.connect(self._on_known_clicked)
        self.remove.clicked.connect(lambda: self._regions.change(None, "remove lesion"))
        for button in (self.ellipse, self.polygon, self.known, self.remove):
            button.setProperty("kind", "chip")
            line.addWidget(button)

    def _refresh(self) -> None:
        self.remove.setEnabled(self._regions.region is not None)

    def _show_mode(self, mode: Mode) -> None:
        self.ellipse.setChecked(mode == "ellipse")
        self.polygon.setChecked(mode == "polygon")

    def _on_known_clicked(self) -> None:
        """Show the known lesion that follows the current one."""
        region, known = self._regions.region, self.known_regions
        at = known.index(region) + 1 if region in known else 0
        self._regions.change(known[at % len(known)], "use known lesion")
