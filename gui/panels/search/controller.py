"""What is done with a search and its trials; what came of it is a sentence."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog, QWidget

from engine import runs
from engine.errors import EngramError
from engine.messages import RequestFailed, Search
from gui.panel import AppContext
from gui.panels.search.manual_trial_dialog import ManualTrialDialog
from gui.panels.search.monitor import SearchMonitor


class SearchController(QObject):
    """Obeys buttons and menus; said tells what went wrong, or well, and how loud to say it."""

    message = Signal(str, str)

    def __init__(self, desk: AppContext, watch: SearchMonitor, window: QWidget) -> None:
        super().__init__(window)
        self.ask_text: Callable[..., Any] = QInputDialog.getText
        self._desk, self._session, self._watch, self._window = desk, desk.session, watch, window
        self._asked = False
        self._session.job_failed.connect(self._on_job_failed)

    def begin(self, order: Search) -> None:
        """Start a search."""
        self._asked = True
        self._watch.begin(order, self._desk.preferences.backend)

    def go_on(self, space: dict[str, Any] | None = None, given: dict[str, Any] | None = None) -> None:
        """Go on with the search that is looked at, over another space when one is given."""
        self._asked = True
        self.message.emit("", "info")
        self._watch.resume(self._desk.preferences.backend, space, given or {})

    def apply(self, space: dict[str, Any] | None, given: dict[str, Any]) -> None:
        """Tell a running search of another space or number of trials; one that is not running goes on with them."""
        if self._watch.found is None or not self._watch.found.busy:
            self.go_on(space, given)
            return
        wishes = {"space": space, "trials": given.get("trials")}
        for verb, content in wishes.items():
            if content is not None:
                self.send_command(verb, content)

    def pause(self, pause: bool) -> None:
        """Hold the search, or let it go on."""
        job = self._session.job
        if not self._watch.is_own_job():
            self.send_command("pause" if pause else "continue")
            self._watch.changed.emit()
        else:
            job.pause() if pause else job.resume()

    def stop(self) -> None:
        """End the search soon and keep what it has."""
        self._session.job.stop() if self._watch.is_own_job() else self.send_command("stop")

    def send_command(self, verb: str, content: Any = None) -> None:
        """Ask something of the search, and say what is wrong with it."""
        self.message.emit(self._watch.send_command(verb, content), "warning")

    def enqueue_manually(self) -> None:
        """Ask for a configuration, and let the search try it next."""
        found = self._watch.found
        if found is not None:
            sheet = ManualTrialDialog(found, lambda values: self._watch.send_command("enqueue", values), self._window)
            sheet.finished.connect(sheet.deleteLater)
            sheet.open()

    def save_as_run(self, number: int) -> None:
        """Copy a trial's run under a name of its own, which stays whatever becomes of the search."""
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
        if self._asked:
            self._asked = False
            if self._watch.found is None:
                self._watch.open("")
            self.message.emit(failure.sentence, "warning")
