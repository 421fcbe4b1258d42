"""Form built from field descriptions, with sections that fold away.

Every change can be undone, and an invalid value gets a message.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent, QUndoCommand, QUndoStack
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from engine.config import FieldSpec
from engine.errors import ConfigError
from gui.field_editors import Editor, choice_title, editor_for
from gui.glossary import find_terms
from gui.widgets.buttons import Button
from gui.widgets.labels import label, set_style_property

Values = dict[str, Any]
Check = Callable[[Values], object]
LABEL_PX = 106


class Collapsible(QWidget):
    """Clickable title with `body` below it while it is open."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.button, self.body = Button(title, "link", "chevron-right"), QWidget()
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_toggled)
        self.body.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.body)

    def open(self) -> None:
        self.button.setChecked(True)

    def is_open(self) -> bool:
        return self.button.isChecked()

    def set_changed(self, count: int) -> None:
        """Show how many settings inside differ from their defaults."""
        self.button.setText(f"{self._title} · {count} changed" if count else self._title)

    def _on_toggled(self, open_: bool) -> None:
        self.button.set_icon("chevron-down" if open_ else "chevron-right")
        self.body.setVisible(open_)


class FieldLabel(QLabel):
    """Name of a setting; a double-click on it restores the default."""

    default_wanted = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.default_wanted.emit()


