"""One setting that varies: its values as a list or a range, and the condition under which it matters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from gui.form import tool_tip
from gui.panels.search.space_draft import KINDS, DimensionDraft, specs, title
from gui.widgets.buttons import IconButton
from gui.widgets.combo_boxes import ElidedComboBox
from gui.widgets.labels import ElidedLabel, label, set_style_property

HINTS = {"ints": "32, 64; 32, 64, 128", "bool": "yes, no"}
UNDO_KEYS = (Qt.Key.Key_Z, Qt.Key.Key_Y)


class LineEdit(QLineEdit):
    """A line edit that leaves undo and redo to the window."""

    editing_finished = Signal()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_undo(event):
            return False
        return super().event(event)

    def focusOutEvent(self, event: Any) -> None:
        super().focusOutEvent(event)
        self.editing_finished.emit()


class ShortComboBox(ElidedComboBox):
    """A combo box that is narrower than its longest entry where room is scarce."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)


class DimensionRow(QWidget):
    """The editor row of one draft; each edit is sent as a new draft."""

    edited = Signal(object)
    removed = Signal(str)
    editing_finished = Signal()

    def __init__(self, draft: DimensionDraft) -> None:
        super().__init__()
        self.draft = draft
        self.name, self.kind = ElidedLabel(title(draft.name)), ShortComboBox()
        self.text, self.low, self.high = LineEdit(), LineEdit(), LineEdit()
        self.when, self.wanted = ShortComboBox(), LineEdit()
        self.problem = label(role="danger", wrap=True)
        self.condition = IconButton("link", f"Make {title(draft.name)} depend on another setting", checkable=True)
        self.remove = IconButton("close", f"Do not vary {title(draft.name)}")
        self._fill()
        self._lay_out()
        self._connect()

    def _fill(self) -> None:
        spec, named = specs()[self.draft.name], title(self.draft.name)
        numeric = spec.kind in ("int", "float")
        for kind, text in KINDS.items():
            if kind == "list" or numeric:
                self.kind.addItem(text, kind)
        self.name.setToolTip(tool_tip(spec))
        self.text.setPlaceholderText(", ".join(spec.choices) or HINTS.get(spec.kind, "values, separated by commas"))
        self.low.setPlaceholderText("minimum")
        self.high.setPlaceholderText("maximum")
        self.wanted.setPlaceholderText("values")
        for part, said in (
            (self.kind, f"{named}: list or range"),
            (self.text, f"{named}: values"),
            (self.low, f"{named}: minimum"),
            (self.high, f"{named}: maximum"),
            (self.when, f"{named} applies only if"),
            (self.wanted, f"{named} applies only for these values"),
        ):
            part.setAccessibleName(said)
            part.setToolTip(tool_tip(spec) if part in (self.text, self.low, self.high) else said)

    def _lay_out(self) -> None:
        ends, condition, head = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        head.setSpacing(0)
        ends.setSpacing(6)
        condition.setSpacing(6)
        head.addWidget(self.name, 1)
        head.addStretch()
        for button in (self.condition, self.remove):
            head.addWidget(button)
        to, only, equal = (label(text, role="quiet") for text in ("to", "only if", "is"))
        self._ends: tuple[QWidget, ...] = (self.low, to, self.high)
        self._condition: tuple[QWidget, ...] = (only, self.when, equal, self.wanted)
        for end in self._ends:
            ends.addWidget(end)
        for part, stretch in zip(self._condition, (0, 3, 0, 2), strict=True):
            condition.addWidget(part, stretch)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 4)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        grid.addLayout(head, 0, 0, 1, 2)
        self.kind.setFixedWidth(104)
        grid.addWidget(self.kind, 1, 0)
        grid.addWidget(self.text, 1, 1)
        grid.addLayout(ends, 1, 1)
        grid.addLayout(condition, 2, 0, 1, 2)
        grid.addWidget(self.problem, 3, 0, 1, 2)

    def _connect(self) -> None:
        for line, field in (
            (self.text, "text"),
            (self.low, "low"),
            (self.high, "high"),
            (self.wanted, "wanted"),
        ):
            line.textEdited.connect(lambda text, field=field: self._edit(**{field: text}))
            line.editing_finished.connect(self.editing_finished)
        self.kind.activated.connect(lambda: self._edit(kind=self.kind.currentData()))
        self.when.activated.connect(lambda: self._edit(when=self.when.currentData()))
        self.condition.clicked.connect(self._on_condition_clicked)
        self.remove.clicked.connect(lambda: self.removed.emit(self.draft.name))

    def show_draft(self, draft: DimensionDraft, others: Sequence[DimensionDraft]) -> None:
        """Show a draft; its condition may name any of the other settings that have a list."""
        self.draft = draft
        with QSignalBlocker(self.kind), QSignalBlocker(self.when):
            self.kind.setCurrentIndex(max(self.kind.findData(draft.kind), 0))
            self.when.clear()
            for other in others:
                if other.kind == "list":
                    self.when.addItem(title(other.name), other.name)
            if draft.when and self.when.findData(draft.when) < 0:
                self.when.addItem(title(draft.when), draft.when)
            self.when.setCurrentIndex(self.when.findData(draft.when))
        for line, text in (
            (self.text, draft.text),
            (self.low, draft.low),
            (self.high, draft.high),
            (self.wanted, draft.wanted),
        ):
            if line.text() != text:
                line.setText(text)
        ranged, conditional = draft.kind != "list", bool(draft.when)
        self.text.setVisible(not ranged)
        for part in self._ends:
            part.setVisible(ranged)
        for part in self._condition:
            part.setVisible(conditional)
        self.condition.setChecked(conditional)
        self.condition.setEnabled(conditional or self.when.count() > 0)

    def show_problem(self, text: str) -> None:
        """Show the error of this setting."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        for line in (self.text, self.low, self.high):
            if line.property("invalid") != bool(text):
                set_style_property(line, invalid=bool(text))

    def _edit(self, **changes: Any) -> None:
        self.edited.emit(replace(self.draft, **changes))

    def _on_condition_clicked(self) -> None:
        first = self.when.itemData(0) or ""
        self._edit(when="" if self.draft.when else first, wanted="")


def _is_undo(event: QKeyEvent) -> bool:
    return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier) and event.key() in UNDO_KEYS
