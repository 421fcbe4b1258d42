"""Named number with a slider and an edit field."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QHBoxLayout, QLabel, QSlider, QWidget

from gui.widgets.number_edit import SIDE_PX, NumberEdit

POSITIONS = 1000


@dataclass(frozen=True)
class SliderRange:
    """Values of a slider; with `log`, equal distances are equal factors instead of equal differences."""

    low: float
    high: float
    default: float
    decimals: int = 2
    suffix: str = ""
    log: bool = False

    def value(self, position: int) -> float:
        share = position / POSITIONS
        exact = self.low * (self.high / self.low) ** share if self.log else self.low + share * (self.high - self.low)
        return round(exact, self.decimals)

    def position(self, value: float) -> int:
        share = (
            math.log(value / self.low) / math.log(self.high / self.low)
            if self.log
            else (value - self.low) / (self.high - self.low)
        )
        return round(min(max(share, 0), 1) * POSITIONS)


class SliderRow(QWidget):
    """Label, slider and edit field, bound both ways; a double-click on label or slider restores the default."""

    value_changed = Signal(float)

    def __init__(self, text: str, values: SliderRange, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values = values
        self.label, self.slider, self.edit = QLabel(text), QSlider(Qt.Orientation.Horizontal), NumberEdit()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        for part, stretch in ((self.label, 0), (self.slider, 1), (self.edit, 0)):
            row.addWidget(part, stretch)
        self._prepare()
        self.slider.valueChanged.connect(lambda position: self.edit.setValue(values.value(position)))
        self.edit.valueChanged.connect(self._on_edit_changed)
        for part in (self.label, self.slider):
            part.installEventFilter(self)
            part.setToolTip("Double-click to restore the default")

    def _prepare(self) -> None:
        values = self._values
        self.label.setBuddy(self.edit)
        self.slider.setRange(0, POSITIONS)
        self.slider.setPageStep(POSITIONS // 10)
        self.slider.setSingleStep(POSITIONS // 100)
        self.slider.setMinimumWidth(80)
        self.edit.setDecimals(values.decimals)
        self.edit.setRange(values.low, values.high)
        self.edit.setSingleStep((values.high - values.low) / 100)
        self.edit.setSuffix(values.suffix)
        self.edit.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setKeyboardTracking(False)
        for part in (self.slider, self.edit):
            part.setAccessibleName(self.label.text())
        texts = [self.edit.textFromValue(round(value, values.decimals)) for value in (values.low, values.high)]
        widest = max([*texts, "0." + "0" * values.decimals if values.decimals else ""], key=len) + values.suffix
        self.edit.setFixedWidth(self.edit.fontMetrics().horizontalAdvance(widest) + 2 * SIDE_PX + 8)
        self.edit.setValue(values.default)
        self._show_on_slider(values.default)

    def value(self) -> float:
        return self.edit.value()

    def set_value(self, value: float) -> None:
        self.edit.setValue(value)

    def reset(self) -> None:
        """Restore the default."""
        self.edit.setValue(self._values.default)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)

    def _on_edit_changed(self, value: float) -> None:
        self._show_on_slider(value)
        self.value_changed.emit(value)

    def _show_on_slider(self, value: float) -> None:
        """Move the slider to a value without reading it back, so that its steps do not round a typed value."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(self._values.position(value))
