"""List of runs: the choice of those to show, and the actions on each."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QInputDialog, QMenu, QMessageBox, QWidget

from engine.errors import RunError
from engine.messages import RequestFailed
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable

MOST_EPOCHS = 10_000
QUIET_STATES = ("finished", "running")
LOUD_STATES = ("stopped", "failed", "interrupted", "damaged")
EMPTY = "No runs yet. Press 'Start training'; runs are listed here."


class RunsCard(Card):
    """Name, best validation loss, epochs; several chosen runs are shown together."""

    chosen = Signal(list)
    compare_wanted = Signal(list)
    settings_wanted = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__("Runs")
        self._session = session
        self.ask_text: Callable[..., Any] = QInputDialog.getText
        self.ask_number: Callable[..., Any] = QInputDialog.getInt
        self.confirm = confirm
        self.table = NumberTable(
            (TableColumn("Run", str, False), TableColumn("Best val. loss"), TableColumn("Epoch", str))
        )
        self.table.setAccessibleName("runs")
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._empty = label(EMPTY, role="quiet", wrap=True)
        self.add(self._empty)
        self.add(self.table, 1)
        self.table.chosen.connect(self.chosen)
        self.table.customContextMenuRequested.connect(self._on_menu_wanted)
        for name, keys in ((self.rename, "F2"), (self.delete, "Del")):
            action = QAction(self.table)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(lambda _=False, do=name: [do(run) for run in self.table.chosen_keys()[:1]])
            self.table.addAction(action)
        self.refresh()

    def refresh(self) -> None:
        records = list(self._session.runs.records.values())
        self.table.set_rows([_row(record) for record in reversed(records)])
        self.set_subtitle(str(len(records)) if records else "")
        self._empty.setVisible(not records)
        self.table.setVisible(bool(records))

    def menu(self, name: str) -> QMenu:
        """Return the menu of the actions that apply to a run now."""
        menu, record = QMenu(self), self._session.runs.records[name]
        resume = menu.addAction("Resume", lambda: self._session.resume(name))
        resume.setEnabled(record.can_resume and not self._session.job.is_busy())
        longer = menu.addAction("Extend…", lambda: self.train_longer(name))
        idle = not self._session.job.is_busy()
        longer.setEnabled(idle and record.state == "finished" and record.has_checkpoint)
        chosen = self.table.chosen_keys() or [name]
        menu.addAction("Compare", lambda: self.compare_wanted.emit(chosen)).setEnabled(bool(record.epochs))
        menu.addAction("Use these settings", lambda: self.settings_wanted.emit(name)).setEnabled(not record.damage)
        menu.addSeparator()
        menu.addAction("Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(record.run.path))))
        menu.addAction("Rename…", lambda: self.rename(name)).setEnabled(not record.busy)
        menu.addAction("Delete…", lambda: self.delete(name)).setEnabled(not record.busy)
        return menu

    def train_longer(self, name: str) -> None:
        """Ask for a new target and extend the run to it."""
        record = self._session.runs.records[name]
        text = f"Train {name} to a total of how many epochs? ({record.last_epoch} done)"
        goal, agreed = self.ask_number(
            self, "Extend run", text, record.target_epochs * 2, record.last_epoch + 1, MOST_EPOCHS
        )
        if agreed:
            self._session.resume(name, goal)

    def rename(self, name: str) -> None:
        new, agreed = self.ask_text(self, "Rename run", f"New name for {name}:", text=name)
        if agreed and new.strip() != name:
            self._guarded(lambda: self._session.runs.rename(name, new.strip()))

    def delete(self, name: str) -> None:
        """Move a run to the trash after a confirmation; without a trash, confirm again and delete permanently."""
        if not self.confirm(self, f"Move {name} and its model to the trash?", "Move to trash"):
            return
        moved = self._guarded(lambda: self._session.runs.delete(name))
        question = f"{name} cannot be moved to the trash. Delete it permanently? This cannot be undone."
        if moved is False and self.confirm(self, question, "Delete permanently"):
            self._guarded(lambda: self._session.runs.delete(name, for_good=True))

    def _on_menu_wanted(self, at: QPoint) -> None:
        # The menu key has no position.
        name = self.table.key_at(at) or next(iter(self.table.chosen_keys()), None)
        if name is not None:
            menu = self.menu(name)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.table.viewport().mapToGlobal(at))

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


def _row(record: RunRecord) -> TableRow:
    best, state = record.best, record.state
    name = record.name if state in QUIET_STATES else f"{record.name} {state}"
    done = str(record.last_epoch) if state == "finished" else f"{record.last_epoch}/{record.target_epochs}"
    roles = {0: "danger"} if state in LOUD_STATES else {0: "accent"} if state == "running" else {}
    value = best.metrics["val_loss"] if best else float("nan")
    return TableRow(record.name, (name, value, done), record.name, roles, _tip(record))


def _tip(record: RunRecord) -> str:
    if record.damage or record.config is None:
        return record.damage
    unit = f"{record.config.model.loss_unit} per image" if record.config.model.loss_unit else ""
    best = record.best
    parts = [f"{record.name}: {record.state}, {record.last_epoch} of {record.target_epochs} epochs"]
    if best:
        parts.append(
            f"best validation loss {best.metrics['val_loss']:,.6g} {unit} in epoch {best.epoch}".replace("  ", " ")
        )
    return "\n".join([*parts, f"trained on {record.config.data.source}"])