class FieldRow(QObject):
    """Name, editor and problem message of one setting."""

    def __init__(self, spec: FieldSpec, editor: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.spec, self.editor = spec, editor
        self.label, self.problem = FieldLabel(spec.title.replace("&", "&&"), parent), label(role="danger", wrap=True)
        self.label.setProperty("role", "quiet")
        self.label.setBuddy(editor)
        self.label.setFixedWidth(LABEL_PX)
        self.label.setWordWrap(True)
        for part in (self.label, editor):
            part.setToolTip(tool_tip(spec))
        editor.setAccessibleName(spec.title)
        editor.setAccessibleDescription(spec.help)
        self.show_problem("")

    def add_to_grid(self, grid: QGridLayout) -> None:
        row = grid.rowCount()
        grid.addWidget(self.label, row, 0)
        grid.addWidget(self.editor, row, 1)
        grid.addWidget(self.problem, row + 1, 0, 1, 2)

    def show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.setVisible(bool(text) and not self.editor.isHidden())
        if self.editor.property("invalid") != bool(text):
            set_style_property(self.editor, invalid=bool(text))

    def set_visible(self, visible: bool) -> None:
        self.label.setVisible(visible)
        self.editor.setVisible(visible)
        self.problem.setVisible(visible and bool(self.problem.text()))


class ChangeSettingsCommand(QUndoCommand):
    """Undo step of changed settings; consecutive edits of one field merge into one step."""

    def __init__(self, form: "Form", before: Values, after: Values, text: str) -> None:
        super().__init__(text)
        self._form, self._before, self._after, self._visit = form, before, after, form.edit_session

    def id(self) -> int:
        return 1

    def mergeWith(self, other: QUndoCommand) -> bool:
        same = isinstance(other, ChangeSettingsCommand) and other._form is self._form and other._visit == self._visit
        if not same or other._after.keys() != self._after.keys() or len(self._after) != 1:  # type: ignore[attr-defined]
            return False
        self._after = other._after  # type: ignore[attr-defined]
        return True

    def redo(self) -> None:
        self._form.set_values(self._after)

    def undo(self) -> None:
        self._form.set_values(self._before)


class Form(QWidget):
    """Settings of a section in one column; advanced ones are folded away, each group under its title."""

    changed = Signal()

    def __init__(
        self, specs: Sequence[FieldSpec], undo: QUndoStack, check: Check, custom_editors: Mapping[str, Any] = {}
    ) -> None:
        super().__init__()
        self.edit_session, self.problem = 0, ""
        self._undo, self._check = undo, check
        self.folds = {
            title: Collapsible(title) for title in dict.fromkeys(spec.group for spec in specs if spec.advanced)
        }
        self.rows = {
            spec.name: FieldRow(spec, custom_editors.get(spec.name) or editor_for(spec), self) for spec in specs
        }
        self._known = self.values()
        self._lay_out()
        for row in self.rows.values():
            row.editor.edited.connect(lambda name=row.spec.name: self._on_edited(name))
            row.label.default_wanted.connect(lambda row=row: self.change_values({row.spec.name: row.spec.default}))
            row.editor.installEventFilter(self)
        self.validate()

    def values(self) -> Values:
        """Return the values of the editors; a value that cannot be parsed is its text."""
        return {name: row.editor.value() for name, row in self.rows.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show those of the values that the form has; this is not an undo step."""
        for name in values.keys() & self.rows.keys():
            self.rows[name].editor.set_value(values[name])
        self._known = self.values()
        self.validate()
        self.changed.emit()

    def change_values(self, values: Mapping[str, Any], text: str = "") -> None:
        """Change values as one undo step."""
        before = {name: self._known[name] for name in values if name in self.rows}
        after = {name: values[name] for name in before}
        self.edit_session += 1
        if after != before:
            self._undo.push(ChangeSettingsCommand(self, before, after, text or self.rows[next(iter(after))].spec.title))
        self.edit_session += 1

    def validate(self) -> None:
        """Show the problem of each field; `problem` is the problem of all fields together."""
        alone, self.problem = find_problems(self.values(), self._check)
        for name, row in self.rows.items():
            text = alone.get(name, "").replace(f" ({row.spec.option})", "")
            row.show_problem(text)
            if text and row.spec.advanced:
                self.folds[row.spec.group].open()
        for title, fold in self.folds.items():
            inside = [row for row in self.rows.values() if row.spec.advanced and row.spec.group == title]
            fold.set_changed(sum(row.editor.value() != row.spec.default for row in inside))

    def is_valid(self) -> bool:
        return not self.problem and not any(row.problem.text() for row in self.rows.values())

    def show_only(self, names: Sequence[str]) -> None:
        """Hide all other fields, which have no effect now."""
        for name, row in self.rows.items():
            row.set_visible(name in names)
        shown = {self.rows[name].spec.group for name in names}
        for title, fold in self.folds.items():
            fold.setVisible(title in shown)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """End the current edit session when a field loses focus, so that its edits are one undo step."""
        if event.type() == QEvent.Type.FocusOut:
            self.edit_session += 1
        return super().eventFilter(watched, event)

    def _on_edited(self, name: str) -> None:
        before, after = {name: self._known[name]}, {name: self.rows[name].editor.value()}
        if before != after:
            self._undo.push(ChangeSettingsCommand(self, before, after, self.rows[name].spec.title))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        grids = {"": _grid()} | {title: _grid() for title in self.folds}
        for row in self.rows.values():
            row.add_to_grid(grids[row.spec.group])
        column.setSpacing(4)
        column.addLayout(grids[""])
        for title, fold in self.folds.items():
            fold.body.setLayout(grids[title])
            column.addWidget(fold)


def find_problems(values: Values, check: Check) -> tuple[dict[str, str], str]:
    """Return the problem of each field that is invalid by itself, and the problem of the fields together.

    A field is at fault if the check of it alone gives a sentence that is part of the check of all.
    """
    said = _find_problem(values, check)
    alone = {name: _find_problem({name: value}, check) for name, value in values.items()} if said else {}
    by_field = {name: text for name, text in alone.items() if text and text in said}
    return by_field, "" if by_field else said


def _find_problem(values: Values, check: Check) -> str:
    try:
        check(values)
    except ConfigError as error:
        return str(error)
    return ""


def tool_tip(spec: FieldSpec) -> str:
    """Return the help of a setting with its range and default."""
    unit = f" {spec.unit}" if spec.unit else ""
    parts = [spec.help]
    if spec.range_text:
        parts.append(f"{spec.range_text.capitalize()}{unit}.")
    default = choice_title(str(spec.default), spec.name) if spec.choices else _written(spec)
    parts.append(f"Default: {default}; double-click the name to restore it.")
    terms = find_terms(f"{spec.title}. {spec.help}")
    return " ".join([*parts, f"Shift+F1 explains: {', '.join(terms)}."] if terms else parts)


def _written(spec: FieldSpec) -> str:
    if isinstance(spec.default, tuple):
        return ", ".join(map(str, spec.default))
    return f"{spec.default:g}" if isinstance(spec.default, float) else str(spec.default)


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(8)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    return grid


__all__ = ["ChangeSettingsCommand", "Editor", "FieldRow", "Form", "find_problems", "tool_tip"]
