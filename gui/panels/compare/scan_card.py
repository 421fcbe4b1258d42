"""The card of one file that is shown in place of the dataset."""

from PySide6.QtCore import Qt, Signal

from gui.opened_scan import OpenedScan, describe
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.slice_row import SliceRow


class CompareScanCard(Card):
    """A card with name, slice slider, orientation, notes, and a button that returns to the dataset."""

    slice_changed = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Opened image")
        self._scan: OpenedScan | None = None
        self.name, self._facts = label(wrap=True), label(role="caption", wrap=True)
        self.row, self.back = SliceRow(), Button("Back to the dataset")
        self.slider = self.row.slider
        for part in (self.name, self.row, self._facts):
            self.add(part)
        self.body.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.row.moved.connect(self._on_slice_moved)
        self.back.clicked.connect(self.closed)
        self.hide()

    def show_scan(self, scan: OpenedScan | None) -> None:
        self._scan = scan
        self.setVisible(scan is not None)
        if scan is None:
            return
        self.row.show_slice(scan.slice, scan.slices)
        self.row.setVisible(scan.slices > 1)
        self.name.setText(scan.name)
        self._facts.setText(describe(scan))

    def _on_slice_moved(self, number: int) -> None:
        if self._scan is not None:
            self._scan = self._scan.with_slice(number)
            self.slice_changed.emit(self._scan)
