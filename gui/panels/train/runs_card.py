"""List of runs: the choice of those to show, and the actions on each."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QInputDialog, QMenu, QMessageBox, QWidget

from engine.errors import RunError
from engine.messages import RequestFailed
from gui.formatting import DASH, format_duration, format_fixed, format_number, format_parameters
from gui.panels.train.settings_diff import SettingsDiff
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn
from gui.widgets.run_list.model import RunRow, rank
from gui.widgets.run_list.widget import RunList, RunTree

MOST_EPOCHS = 10_000
LOUD_STATES = ("stopped", "failed", "interrupted", "damaged")
# A word would push the name out of the narrow column; the tool tip and the filter have it.
STATE_MARKS = {"running": " ▶", "paused": " ‖", "stopped": " ■", "failed": " ✕", "interrupted": " !", "damaged": " ⚠"}
LOSS_DIGITS = 4
PIN, NOTE = "⚑ ", "  ✎"
EMPTY = "No runs yet. Press 'Start training'; runs are listed here."


class RunsCard(Card):
    """List of the runs, the trials of a search below its name; it says which are chosen and which are shown."""

    chosen = Signal(list)
    compare_wanted = Signal(list)
    settings_wanted = Signal(str)
    state_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Runs")
        self._session = session
        self.ask_text: Callable[..., Any] = QInputDialog.getText
        self.ask_number: Callable[..., Any] = QInputDialog.getInt
        self.confirm = confirm
        self.baseline = ""
        self.table = RunTree(COLUMNS, group_row)
        self.list = RunList(self.table)
        self.table.setAccessibleName("runs")
        for place in range(FIRST_EXTRA, len(COLUMNS)):
            self.table.setColumnHidden(place, True)
        self._empty = label(EMPTY, role="quiet", wrap=True)
        self.add(self._empty)
        self.add(self.list, 1)
        self.table.chosen.connect(self.chosen)
        self.list.state_changed.connect(self.state_changed)
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
        baseline = self._session.record(self.baseline)
        newest_first = sorted(reversed(records), key=lambda record: record is not baseline)
        self.table.set_rows([make_row(record, baseline) for record in newest_first])
        self.set_subtitle(str(len(records)) if records else "")
        self._empty.setVisible(not records)
        self.list.setVisible(bool(records))

    def set_baseline(self, name: str) -> None:
        """Pin a run at the top, always shown, and measure the others against it; an empty name ends this."""
        self.baseline = name
        self.table.setColumnHidden(DELTA, not name)
        # The narrow list has room for one of the two.
        self.table.setColumnHidden(EPOCH, bool(name))
        self.refresh()
        self.table.eyes_changed.emit()

    def shown(self) -> list[str]:
        """Return the names of the runs whose curves are shown, the baseline among them."""
        names = self.table.shown_keys()
        pinned = [self.baseline] if self.baseline in self._session.runs.records else []
        return names + [name for name in pinned if name not in names]

    def menu(self, name: str) -> QMenu:
        """Return the menu of the actions that apply to a run now."""
        menu, record = QMenu(self), self._session.runs.records[name]
        resume = menu.addAction("Resume", lambda: self._session.resume(name))
        resume.setEnabled(record.can_resume and not self._session.job.is_busy())
        longer = menu.addAction("Extend…", lambda: self.train_longer(name))
        idle = not self._session.job.is_busy()
        longer.setEnabled(idle and record.state == "finished" and record.has_checkpoint)
        chosen = self.table.chosen_keys() or [name]
        menu.addAction("Compare images", lambda: self.compare_wanted.emit(chosen)).setEnabled(bool(record.epochs))
        menu.addAction("Use these settings", lambda: self.settings_wanted.emit(name)).setEnabled(not record.damage)
        several = [self._session.runs.records[each] for each in chosen if each in self._session.runs.records]
        menu.addAction("Compare settings…", lambda: self.compare_settings(several)).setEnabled(len(several) > 1)
        menu.addSeparator()
        pinned = name == self.baseline
        menu.addAction(
            "Unpin baseline" if pinned else "Pin as baseline", lambda: self.set_baseline("" if pinned else name)
        )
        menu.addAction("Note…", lambda: self.edit_note(name))
        menu.addAction("Tags…", lambda: self.edit_tags(name))
        menu.addSeparator()
        menu.addAction("Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(record.run.path))))
        menu.addAction("Rename…", lambda: self.rename(name)).setEnabled(not record.busy)
        menu.addAction("Delete…", lambda: self.delete(name)).setEnabled(not record.busy)
        return menu

    def compare_settings(self, records: Sequence[RunRecord]) -> None:
        """Show in which settings these runs differ."""
        sheet = SettingsDiff(records, self)
        sheet.finished.connect(sheet.deleteLater)
        sheet.open()

    def edit_note(self, name: str) -> None:
        notes = self._session.runs.records[name].notes
        note, agreed = self.ask_text(self, "Note", f"Note on {name}:", text=notes.note)
        if agreed:
            self._guarded(lambda: self._session.runs.annotate(name, note.strip(), notes.tags))
            self.refresh()

    def edit_tags(self, name: str) -> None:
        """Ask for the tags of the chosen runs, or of this one."""
        chosen = self.table.chosen_keys()
        names, records = chosen if name in chosen else [name], self._session.runs.records
        text, agreed = self.ask_text(
            self, "Tags", "Tags, separated by commas:", text=", ".join(records[name].notes.tags)
        )
        tags = tuple(dict.fromkeys(tag.strip() for tag in text.split(",") if tag.strip()))
        for each in names if agreed else ():
            self._guarded(lambda each=each: self._session.runs.annotate(each, records[each].notes.note, tags))  # type: ignore[misc]
        self.refresh()

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
        name = self.table.key_at(at) or (None if self.table.indexAt(at).isValid() else self._first_chosen())
        if name is not None:
            menu = self.menu(name)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.table.viewport().mapToGlobal(at))

    def _first_chosen(self) -> str | None:
        return next(iter(self.table.chosen_keys()), None)

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


def make_row(record: RunRecord, baseline: RunRecord | None = None) -> RunRow:
    """Return the row of a run in the list."""
    state, config, notes = record.state, record.config, record.notes
    is_pinned = baseline is record
    done = str(record.last_epoch) if state == "finished" else f"{record.last_epoch}/{record.target_epochs}"
    roles = {0: "danger"} if state in LOUD_STATES else {0: "accent"} if state == "running" else {}
    started = record.started
    extras = (
        f"{datetime.fromtimestamp(started.time):%Y-%m-%d %H:%M}" if started else "",
        record.training_s,
        config.model.model if config else "",
        float(config.model.latent) if config and hasattr(config.model, "latent") else math.nan,
        config.training.learning_rate if config else math.nan,
        float(started.parameters) if started else math.nan,
        ", ".join(notes.tags),
    )
    marks = (
        (PIN if is_pinned else "")
        + record.name
        + STATE_MARKS.get(state, "")
        + "".join(f"  #{tag}" for tag in notes.tags)
        + NOTE * bool(notes.note)
    )
    values = (marks, best_loss(record), done, _delta(record, baseline), *extras)
    words = " ".join(map(str, (state, extras[2], *notes.tags, notes.note)))
    return RunRow(
        record.name,
        values,
        record.name,
        roles,
        _tip(record),
        group=record.search,
        words=words,
        is_pinned=is_pinned,
    )


def group_row(search: str, rows: list[RunRow]) -> RunRow:
    """Return the row of a search: the best loss of its trials."""
    best = min(rows, key=lambda row: rank(row.values[1]))
    title = f"{search} · {len(rows)} trials"
    tip = f"{title}\nClick to show or hide the trials. The loss is that of the best one, {best.key}."
    return RunRow(f"search {search}", (title, best.values[1], "", *best.values[3:]), "", {0: "quiet"}, tip)


def best_loss(record: RunRecord) -> tuple[str, float]:
    """Return the unit and the value of the best validation loss, not a number before there is one."""
    unit = (record.config.model.loss_unit if record.config else "") or "MSE"
    return unit, record.best.metrics["val_loss"] if record.best else math.nan


def _delta(record: RunRecord, baseline: RunRecord | None) -> float:
    """Return the change of the best loss against the baseline, %; not a number if their units differ."""
    if baseline is None or baseline is record:
        return math.nan
    (unit, loss), (other, base) = best_loss(record), best_loss(baseline)
    return 100 * (loss - base) / base if unit == other and base else math.nan


def _format_loss(loss: tuple[str, float]) -> str:
    return DASH if math.isnan(loss[1]) else f"{format_number(loss[1], LOSS_DIGITS)} {loss[0]}"


def _format_delta(percent: float) -> str:
    return "" if math.isnan(percent) else f"{'+' if percent > 0 else ''}{format_fixed(percent, 1)}%"


COLUMNS = (
    TableColumn("Run", str, False),
    TableColumn("Val. loss", _format_loss),
    TableColumn("Epoch", str),
    TableColumn("Δ", _format_delta),
    TableColumn("Started", str, False),
    TableColumn("Training time", lambda seconds: format_duration(seconds) if seconds else DASH),
    TableColumn("Model", str, False),
    TableColumn("Latent size", format_number),
    TableColumn("Learning rate", format_number),
    TableColumn("Parameters", lambda count: DASH if math.isnan(count) else format_parameters(int(count))),
    TableColumn("Tags", str, False),
)
EPOCH, DELTA = 2, 3
FIRST_EXTRA = DELTA


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
    parts += [f"trained on {record.config.data.source}"]
    parts += [f"tags: {', '.join(record.notes.tags)}"] if record.notes.tags else []
    return "\n".join([*parts, *filter(None, [record.notes.note])])
