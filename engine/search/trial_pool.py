"""The trials that run side by side, on this machine or elsewhere."""

import importlib
import importlib.util
import queue
from dataclasses import dataclass
from pathlib import Path

from engine.config import SearchConfig
from engine.errors import SearchError
from engine.messages import JobEnded, Message, RequestFailed
from engine.runs import Run
from engine.search.executor import JOB_QUEUES, Executor, TrialHandle, TrialMessage, TrialTask
from engine.search.local_executor import LocalExecutor

INSTALL = 'pip install "engram-mri[cluster]"'


def make_executor(settings: SearchConfig, folder: Path) -> Executor:
    """The place that the settings name.

    Args:
        settings: of the search.
        folder: of the search.

    Raises:
        SearchError: there is no such place.
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
    """One running trial, as the search knows it.

    Args:
        number: of the trial.
        run: what it trains.
        handle: reaches its process.
        ended: what it said of the end of its job, None while it has said nothing.
        stop_requested: whether it was asked to end for good.
        pruned_at: the epoch after which it was given up, None when it was not.
        is_paused: whether it holds.
    """

    number: int
    run: Run
    handle: TrialHandle
    ended: JobEnded | RequestFailed | None = None
    stop_requested: bool = False
    pruned_at: int | None = None
    is_paused: bool = False

    def send(self, message: Message) -> None:
        """Send it a command; one that is gone hears nothing."""
        self.handle.send(message)


class TrialPool:
    """Begins trials, speaks to all of them, and hears what they say.

    Args:
        executor: where they run.
        logs: folder for what the frameworks say.
    """

    def __init__(self, executor: Executor, logs: Path) -> None:
        self.executor, self.logs = executor, logs
        self.running: dict[int, RunningTrial] = {}
        self._inbox: queue.Queue[TrialMessage] = queue.Queue()

    def start(self, number: int, run: Run) -> None:
        """Begin a trial, or go on with it."""
        handle = self.executor.submit(TrialTask(number, run, self.log(number)), self._inbox)
        self.running[number] = RunningTrial(number, run, handle)

    def prewarm(self, backend: str) -> None:
        """Another trial will follow, most likely on this backend."""
        self.executor.prewarm(backend)

    def log(self, number: int) -> Path:
        """The file with what the frameworks said in a trial."""
        return self.logs / f"{number:04d}.log"

    def send_all(self, message: Message) -> None:
        """Tell all of them."""
        for trial in self.running.values():
            trial.send(message)

    def poll(self, wait_s: float) -> list[TrialMessage]:
        """What they have said since the last call, waiting a moment for the first of it.

        Raises:
            SearchError: the place where they run is no longer there.
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
        """Forget a trial that is gone; the log of one that had something to say before it broke off is kept."""
        trial = self.running.pop(number)
        trial.handle.close()
        if trial.ended is not None:
            self.log(number).unlink(missing_ok=True)
        return trial

    def kill_all(self) -> None:
        """End all of them by force."""
        for trial in self.running.values():
            trial.handle.kill()

    def close(self) -> None:
        """End all of them by force, and leave the place."""
        self.kill_all()
        self.executor.close()
