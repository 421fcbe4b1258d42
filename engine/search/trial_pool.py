"""Trials that run in parallel, on this machine or elsewhere, from their start to their result.

The pool starts trials, sends them commands and collects their events. What a trial brings back is a function of its
run and of how its process ended.
"""

import importlib
import importlib.util
import math
import queue
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.config import SearchConfig
from engine.errors import SearchError
from engine.messages import Continued, EpochEnded, Event, JobEnded, JobStarted, Message, Paused, RequestFailed, Stop
from engine.runs import Run
from engine.search import folder
from engine.search.executor import (
    JOB_QUEUES,
    Executor,
    LocalExecutor,
    ProcessExited,
    TrialHandle,
    TrialMessage,
    TrialTask,
)
from engine.search.storage import Trial, TrialResult

NO_NUMBER = "The validation loss was not a finite number in any epoch."
BY_HAND = "Stopped manually."
PRUNED = "Pruned at epoch {epoch}: best validation loss above the median of the other trials."
# Crashes without a complete epoch in between; this many are no coincidence.
MAX_CRASHES = 2
DIED = "Its process was terminated {times} times in the same epoch ({how}); there may not be enough memory."
INSTALL = 'pip install "engram-mri[cluster]"'


def make_executor(settings: SearchConfig, path: Path) -> Executor:
    """Return the executor of a search.

    Args:
        settings: settings of the search.
        path: folder of the search.

    Raises:
        SearchError: there is no such cluster, or a package for it is missing.
    """
    where = settings.cluster
    if not where:
        return LocalExecutor(path, settings.spare)
    if where != "local" and where not in JOB_QUEUES and ":" not in where:
        advice = f"Use the address of a Dask scheduler, local, or one of: {', '.join(JOB_QUEUES)}."
        raise SearchError(f"There is no cluster '{where}'.", advice)
    needed = {"distributed": "dask"} | ({"dask_jobqueue": "dask-jobqueue"} if where in JOB_QUEUES else {})
    for module, package in needed.items():
        if importlib.util.find_spec(module) is None:
            raise SearchError(f"This cluster needs {package}, which is not installed.", f"Install it: {INSTALL}.")
    from engine.search.dask_executor import DaskExecutor

    return DaskExecutor(where, settings.parallel)


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
        has_started: whether its job has begun; before, it imports a framework and reads the images.
        is_killed: whether it was killed before its job began.
    """

    number: int
    run: Run
    handle: TrialHandle
    ended: JobEnded | RequestFailed | None = None
    stop_requested: bool = False
    pruned_at: int | None = None
    is_paused: bool = False
    has_started: bool = False
    is_killed: bool = False

    def send(self, message: Message) -> None:
        """Send it a command; a process that has ended ignores it."""
        self.handle.send(message)

    def stop(self) -> None:
        """Ask it to stop and keep its results; kill it if it has none yet, since it would wait for a framework."""
        if self.has_started:
            self.send(Stop())
        else:
            self.is_killed = True
            self.handle.kill()

    def note(self, event: Event | ProcessExited) -> None:
        """Take over what an event says about its state."""
        if isinstance(event, JobEnded | RequestFailed):
            self.ended = event
        elif isinstance(event, JobStarted):
            self.has_started = True
        elif isinstance(event, Paused | Continued):
            self.is_paused = isinstance(event, Paused)

    def find_result(self, exited: ProcessExited, deaths: int) -> TrialResult | None:
        """Return its result, now that its process has exited. Returns None if it is to be resumed."""
        if self.pruned_at is not None:
            return pruned_result(self.run, self.pruned_at)
        ended = self.ended
        if ended is not None:
            result = from_job_end(self.run, ended)
        else:
            result = None if self.is_killed else from_crash(self.run, exited, deaths)
        return stopped_result(self.run) if result is None and self.stop_requested else result


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
        self._deaths: Counter[int] = Counter()

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

    def stop_all(self) -> None:
        """Ask all trials to stop and keep their results."""
        for trial in self.running.values():
            trial.stop()

    def poll(self, wait_s: float) -> Iterator[tuple[RunningTrial, Event | ProcessExited]]:
        """Yield the events since the last call with their trials; wait up to `wait_s` seconds for the first.

        Raises:
            SearchError: the executor can no longer run trials.
        """
        self.executor.check()
        try:
            found = [self._inbox.get(timeout=wait_s)]
        except queue.Empty:
            return
        while not self._inbox.empty():
            found.append(self._inbox.get())
        for number, event in found:
            trial = self.running[number]
            trial.note(event)
            if isinstance(event, EpochEnded):
                self._deaths[number] = 0
            yield trial, event

    def collect(self, trial: RunningTrial, exited: ProcessExited, is_stopping: bool) -> TrialResult | None:
        """Remove a trial whose process has exited, and return its result; keep its log if it crashed.

        Args:
            trial: the trial.
            exited: how its process exited.
            is_stopping: whether the search is stopping, so that a killed process is no crash.

        Returns:
            The result. Returns None if the trial is to be resumed.
        """
        del self.running[trial.number]
        trial.handle.close()
        if trial.ended is not None:
            self.log(trial.number).unlink(missing_ok=True)
        elif trial.pruned_at is None:
            self._deaths[trial.number] += not is_stopping
        return trial.find_result(exited, self._deaths[trial.number])

    def kill_all(self) -> None:
        """Kill all trials."""
        for trial in self.running.values():
            trial.handle.kill()

    def close(self) -> None:
        """Kill all trials, and close the executor."""
        self.kill_all()
        self.executor.close()


# ---- what a trial brings back -------------------------------------------------------------------------------------


def find_best_epoch(curve: Sequence[float]) -> tuple[float | None, int | None]:
    """Return the best loss of a curve and its epoch (from 1), or (None, None) if no loss is finite."""
    finite = [(loss, epoch) for epoch, loss in enumerate(curve, 1) if math.isfinite(loss)]
    return min(finite) if finite else (None, None)


def finished_result(run: Run) -> TrialResult:
    """Return the result of a completed run: scored, unless no loss was finite."""
    curve = folder.list_val_losses(run)
    score, epoch = find_best_epoch(curve)
    if score is None:
        return failed_result(run, NO_NUMBER)
    return TrialResult("finished", "", score, epoch, len(curve), folder.elapsed_s(run))


def failed_result(run: Run, reason: str) -> TrialResult:
    """Return the result of a failed run: without a score, whatever its epochs gave."""
    return TrialResult("failed", reason, epochs=len(folder.list_val_losses(run)), seconds=folder.elapsed_s(run))


def stopped_result(run: Run) -> TrialResult:
    """Return the result of a run that the user stopped: without a score, since more epochs might have improved it."""
    return TrialResult("stopped", BY_HAND, epochs=len(folder.list_val_losses(run)), seconds=folder.elapsed_s(run))


def pruned_result(run: Run, epoch: int) -> TrialResult:
    """Return the result of a pruned run: scored at that epoch, whatever it trained before it received the command."""
    score, best = find_best_epoch(folder.list_val_losses(run)[:epoch])
    return TrialResult("stopped", PRUNED.format(epoch=epoch), score, best, epoch, folder.elapsed_s(run))


def from_job_end(run: Run, ended: JobEnded | RequestFailed) -> TrialResult | None:
    """Return the result that a job's last event implies. Returns None if the job was stopped."""
    if isinstance(ended, JobEnded) and ended.state == "finished":
        return finished_result(run)
    if isinstance(ended, JobEnded) and ended.state == "stopped":
        return None
    return failed_result(run, f"{ended.reason} {ended.advice}".strip())


def from_crash(run: Run, exited: ProcessExited, deaths: int) -> TrialResult | None:
    """Return the result of a trial whose process ended without an event. Returns None if it should be retried."""
    if exited.code >= 0:
        return failed_result(run, f"Its process broke off: {exited.last_line or f'exit code {exited.code}'}")
    how = f"signal {-exited.code}"
    return failed_result(run, DIED.format(times=deaths, how=how)) if deaths >= MAX_CRASHES else None


def find_earlier_result(run: Run, row: Trial) -> TrialResult | None:
    """Return the result of a run that ended while no search recorded it. Returns None if it is to be trained.

    A failed trial that was queued again is to be trained: its row no longer says that it runs.
    """
    ended = folder.find_last_job_end(run)
    if ended is None:
        return None
    failed_unseen = ended.state == "failed" and row.state == "running"
    is_complete = len(folder.list_val_losses(run)) >= run.config.training.epochs
    return (from_job_end(run, ended) or finished_result(run)) if failed_unseen or is_complete else None
