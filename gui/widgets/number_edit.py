"""Number field that formats numbers for people; a scrolling wheel does not change it by accident."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

SIDE_PX, BUTTONS_PX = 8, 20
Validity = tuple[QValidator.State, str, int]


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
