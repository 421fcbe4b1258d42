"""The process that runs the long jobs of the app: training, search, the reference study.

python -m engine.processes.training_worker --scratch DIR [--backend NAME] [--threads N]
"""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO

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
from engine.training.estimate import estimate


class PendingJobs:
    """Number of jobs that wait or run: a Stop counts for a job even before it has begun, and never for the next one.

    Args:
        control: what Stop, Pause and Continue act on.
    """

    def __init__(self, control: JobControl) -> None:
        self._control, self._count, self._lock = control, 0, threading.Lock()

    def add(self) -> None:
        """Count a job; the first one starts with a clean control."""
        with self._lock:
            if self._count == 0:
                self._control.reset()
            self._count += 1

    def remove(self) -> None:
        """Count a job as done, and clear the control for the next one."""
        with self._lock:
            self._count -= 1
            self._control.reset()


class TrainingWorker(JsonLinesServer):
    """Runs one job at a time; Stop, Pause, Continue and commands to a search act at once.

    Args:
        commands: lines of commands.
        events: takes lines of events.
        scratch: folder for arrays; jobs write none.
    """

    def __init__(self, commands: Iterable[bytes], events: IO[bytes], scratch: Path) -> None:
        super().__init__(commands, events)
        self._control = JobControl(
            on_paused=lambda: self.emit(Paused(run=self._run)), on_resumed=lambda: self.emit(Continued(run=self._run))
        )
        self._jobs = PendingJobs(self._control)
        self._run = ""
        self._search: Path | None = None
        self._end_emitted = False

    def emit(self, event: Event) -> None:
        """Write one event line, and note what the job says of itself."""
        if isinstance(event, JobStarted):
            self._run = event.run
        if isinstance(event, SearchStarted):
            self._search = Path(event.path)
        self._end_emitted = self._end_emitted or isinstance(event, (JobEnded, SearchEnded, StudyEnded))
        super().emit(event)

    def _receive(self, command: Message) -> None:
        if isinstance(command, SearchCommand):
            self._forward(command)
        elif not self._control.handle(command):
            self._jobs.add()
            super()._receive(command)

    def _forward(self, command: SearchCommand) -> None:
        """Pass a command on to the search that runs here."""
        if self._search is None:
            raise SearchError("No search is running.", "Start one first.")
        SearchFolder(self._search).send(search_commands.from_message(command))

    def _handle(self, command: Message) -> None:
        self._end_emitted = False
        with FailureGuard(self._refuse_job):
            self._run_job(command)
        self._search = None
        self._jobs.remove()

    def _refuse_job(self, error: EngramError) -> None:
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
            estimate(command.config, command.token, emit, control.should_stop)
        elif isinstance(command, Search):
            search(command, emit=emit, should_stop=control.is_stopped, is_paused=control.is_paused)
        elif isinstance(command, RunStudy):
            from engine.reproduction.job import run_study

            run_study(command, emit=emit, should_stop=control.is_stopped, is_paused=control.is_paused)
        else:
            raise EngramError("The training process does not answer requests.", "Send them to the explorer.")


if __name__ == "__main__":
    run_server(TrainingWorker)
