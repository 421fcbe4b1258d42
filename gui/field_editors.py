"""One editor per kind of setting; typed text stays as the user typed it, valid or not."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from engine.config import BACKEND_TITLES, FieldSpec
from gui.widgets.combo_boxes import ElidedComboBox

NAMES = {
    "keras-tuner": "KerasTuner",
    "wandb": "W&B sweep",
    **BACKEND_TITLES,
    "z-score": "Z-score",
    "leaky-relu": "Leaky ReLU",
    "relu": "ReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
}
OWN_NAMES = {("normalisation", "none"): "None (original)"}
DEEP_STEP, STEP = 10, 1
UNIT_GAP = 8


class LineEditor(QLineEdit):
    """Line of text with its unit, if any, in a quiet color at its right."""

    edited = Signal()

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spec = spec
        self.textEdited.connect(self.edited)
        if spec.unit:
            self.setTextMargins(0, 0, self.fontMetrics().horizontalAdvance(spec.unit) + UNIT_GAP, 0)

    def value(self) -> Any:
        """Return the typed value in the setting's type if it can be parsed, else the text."""
        return PARSERS.get(self.spec.kind, str)(self.text().strip())

    def set_value(self, value: Any) -> None:
        # A typed 5e-4 stays as it was typed.
        if self.value() != value:
            self.setText(FORMATTERS.get(self.spec.kind, str)(value))

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the window, whose stack covers all settings."""
        undoing = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_undo(event)
        return False if undoing else super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Up: STEP,
            Qt.Key.Key_Down: -STEP,
            Qt.Key.Key_PageUp: DEEP_STEP,
            Qt.Key.Key_PageDown: -DEEP_STEP,
        }
        wanted = step.get(Qt.Key(event.key()))
        if _is_undo(event):
            event.ignore()
        elif wanted is not None and self.spec.kind in ("int", "float"):
            self._step(wanted)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.spec.unit:
            painter = QPainter(self)
            painter.setPen(self.palette().color(self.palette().ColorRole.PlaceholderText))
            room = self.rect().adjusted(0, 0, -UNIT_GAP - 2, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.spec.unit)

    def _step(self, steps: int) -> None:
        value = step_value(self.spec, self.value(), steps)
        if value is not None:
            self.set_value(value)
            self.edited.emit()


class ChoiceEditor(ElidedComboBox):
    """Choice of one of a few words; a wheel that scrolls past does not change it."""

    edited = Signal()

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        for choice in spec.choices:
            self.addItem(choice_title(choice, spec.name), choice)
        self.activated.connect(self.edited)

    def value(self) -> Any:
        return self.currentData()

    def set_value(self, value: Any) -> None:
        with QSignalBlocker(self):
            self.setCurrentIndex(max(self.findData(value), 0))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CheckEditor(QCheckBox):
    """Yes or no."""

    edited = Signal()

    def __init__(self, spec: FieldSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clicked.connect(self.edited)

    def value(self) -> Any:
        return self.isChecked()

    def set_value(self, value: Any) -> None:
        self.setChecked(bool(value))


Editor = LineEditor | ChoiceEditor | CheckEditor


def editor_for(spec: FieldSpec) -> Editor:
    """Return the right editor for a setting, showing its default."""
    kinds: dict[str, type[Editor]] = {"choice": ChoiceEditor, "bool": CheckEditor}
    editor = kinds.get(spec.kind, LineEditor)(spec)
    editor.set_value(spec.default)
    return editor


def choice_title(choice: str, setting: str = "") -> str:
    """Return the title of a choice of a setting, as the app shows it."""
    return OWN_NAMES.get((setting, choice)) or NAMES.get(choice, choice.capitalize())


def step_value(spec: FieldSpec, value: Any, steps: int) -> Any:
    """Return a number some steps further, within its range.

    One step of a logarithmic number is a factor of 10^(1/10).
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if spec.log:
        moved: float = float(f"{value * 10 ** (steps / 10):.2g}")
    elif spec.kind == "int":
        moved = int(value) + steps
    else:
        moved = round(value + steps * 0.01, 10)
    low, high = -float("inf") if spec.low is None else spec.low, float("inf") if spec.high is None else spec.high
    inside = min(max(moved, low), high)
    return int(inside) if spec.kind == "int" else inside


def _is_undo(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)


def _number(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text.replace("−", "-").replace(",", "."))
        except ValueError:
            return text

    return read


def _read_ints(text: str) -> Any:
    parts = text.replace(",", " ").replace(";", " ").split()
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        return text


PARSERS: dict[str, Callable[[str], Any]] = {"int": _number(int), "float": _number(float), "ints": _read_ints}
FORMATTERS: dict[str, Callable[[Any], str]] = {
    "float": lambda value: f"{value:g}" if isinstance(value, float) else str(value),
    "ints": lambda value: ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value),
}
