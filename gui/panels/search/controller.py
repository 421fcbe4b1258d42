"""User actions on a search and its trials; each outcome is reported as one sentence."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog, QWidget

from engine import runs
from engine.errors import EngramError
from engine.messages import RequestFailed, Search
from engine.search.commands import (
    AddTrial,
    ChangeTrialCount,
    Command,
    ContinueSearch,
    PauseSearch,
    ReplaceSpace,
    StopSearch,
)
from gui.panel import AppContext
from gui.panels.search.manual_trial_dialog import ManualTrialDialog
from gui.panels.search.monitor import SearchMonitor


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

    def send_command(self, command: Command) -> None:
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
