"""The editor of a search space: settings are added, typed, made conditional, removed; every change can be undone."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.config import RunConfig
from gui.panels.search.dimension_row import DimensionRow, ShortComboBox
from gui.panels.search.space_draft import DimensionDraft, Drafts, addable, default_draft, problems, title
from gui.widgets.labels import label

ADD = "Add a setting…"


class ChangeSpaceCommand(QUndoCommand):
    """The undo step of a change of the space; consecutive edits of one field are one step."""

    def __init__(self, editor: "SpaceEditor", after: Drafts, text: str, field: str = "") -> None:
        super().__init__(text)
        self._editor, self._before, self._after = editor, editor.drafts, after
        self._visit = (editor.visit, field) if field else None
        self._owner = editor.owner

    def id(self) -> int:
        return 2

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, ChangeSpaceCommand) or self._visit is None or other._visit != self._visit:
            return False
        self._after = other._after
        return True

    def redo(self) -> None:
        self._show(self._after)

    def undo(self) -> None:
        self._show(self._before)

    def _show(self, drafts: Drafts) -> None:
        """Show the drafts, unless the editor shows the space of another search by now."""
        if self._editor.owner == self._owner:
            self._editor.set_drafts(drafts)
        else:
            self.setObsolete(True)


class SpaceEditor(QWidget):
    """A list of rows, one for each setting that varies, and a menu of those that could."""

    changed = Signal()

    def __init__(self, undo: QUndoStack, base: Callable[[], RunConfig]) -> None:
        super().__init__()
        self.drafts: Drafts = ()
        self.problem, self.visit, self.owner = "", 0, ""
        self.rows: dict[str, DimensionRow] = {}
        self.add = ShortComboBox()
        self.add.setAccessibleName("Add a setting to the search space")
        self.trouble = label(role="danger", wrap=True)
        self._undo, self._base = undo, base
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(self._column)
        column.addWidget(self.add)
        column.addWidget(self.trouble)
        self.add.activated.connect(lambda: self._on_added(self.add.currentData()))
        self.set_drafts(())

    def set_drafts(self, drafts: Drafts) -> None:
        """Show this space, without an undo step."""
        self.drafts = drafts
        if list(self.rows) != [draft.name for draft in drafts]:
            self._build()
        self.validate()
        self.changed.emit()

    def change_drafts(self, drafts: Drafts, text: str, field: str = "") -> None:
        """Change the space as one undo step."""
        if drafts != self.drafts:
            self._undo.push(ChangeSpaceCommand(self, drafts, text, field))

    def validate(self) -> None:
        """Show the error of each setting, and offer the settings that can be added."""
        alone, self.problem = problems(self.drafts, self._base())
        for draft in self.drafts:
            row = self.rows[draft.name]
            row.show_draft(draft, [other for other in self.drafts if other.name != draft.name])
            row.show_problem(alone.get(draft.name, ""))
        self.trouble.setText(self.problem)
        self.trouble.setVisible(bool(self.problem))
        self._update_choices()

    def is_valid(self) -> bool:
        return not self.problem and not any(row.problem.text() for row in self.rows.values())

    def _update_choices(self) -> None:
        self.add.clear()
        self.add.addItem(ADD)
        models = [each.text.replace(" ", "").split(",") for each in self.drafts if each.name == "model"]
        taken = [draft.name for draft in self.drafts]
        for spec in addable(self._base(), taken, [name for names in models for name in names if name]):
            self.add.addItem(spec.title, spec.name)

    def _build(self) -> None:
        for row in self.rows.values():
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = {}
        for draft in self.drafts:
            row = self.rows[draft.name] = DimensionRow(draft)
            row.edited.connect(self._on_edited)
            row.removed.connect(self._on_removed)
            row.editing_finished.connect(self._on_left)
            self._column.addWidget(row)

    def _on_left(self) -> None:
        """End the present undo step when a field loses the focus."""
        self.visit += 1

    def _on_edited(self, draft: DimensionDraft) -> None:
        before = next(each for each in self.drafts if each.name == draft.name)
        field = next(
            (name for name in ("text", "low", "high", "wanted") if getattr(before, name) != getattr(draft, name)), ""
        )
        drafts = tuple(draft if each.name == draft.name else each for each in self.drafts)
        self.change_drafts(drafts, title(draft.name), f"{draft.name} {field}" if field else "")

    def _on_added(self, name: str | None) -> None:
        if name is None:
            return
        self.change_drafts((*self.drafts, default_draft(name, self._base())), f"vary {title(name)}")
        row = self.rows[name]
        row.text.setFocus()
        row.text.selectAll()

    def _on_removed(self, name: str) -> None:
        left = tuple(
            replace(each, when="", wanted="", also=()) if each.when == name else each
            for each in self.drafts
            if each.name != name
        )
        self.change_drafts(left, f"vary {title(name)}")
