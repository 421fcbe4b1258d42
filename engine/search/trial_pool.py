"""Trials that run in parallel, on this machine or elsewhere."""

import importlib
import importlib.util
import queue
from dataclasses import dataclass
from pathlib import Path

from engine.config import SearchConfig
from engine.errors import SearchError
from engine.messages import JobEnded, Message, RequestFailed
from engine.runs import Run
from engine.search.executor import JOB_QUEUES, Executor, LocalExecutor, TrialHandle, TrialMessage, TrialTask

INSTALL = 'pip install "engram-mri[cluster]"'


def make_executor(settings: SearchConfig, folder: Path) -> Executor:
    """Return the executor of a search.

    Args:
        settings: settings of the search.
        folder: folder of the search.

    Raises:
        SearchError: there is no such cluster, or a package for it is missing.
    """
    where = settings.cluster
    if not where:
        return LocalExecutor(folder, settings.spare)
    if where != "local" and where not in JOB_QUEUES and ":" not in where:
        advice = f"Use the address of a Dask scheduler, local, or one of: {', '.join(JOB_QUEUES)}."
        raise SearchError(f"There is no cluster '{where}'.", advice)
    needed = {"distributed": "dask"} | ({"dask_jobqueue": "dask-jobqueue"} if where in JOB_QUEUES else {})
    for module, package in needed.items():
        if importlib.util.find_spec(module) is None:
            raise SearchError(f"This cluster needs {package}, which is not installed.", f"Install it: {INSTALL}.")
    made: Executor = importlib.import_module("engine.search.dask_executor").DaskExecutor(where, settings.parallel)
    return made


@dataclass
class RunningTrial:
    """One running trial.

    Args:
        number: number of the trial.
        run: the run that it trains.
        handle: handle on its process.
        ended: the last event of its job; None before it arrives.
        stop_requested: whether the user stopped it.
        pruned_at: the epoch at which it was pruned; None if it was not.
        is_paused: whether it is paused.
    """

    number: int
    run: Run
    handle: TrialHandle
    ended: JobEnded | RequestFailed | None = None
    stop_requested: bool = False
    pruned_at: int | None = None
    is_paused: bool = False

    def send(self, message: Message) -> None:
        """Send it a command; a process that has ended ignores it."""
        self.handle.send(message)


class TrialPool:
    """Pool that starts trials, sends them commands and collects their events.

    Args:
        executor: executor of the trials.
        logs: folder for the output of the backend.
    """

    def __init__(self, executor: Executor, logs: Path) -> None:
        self.executor, self.logs = executor, logs
        self.running: dict[int, RunningTrial] = {}
        self._inbox: queue.Queue[TrialMessage] = queue.Queue()

    def start(self, number: int, run: Run) -> None:
        """Start or resume a trial."""
        handle = self.executor.submit(TrialTask(number, run, self.log(number)), self._inbox)
        self.running[number] = RunningTrial(number, run, handle)

    def prewarm(self, backend: str) -> None:
        """Prepare for another trial, most likely on this backend."""
        self.executor.prewarm(backend)

    def log(self, number: int) -> Path:
        """Return the log file of a trial, which takes the output of the backend."""
        return self.logs / f"{number:04d}.log"

    def send_all(self, message: Message) -> None:
        """Send a command to all trials."""
        for trial in self.running.values():
            trial.send(message)

    def poll(self, wait_s: float) -> list[TrialMessage]:
        """Return the events since the last call; wait up to `wait_s` seconds for the first.

        Raises:
            SearchError: the executor can no longer run trials.
        """
        self.executor.check()
        try:
            found = [self._inbox.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while not self._inbox.empty():
            found.append(self._inbox.get())
        return found

    def remove(self, number: int) -> RunningTrial:
        """Remove a trial that has ended; keep its log if it crashed."""
        trial = self.running.pop(number)
        trial.handle.close()
        if trial.ended is not None:
            self.log(number).unlink(missing_ok=True)
        return trial

    def kill_all(self) -> None:
        """Kill all trials."""
        for trial in self.running.values():
            trial.handle.kill()

    def close(self) -> None:
        """Kill all trials, and close the executor."""
        self.kill_all()
        self.executor.close()
