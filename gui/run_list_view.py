"""The list of runs as every panel shows it: filter, groups, eyes, actions, and the settings in which runs differ."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QInputDialog,
    QMenu,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from engine import config as settings
from engine.errors import RunError
from engine.messages import RequestFailed
from gui.formatting import format_number
from gui.run_listing import COLUMNS, DELTA, EPOCH, LOSS
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.labels import elide_middle, label
from gui.widgets.run_list.widget import ListMode, RunList, RunTree
from gui.widgets.text_table import TextTable
from gui.widgets.timers import make_timer

WIDTH_PX, HEIGHT_PX, MOST_LETTERS = 620, 420, 28
SAME = "These runs have the same settings."
ABSENT = "—"


class SettingsDiff(QDialog):
    """Table of settings, one column for each run; it shows those that differ, or all."""

    def __init__(self, records: Sequence[RunRecord], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare settings")
        self._records = [record for record in records if record.config is not None]
        self.table, self.all = TextTable(), QCheckBox("Show settings that are equal too")
        self._same = label(SAME, role="quiet")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        for part in (self._same, self.table, self.all, buttons):
            column.addWidget(part)
        self.table.setAccessibleName("settings of the runs")
        self.all.toggled.connect(self._show)
        self.resize(WIDTH_PX, HEIGHT_PX)
        self._show()

    def _show(self) -> None:
        rows = compare_settings(self._records, self.all.isChecked())
        names = [elide_middle(record.name, MOST_LETTERS) for record in self._records]
        self.table.show_rows(["Setting", *names], rows, left=1)
        self._same.setVisible(not rows)


def compare_settings(records: Sequence[RunRecord], with_equal: bool = False) -> list[list[str]]:
    """Return title and values of the settings in which runs differ, or of all settings."""
    flat = [settings.to_flat(record.config) for record in records if record.config]
    names = dict.fromkeys(name for values in flat for name in values)
    titles = {
        spec.name: spec.title
        for model in settings.MODELS
        for part in settings.sections(model).values()
        for spec in settings.list_fields(part)
    }
    rows = [(name, [values.get(name) for values in flat]) for name in names]
    return [
        [titles.get(name, name.capitalize()), *map(_format_value, values)]
        for name, values in rows
        if with_equal or any(value != values[0] for value in values)
    ]


def _format_value(value: Any) -> str:
    if value is None or value == "":
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return format_number(value) if isinstance(value, int | float) else str(value)


MOST_EPOCHS, SOON_MS = 10_000, 60
SHOWN = (LOSS, EPOCH)


class RunListView(RunList):
    """View of the session's runs that follows them while it is visible.

    compare_wanted carries names of runs, settings_wanted the name of the run whose settings a new run is to have.

    Args:
        session: the session.
        mode: what the list is for.
        columns: the columns that it shows beside the names; the menu of its header has the others.
    """

    compare_wanted = Signal(list)
    settings_wanted = Signal(str)

    def __init__(self, session: Session, mode: ListMode = ListMode.SELECT, columns: Sequence[int] = SHOWN) -> None:
        super().__init__(RunTree(session.run_list, mode))
        self._session, self._runs, self._listing = session, session.runs, session.run_list
        self.ask_text: Callable[..., Any] = QInputDialog.getText
        self.ask_number: Callable[..., Any] = QInputDialog.getInt
        self.confirm = confirm
        self.tree.setAccessibleName("runs")
        for place in range(1, len(COLUMNS)):
            self.tree.setColumnHidden(place, place not in columns)
        self.tree.customContextMenuRequested.connect(self._on_menu_wanted)
        for name, keys in ((self.rename, "F2"), (self.delete, "Del")):
            action = QAction(self.tree)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, do=name: [do(run) for run in self.tree.chosen_keys()[:1]])
            self.tree.addAction(action)
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self._listing.refresh)
        for changed in (session.runs_changed, session.run_changed):
            changed.connect(self._wake)
        self._listing.baseline_changed.connect(self._show_delta)
        self._show_delta()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._listing.refresh()

    def _wake(self, *_: object) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _show_delta(self) -> None:
        """Show the change against the baseline in the place of the epochs: there is room for one of the two."""
        if not self.tree.isColumnHidden(EPOCH) or not self.tree.isColumnHidden(DELTA):
            self.tree.setColumnHidden(DELTA, not self._listing.baseline)
            self.tree.setColumnHidden(EPOCH, bool(self._listing.baseline))

    def menu(self, name: str) -> QMenu:
        """Return the menu of the actions that apply to a run now."""
        menu, record = QMenu(self), self._runs.records[name]
        resume = menu.addAction("Resume", lambda: self._session.resume(name))
        resume.setEnabled(record.can_resume and not self._session.job.is_busy())
        longer = menu.addAction("Extend…", lambda: self.train_longer(name))
        idle = not self._session.job.is_busy()
        longer.setEnabled(idle and record.state == "finished" and record.has_checkpoint)
        marked = self.tree.marked_keys()
        chosen = marked if name in marked else [name]
        menu.addAction("Compare images", lambda: self.compare_wanted.emit(chosen)).setEnabled(bool(record.epochs))
        menu.addAction("Use these settings", lambda: self.settings_wanted.emit(name)).setEnabled(not record.damage)
        several = [self._runs.records[each] for each in chosen if each in self._runs.records]
        menu.addAction("Compare settings…", lambda: self.compare_settings(several)).setEnabled(len(several) > 1)
        menu.addSeparator()
        pinned = name == self._listing.baseline
        pin = menu.addAction("Unpin baseline" if pinned else "Pin as baseline")
        pin.triggered.connect(lambda: self._listing.set_baseline("" if pinned else name))
        menu.addAction("Note…", lambda: self.edit_note(name))
        menu.addAction("Tags…", lambda: self.edit_tags(name))
        menu.addSeparator()
        menu.addAction("Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(record.run.path))))
        menu.addAction("Rename…", lambda: self.rename(name)).setEnabled(not record.busy)
        menu.addAction("Delete…", lambda: self.delete(name)).setEnabled(not record.busy)
        return menu

    def compare_settings(self, records: Sequence[RunRecord]) -> None:
        """Show in which settings these runs differ."""
        sheet = SettingsDiff(records, self._dialog_parent())
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    def edit_note(self, name: str) -> None:
        notes = self._runs.records[name].notes
        note, agreed = self.ask_text(self._dialog_parent(), "Note", f"Note on {name}:", text=notes.note)
        if agreed:
            self._guarded(lambda: self._runs.annotate(name, note.strip(), notes.tags))
            self._listing.refresh()

    def edit_tags(self, name: str) -> None:
        """Ask for the tags of the chosen runs, or of this one."""
        chosen = self.tree.marked_keys()
        names, records = chosen if name in chosen else [name], self._runs.records
        text, agreed = self.ask_text(
            self._dialog_parent(), "Tags", "Tags, separated by commas:", text=", ".join(records[name].notes.tags)
        )
        tags = tuple(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))
        for each in names if agreed else ():
            self._guarded(lambda each=each: self._runs.annotate(each, records[each].notes.note, tags))  # type: ignore[misc]
        self._listing.refresh()

    def train_longer(self, name: str) -> None:
        """Ask for a new target and extend the run to it."""
        record = self._runs.records[name]
        text = f"Train {name} to a total of how many epochs? ({record.last_epoch} done)"
        goal, agreed = self.ask_number(
            self._dialog_parent(), "Extend run", text, record.target_epochs * 2, record.last_epoch + 1, MOST_EPOCHS
        )
        if agreed:
            self._session.resume(name, goal)

    def rename(self, name: str) -> None:
        new, agreed = self.ask_text(self._dialog_parent(), "Rename run", f"New name for {name}:", text=name)
        if agreed and new.strip() != name:
            self._guarded(lambda: self._runs.rename(name, new.strip()))

    def delete(self, name: str) -> None:
        """Move a run to the trash after a confirmation; without a trash, confirm again and delete permanently."""
        if not self.confirm(self._dialog_parent(), f"Move {name} and its model to the trash?", "Move to trash"):
            return
        moved = self._guarded(lambda: self._runs.delete(name))
        question = f"{name} cannot be moved to the trash. Delete it permanently? This cannot be undone."
        if moved is False and self.confirm(self._dialog_parent(), question, "Delete permanently"):
            self._guarded(lambda: self._runs.delete(name, for_good=True))

    def _on_menu_wanted(self, at: QPoint) -> None:
        # The menu key has no position.
        name = self.tree.key_at(at) or (None if self.tree.indexAt(at).isValid() else self._first_chosen())
        if name is not None:
            menu = self.menu(name)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.tree.viewport().mapToGlobal(at))

    def _first_chosen(self) -> str | None:
        return next(iter(self.tree.chosen_keys()), None)

    def _dialog_parent(self) -> QWidget:
        """Return the parent of a dialog; close the popup that the list is in, which would lie above the dialog."""
        window = self.window()
        if window.windowType() != Qt.WindowType.Popup:
            return self
        window.hide()
        owner = window.parentWidget()
        return owner.window() if owner else self

    def _guarded(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except RunError as error:
            self._session.job_failed.emit(RequestFailed(reason=error.what, advice=error.advice))
            return None


def confirm(parent: QWidget, question: str, yes: str) -> bool:
    """Ask for confirmation before something is lost; return whether the user confirms."""
    box = QMessageBox(QMessageBox.Icon.Question, "Delete run", question, parent=parent)
    agree = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    agreed = box.clickedButton() is agree
    box.deleteLater()
    return agreed
