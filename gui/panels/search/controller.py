"""The selected search, kept current from its ledger, and the user's actions on it and its trials."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog, QWidget

from engine import runs
from engine.errors import EngramError
from engine.messages import Event, Log, RequestFailed, Search, SearchEnded
from engine.search.commands import (
    AddTrial,
    ChangeTrialCount,
    ContinueSearch,
    PauseSearch,
    QueuedCommand,
    ReplaceSpace,
    StopSearch,
)
from gui.panel import AppContext
from gui.panels.search.manual_trial_dialog import ManualTrialDialog
from gui.panels.search.snapshot import SearchSnapshot, files, load_snapshot, names
from gui.run_repository import Stamp, stamp
from gui.session import Session
from gui.widgets.timers import make_timer

LOOK_MS, SOON_MS = 1500, 250


class SearchMonitor(QObject):
    """A monitor that reads a ledger when it has changed; changed reports a new snapshot or another job state."""

    changed = Signal()
    said = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.found: SearchSnapshot | None = None
        self.name = ""
        self._session = session
        self._stamp: Stamp | None = None
        self._timer, self._soon = make_timer(self, LOOK_MS, single_shot=False), make_timer(self, SOON_MS)
        self._timer.timeout.connect(self.poll)
        self._soon.timeout.connect(self.poll)
        session.search_event.connect(self._on_search_event)
        session.job_changed.connect(self.changed)

    def set_active(self, awake: bool) -> None:
        """Poll the ledger while the panel is visible, because a search may run in another process."""
        if awake:
            self._timer.start()
            self.poll()
        else:
            self._timer.stop()

    def names(self) -> list[str]:
        """Return the searches in the folder of runs."""
        try:
            return names(self._session.runs.root)
        except OSError:  # a drive that is unavailable for a moment
            return []

    def open(self, name: str) -> None:
        """Select a search, or none for an empty name."""
        self.name, self.found, self._stamp = name, None, None
        self.poll()
        if self.found is None:
            self.changed.emit()

    def poll(self) -> None:
        """Read the ledger again if it has changed."""
        try:
            if not self.name:
                return
            before = self.found
            seen = stamp(*files(before.search)) if before else None
            if before and seen and seen == self._stamp and before.search.is_busy() == before.busy:
                return
            self.found, self._stamp = load_snapshot(self.name, self._session.runs.root), seen
            if self.found != before:
                self.changed.emit()
        except (EngramError, OSError) as error:
            if self._session.job.search != self.name:  # a search that just starts has no folder yet
                self.name, self.found = "", None
                self.said.emit(str(error))
                self.changed.emit()

    def runs_of(self, numbers: Sequence[int]) -> list[str]:
        """Return the runs of some trials."""
        trials = self.found.trials if self.found else ()
        return [trial.run for trial in trials if trial.number in numbers and trial.run]

    def is_own_job(self) -> bool:
        """Return whether the app's own job is the selected search."""
        return bool(self.name) and self._session.job.search == self.name

    def begin(self, order: Search, backend: str) -> None:
        """Start or resume a search, and select it."""
        self._session.job.start_search(order, backend)
        self.open(order.name)

    def resume(self, backend: str, space: Mapping[str, Any] | None = None, given: Mapping[str, Any] = {}) -> None:
        """Resume the selected search, over another space if one is given."""
        root = str(self._session.runs.root)
        described = dict(space) if space is not None else None
        self.begin(Search(name=self.name, root=root, space=described, settings=dict(given)), backend)

    def send_command(self, command: QueuedCommand) -> str:
        """Send a command to the search through its ledger; return its error, or an empty string."""
        if self.found is None:
            return ""
        try:
            self.found.search.send(command)
        except EngramError as error:
            return str(error)
        return ""

    def _on_search_event(self, event: Event) -> None:
        """Report an error or warning, and read the ledger soon: the event is in it by now."""
        if not self.is_own_job():
            return
        if isinstance(event, Log) and event.level != "info":
            self.said.emit(event.text)
        elif isinstance(event, SearchEnded):
            if event.state == "failed":
                self.said.emit(f"{event.reason} {event.advice}".strip())
            self._soon.start()
        elif not self._soon.isActive():
            self._soon.start()


class SearchController(QObject):
    """Handler of the panel's buttons and menus; message carries the outcome and its severity."""

    message = Signal(str, str)

    def __init__(self, desk: AppContext, watch: SearchMonitor, window: QWidget) -> None:
        super().__init__(window)
        self.ask_text: Callable[..., Any] = QInputDialog.getText
        self._desk, self._session, self._watch, self._window = desk, desk.session, watch, window
        self._has_requested = False
        self._session.job_failed.connect(self._on_job_failed)

    def begin(self, order: Search) -> None:
        """Start a search."""
        self._has_requested = True
        self._watch.begin(order, self._desk.preferences.backend)

    def go_on(self, space: dict[str, Any] | None = None, given: dict[str, Any] | None = None) -> None:
        """Resume the selected search, over another space if one is given."""
        self._has_requested = True
        self.message.emit("", "info")
        self._watch.resume(self._desk.preferences.backend, space, given or {})

    def apply(self, space: dict[str, Any] | None, given: dict[str, Any]) -> None:
        """Send another space or number of trials to a running search; resume one that is not running with them."""
        if self._watch.found is None or not self._watch.found.busy:
            self.go_on(space, given)
            return
        if space is not None:
            self.send_command(ReplaceSpace(space))
        if "trials" in given:
            self.send_command(ChangeTrialCount(given["trials"]))

    def pause(self, pause: bool) -> None:
        """Pause the search, or continue it."""
        job = self._session.job
        if not self._watch.is_own_job():
            self.send_command(PauseSearch() if pause else ContinueSearch())
            self._watch.changed.emit()
        else:
            job.pause() if pause else job.resume()

    def stop(self) -> None:
        """Stop the search and keep its results."""
        self._session.job.stop() if self._watch.is_own_job() else self.send_command(StopSearch())

    def send_command(self, command: QueuedCommand) -> None:
        """Send a command to the search, and report its error if it is invalid."""
        self.message.emit(self._watch.send_command(command), "warning")

    def enqueue_manually(self) -> None:
        """Open the dialog for a configuration that the search will try next."""
        found = self._watch.found
        if found is not None:
            sheet = ManualTrialDialog(found, lambda values: self._watch.send_command(AddTrial(values)), self._window)
            sheet.finished.connect(sheet.deleteLater)
            sheet.open()

    def save_as_run(self, number: int) -> None:
        """Copy a trial's run under a name of its own, which remains when the search is deleted."""
        found = self._watch.found
        trial = found.trial(number) if found else None
        if trial is None or not trial.run:
            return
        text = f"Trial {number} is stored as run {trial.run}. Save a copy as:"
        name, agreed = self.ask_text(self._window, "Save as run", text, text=f"{trial.run}-kept")
        if not agreed:
            return
        book = self._session.runs
        try:
            kept = book.add(runs.copy_run(runs.open_run(trial.run, book.root), name.strip()))
        except EngramError as error:
            self.message.emit(str(error), "warning")
        else:
            book.read_new_events(kept.name)
            self.message.emit(f"Trial {number} was saved as run {kept.name}.", "info")

    def _on_job_failed(self, failure: RequestFailed) -> None:
        if self._has_requested:
            self._has_requested = False
            if self._watch.found is None:
                self._watch.open("")
            self.message.emit(failure.sentence, "warning")
