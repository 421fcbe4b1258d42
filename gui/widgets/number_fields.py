"""Number fields, which format numbers for people, alone or beside a slider."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QSpinBox,
    QWidget,
)

from gui.widgets.labels import label

SIDE_PX, BUTTONS_PX = 8, 20
Validity = tuple[QValidator.State, str, int]
POSITIONS = 1000


def apply_padding(field: QAbstractSpinBox, text: QLineEdit) -> None:
    """Set the padding of the text, which Qt forgets for spin boxes with a style sheet."""
    bare = field.buttonSymbols() == QAbstractSpinBox.ButtonSymbols.NoButtons
    text.setGeometry(field.rect().adjusted(SIDE_PX, 3, -SIDE_PX if bare else -BUTTONS_PX - 2, -3))


class NumberEdit(QDoubleSpinBox):
    """Number, shown without trailing zeros and typed as 0.001 or 1e-3; an arrow changes its second digit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)
        self.setDecimals(10)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)

    def textFromValue(self, value: float) -> str:
        return f"{value:.10g}"

    def valueFromText(self, text: str) -> float:
        return float(self._strip_affixes(text))

    def validate(self, text: str, position: int) -> Validity:
        bare = self._strip_affixes(text)
        try:
            value = float(bare)
        except ValueError:
            return (_unfinished(bare), text, position)
        fits = self.minimum() <= value <= self.maximum()
        return (QValidator.State.Acceptable if fits else QValidator.State.Intermediate, text, position)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        apply_padding(self, self.lineEdit())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        apply_padding(self, self.lineEdit())

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def _strip_affixes(self, text: str) -> str:
        return text.removesuffix(self.suffix()).strip().replace(",", ".").replace("\u2212", "-")


class WholeEdit(QSpinBox):
    """Whole number, accepted when the user has finished typing."""

    def __init__(self, low: int, high: int, suffix: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(False)
        self.setRange(low, high)
        self.setSuffix(suffix)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        apply_padding(self, self.lineEdit())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        apply_padding(self, self.lineEdit())

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


def _unfinished(text: str) -> QValidator.State:
    """Return the validator state of a number that is still incomplete, or of no number at all."""
    typing = set(text) <= set("0123456789.-+eE")
    return QValidator.State.Intermediate if typing else QValidator.State.Invalid


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
