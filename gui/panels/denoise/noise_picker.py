"""The picker of the noise; every change can be undone, a drag of the slider as one step."""

from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QWidget

from gui.formatting import format_fixed
from gui.panels.denoise.case import KINDS, LEVEL_NAMES, SIGMA_DEFAULT, SIGMA_MOST, Noise
from gui.widgets.combo_boxes import FocusComboBox
from gui.widgets.labels import label
from gui.widgets.number_fields import SliderRange, SliderRow, WholeEdit

LABEL_PX = 58
GRAYS = 255
SEED_MOST = 2**31 - 1


def field_label(title: str, field: QWidget | None = None) -> QWidget:
    """Return a label with the field as its buddy; all labels have one width."""
    text = label(title, role="quiet")
    text.setFixedWidth(LABEL_PX)
    if field is not None:
        text.setBuddy(field)
    return text


class NoisePicker(QWidget):
    """The picker of kind, level and seed of the noise."""

    changed = Signal()

    def __init__(self, undo: QUndoStack) -> None:
        super().__init__()
        self.visit = 0
        self._undo = undo
        self.kind, self.seed, self.grays = FocusComboBox(), WholeEdit(0, SEED_MOST), label(role="caption")
        self.sigma = SliderRow("σ", SliderRange(0.0, SIGMA_MOST, SIGMA_DEFAULT, decimals=3))
        self._lay_out()
        self._known = self.value()
        self.kind.activated.connect(self._on_changed)
        self.sigma.value_changed.connect(self._on_changed)
        self.seed.valueChanged.connect(self._on_changed)
        for left in (self.sigma.slider.sliderReleased, self.sigma.edit.editingFinished, self.seed.editingFinished):
            left.connect(self._on_left)
        self._show_level()

    def _lay_out(self) -> None:
        for key, title in KINDS.items():
            self.kind.addItem(title, key)
        self.kind.setAccessibleName("noise type")
        self.seed.setAccessibleName("seed")
        self.sigma.label.setFixedWidth(LABEL_PX)
        self.sigma.label.setProperty("role", "quiet")
        form, line = QFormLayout(self), QHBoxLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(6)
        line.addWidget(self.seed, 1)
        line.addWidget(self.grays)
        form.addRow(field_label("Noise", self.kind), self.kind)
        form.addRow(self.sigma)
        form.addRow(field_label("Seed", self.seed), line)
        self._form, self._seed_row = form, line

    def value(self) -> Noise:
        return Noise(self.kind.currentData(), round(self.sigma.value(), 3), self.seed.value())

    def set_value(self, values: dict[str, Any]) -> None:
        """Set those of these values that are valid, without an undo step."""
        at = self.kind.findData(values.get("kind"))
        sigma, seed = values.get("sigma"), values.get("seed")
        with QSignalBlocker(self.sigma), QSignalBlocker(self.seed):
            if at >= 0:
                self.kind.setCurrentIndex(at)
            if isinstance(sigma, int | float):
                self.sigma.set_value(min(max(float(sigma), 0.0), SIGMA_MOST))
            if isinstance(seed, int):
                self.seed.setValue(min(max(seed, 0), SEED_MOST))
        self._known = self.value()
        self._show_level()
        self.changed.emit()

    def _on_changed(self) -> None:
        before, self._known = self._known, self.value()
        self._show_level()
        self.changed.emit()
        if self._known != before:
            self._undo.push(ChangeNoiseCommand(self, before, self._known))

    def _on_left(self) -> None:
        """End the present undo step: the next change is another one."""
        self.visit += 1

    def _show_level(self) -> None:
        """Show the level on the 8-bit scale of 255, as papers do."""
        noise = self.value()
        for row in (self.sigma, self._seed_row):
            self._form.setRowVisible(row, noise.is_added)
        self.sigma.label.setText(LEVEL_NAMES.get(noise.kind, "σ"))
        share = noise.kind in LEVEL_NAMES
        self.grays.setText(
            f"{format_fixed(100 * noise.sigma, 1)}% of pixels"
            if share
            else f"σ = {format_fixed(noise.sigma * GRAYS, 1)}/255"
        )


class ChangeNoiseCommand(QUndoCommand):
    """The undo step of a change that was already made; consecutive changes of one field are one step."""

    def __init__(self, picker: NoisePicker, before: Noise, after: Noise) -> None:
        super().__init__("change noise")
        self._picker, self._before, self._after, self._visit = picker, vars(before), vars(after), picker.visit
        self._field = next(name for name in self._after if self._after[name] != self._before[name])
        self._is_done = True

    def id(self) -> int:
        return 2

    def mergeWith(self, other: QUndoCommand) -> bool:
        same = isinstance(other, ChangeNoiseCommand) and other._picker is self._picker and other._visit == self._visit
        if not same or other._field != self._field:  # type: ignore[attr-defined]
            return False
        self._after = other._after  # type: ignore[attr-defined]
        return True

    def redo(self) -> None:
        if not self._is_done:
            self._picker.set_value(self._after)
        self._is_done = False

    def undo(self) -> None:
        self._picker.set_value(self._before)
