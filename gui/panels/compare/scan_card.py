"""One scan from a file, in the place of the data set."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider

from gui.opened_scan import OpenedScan, facts
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.text import label


class ScanCard(Card):
    """Name, slice slider, orientation, notes, and the way back."""

    slice_changed = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Scan")
        self._scan: OpenedScan | None = None
        self.name, self._facts = label(wrap=True), label(role="caption", wrap=True)
        self.slider, self._at, self.back = (
            QSlider(Qt.Orientation.Horizontal),
            label(role="caption"),
            Button("Back to the data set"),
        )
        self.slider.setAccessibleName("slice")
        line = QHBoxLayout()
        line.addWidget(self.slider, 1)
        line.addWidget(self._at)
        for part in (self.name, line, self._facts):
            self.add(part)
        self.body.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.slider.valueChanged.connect(self._on_slider_changed)
        self.back.clicked.connect(self.closed)
        self.hide()

    def show_scan(self, scan: OpenedScan | None) -> None:
        self._scan = scan
        self.setVisible(scan is not None)
        if scan is None:
            return
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, scan.slices - 1)
            self.slider.setValue(scan.slice)
        for part in (self.slider, self._at):
            part.setVisible(scan.slices > 1)
        self._at.setText(f"{scan.slice + 1} / {scan.slices}")
        self.name.setText(scan.name)
        self._facts.setText(facts(scan))

    def _on_slider_changed(self, value: int) -> None:
        if self._scan is not None:
            self._scan = replace(self._scan, slice=value)
            self._at.setText(f"{value + 1} / {self._scan.slices}")
            self.slice_changed.emit(self._scan)
