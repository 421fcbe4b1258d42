"""The process that runs the long jobs of the app: training, search, the reference study.

python -m engine.processes.training_worker --scratch DIR [--backend NAME] [--threads N]
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from engine.config import AUTO_BACKEND
from engine.errors import EngramError, SearchError
from engine.job_control import JobControl
from engine.messages import (
    Continued,
    EstimateRun,
    Event,
    JobEnded,
    JobStarted,
    Message,
    Paused,
    Resume,
    RunStudy,
    Search,
    SearchCommand,
    SearchEnded,
    SearchStarted,
    StudyEnded,
    Train,
)
from engine.processes.json_lines import FailureGuard, JsonLinesServer, run_server
from engine.search import commands as search_commands
from engine.search.folder import SearchFolder
from engine.search.job import search
from engine.training import job as training
from engine.training.backend_choice import report_choice
from engine.training.estimate import estimate


class PendingJobs:
    """Jobs that wait or run, each with its own control: a Stop counts for one job, even before it has begun.

    Args:
        make_control: makes the control of a job.
    """

    def __init__(self, make_control: Callable[[], JobControl]) -> None:
        self._make_control, self._lock = make_control, threading.Lock()
        self._controls: deque[JobControl] = deque()

    def add(self) -> None:
        """Add a job behind the others."""
        with self._lock:
            self._controls.append(self._make_control())

    def first(self) -> JobControl:
        """Return the control of the first job that has not ended; one that nothing obeys if there is no job."""
        with self._lock:
            return self._controls[0] if self._controls else self._make_control()

    def remove(self, control: JobControl) -> None:
        """Remove a job that has ended, if it is still here."""
        with self._lock:
            if control in self._controls:
                self._controls.remove(control)


class TrainingWorker(JsonLinesServer):
    """Runs one job at a time; Stop, Pause, Continue and commands to a search act at once.

    Args:
        commands: lines of commands.
        events: takes lines of events.
        scratch: folder for arrays; jobs write none.
    """

    def __init__(self, commands: Iterable[bytes], events: IO[bytes], scratch: Path) -> None:
        super().__init__(commands, events)
        self._jobs = PendingJobs(self._make_control)
        self._control = self._make_control()
        self._run = ""
        self._search: Path | None = None
        self._end: type[Event] = JobEnded
        self._end_emitted = False

    def emit(self, event: Event) -> None:
        """Write one event line, and note what the job says of itself."""
        if isinstance(event, JobStarted):
            self._run = event.run
        if isinstance(event, SearchStarted):
            self._search = Path(event.path)
        self._end_emitted = self._end_emitted or isinstance(event, (JobEnded, SearchEnded, StudyEnded))
        if isinstance(event, self._end):
            self._jobs.remove(self._control)  # what comes now is meant for the next one
        super().emit(event)

    def wait_until_free(self) -> None:
        """Wait for nothing: the jobs need the backend."""

    def _make_control(self) -> JobControl:
        return JobControl(
            on_paused=lambda: self.emit(Paused(run=self._run)), on_resumed=lambda: self.emit(Continued(run=self._run))
        )

    def _receive(self, command: Message) -> None:
        if isinstance(command, SearchCommand):
            self._forward(command)
        elif not self._jobs.first().handle(command):
            self._jobs.add()
            super()._receive(command)

    def _forward(self, command: SearchCommand) -> None:
        """Pass a command on to the search that runs here."""
        if self._search is None:
            raise SearchError("No search is running.", "Start one first.")
        SearchFolder(self._search).send(search_commands.from_message(command))

    def _handle(self, command: Message) -> None:
        self._control, self._end_emitted = self._jobs.first(), False
        self._end = (
            SearchEnded if isinstance(command, Search) else StudyEnded if isinstance(command, RunStudy) else JobEnded
        )
        with FailureGuard(self._refuse_job):
            self._run_job(command)
        self._search = None
        self._jobs.remove(self._control)

    def _refuse_job(self, error: EngramError) -> None:
        self._jobs.remove(self._control)
        if not self._end_emitted:
            self._refuse(error)

    def _run_job(self, command: Message) -> None:
        emit, control = self.emit, self._control
        if isinstance(command, Train):
            run, root = command.name, command.root
            training.train(command.config, run=run, root=root, emit=emit, should_stop=control.should_stop)
        elif isinstance(command, Resume):
            run, epochs, name = command.run, command.epochs, command.backend
            training.resume(run, epochs=epochs, backend=name, emit=emit, should_stop=control.should_stop)
        elif isinstance(command, EstimateRun):
            measure = report_choice if command.config.training.backend == AUTO_BACKEND else estimate
            measure(command.config, command.token, emit, control.should_stop)
        elif isinstance(command, Search):
            search(command, emit=emit, should_stop=control.is_stopped, is_paused=control.is_paused)
        elif isinstance(command, RunStudy):
            from engine.reproduction.job import run_study

            run_study(command, emit=emit, should_stop=control.is_stopped, is_paused=control.is_paused)
        else:
            raise EngramError("The training process does not answer requests.", "Send them to the explorer.")


if __name__ == "__main__":
    run_server(TrainingWorker)
