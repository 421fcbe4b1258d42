"""Slice of a volume: a slider and its number."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from gui.widgets.labels import label


class SliceRow(QWidget):
    """Slider over the slices of a volume; `moved` carries the slice, counted from 0."""

    moved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.slider, self.at = QSlider(Qt.Orientation.Horizontal), label(role="caption")
        self.slider.setAccessibleName("slice")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self.at)
        self.slider.valueChanged.connect(self._on_slider_changed)

    def show_slice(self, number: int, count: int) -> None:
        """Show slice `number` of `count` without emitting `moved`."""
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, count - 1)
            self.slider.setValue(number)
        self.at.setText(f"{number + 1} / {count}")

    def _on_slider_changed(self, number: int) -> None:
        self.at.setText(f"{number + 1} / {self.slider.maximum() + 1}")
        self.moved.emit(number)
