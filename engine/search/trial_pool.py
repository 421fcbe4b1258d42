"""Trials that run in parallel, on this machine or elsewhere, from their start to their result.

The pool starts trials, sends them commands and collects their events. The median rule prunes them; its decisions do not
depend on timing. What a trial brings back is a function of its run and of how its process ended.
"""

import importlib
import importlib.util
import math
import queue
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import SearchConfig
from engine.errors import SearchError
from engine.messages import EpochEnded, JobEnded, JobStarted, Message, RequestFailed
from engine.runs import Run
from engine.search import statistics
from engine.search.executor import JOB_QUEUES, Executor, LocalExecutor, TrialHandle, TrialMessage, TrialTask
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler

NO_NUMBER = "The validation loss was not a finite number in any epoch."
PRUNED = "Pruned at epoch {epoch}: best validation loss above the median of the other trials."
# Crashes without a complete epoch in between; this many are no coincidence.
MAX_CRASHES = 2
DIED = "Its process was terminated {times} times in the same epoch ({how}); there may not be enough memory."
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


class MedianPruner:
    """Pruner that compares the loss curve of a trial with those of completed trials.

    Args:
        search: folder of the search.
        trials: the trials of the search.
    """

    def __init__(self, search: SearchFolder, trials: TrialScheduler) -> None:
        self.search, self.trials = search, trials
        self._curves: dict[int, list[float]] = {}

    def find_prune_epoch(self, number: int, run: Run, curve: list[float]) -> int | None:
        """Return the epoch at which to prune a trial. Returns None if it should continue, or early stopping is off.

        With K parallel trials, trial n is compared with the trials up to n - K, which have surely ended by then.

        Args:
            number: number of the trial.
            run: its run.
            curve: its validation losses so far, one per epoch.
        """
        settings = self.trials.spec.settings
        if not settings.early_stopping:
            return None
        before = number - settings.parallel
        for row in self.trials.all():
            if row.number <= before and row.score is not None and row.number not in self._curves:
                self._curves[row.number] = list_val_losses(Run(self.search.root / row.run))[: row.epochs]
        epoch = statistics.find_prune_epoch(curve, [self._curves[known] for known in self._curves if known <= before])
        return epoch if epoch is not None and epoch < run.config.training.epochs else None


# ---- what a trial brings back -------------------------------------------------------------------------------------


def list_val_losses(run: Run) -> list[float]:
    """Return the validation loss per image of each complete epoch, in order."""
    return [row.get("val_loss", math.nan) for row in run.history()]


def find_best_epoch(curve: Sequence[float]) -> tuple[float | None, int | None]:
    """Return the best loss of a curve and its epoch (from 1), or (None, None) if no loss is finite."""
    finite = [(loss, epoch) for epoch, loss in enumerate(curve, 1) if math.isfinite(loss)]
    return min(finite) if finite else (None, None)


def elapsed_s(run: Run) -> float:
    """Return the time spent on a run, without breaks and without the time before its first start."""
    total, began, last = 0.0, None, 0.0
    for event in run.events():
        if isinstance(event, JobStarted):
            total, began = total + (0.0 if began is None else last - began), event.time
        if began is not None and isinstance(event, JobStarted | EpochEnded | JobEnded):
            last = event.time
    return total + (0.0 if began is None else last - began)


def find_last_job_end(run: Run) -> JobEnded | None:
    """Return how a run's last job ended by itself. Returns None if it was stopped, crashed or has not started."""
    last = [event for event in run.events() if isinstance(event, JobStarted | JobEnded)][-1:]
    ended = last[0] if last and isinstance(last[0], JobEnded) else None
    return ended if ended and ended.state != "stopped" else None


def finished_result(run: Run) -> dict[str, Any]:
    """Return the result of a completed run: scored, unless no loss was finite."""
    curve = list_val_losses(run)
    score, epoch = find_best_epoch(curve)
    known = {"epochs": len(curve), "seconds": elapsed_s(run)}
    if score is None:
        return {"state": "failed", "reason": NO_NUMBER, **known}
    return {"state": "finished", "score": score, "best_epoch": epoch, **known}


def failed_result(run: Run, reason: str) -> dict[str, Any]:
    """Return the result of a failed run: without a score, whatever its epochs gave."""
    return {"state": "failed", "reason": reason, **_epochs_and_time(run)}


def stopped_result(run: Run) -> dict[str, Any]:
    """Return the result of a run that the user stopped: without a score, since more epochs might have improved it."""
    return {"state": "stopped", "reason": statistics.BY_HAND, **_epochs_and_time(run)}


def pruned_result(run: Run, epoch: int) -> dict[str, Any]:
    """Return the result of a pruned run: scored at that epoch, whatever it trained before it received the command."""
    score, best = find_best_epoch(list_val_losses(run)[:epoch])
    known = {"epochs": epoch, "seconds": elapsed_s(run)}
    return {"state": "stopped", "reason": PRUNED.format(epoch=epoch), "score": score, "best_epoch": best, **known}


def _epochs_and_time(run: Run) -> dict[str, Any]:
    return {"epochs": len(list_val_losses(run)), "seconds": elapsed_s(run)}


def from_job_end(run: Run, ended: JobEnded | RequestFailed) -> dict[str, Any] | None:
    """Return the result that a job's last event implies. Returns None if the job was stopped."""
    if isinstance(ended, JobEnded) and ended.state == "finished":
        return finished_result(run)
    if isinstance(ended, JobEnded) and ended.state == "stopped":
        return None
    return failed_result(run, f"{ended.reason} {ended.advice}".strip())


def from_crash(run: Run, code: int, last_words: str, deaths: int) -> dict[str, Any] | None:
    """Return the result of a trial whose process ended without an event. Returns None if it should be retried."""
    if code >= 0:
        return failed_result(run, f"Its process broke off: {last_words or f'exit code {code}'}")
    return failed_result(run, DIED.format(times=deaths, how=f"signal {-code}")) if deaths >= MAX_CRASHES else None


def prune_checkpoints(run: Run) -> None:
    """Keep only the last checkpoint of a run: enough to resume it, in half the disk space."""
    for old in sorted(run.checkpoints.glob("epoch-*"))[:-1]:
        shutil.rmtree(old, ignore_errors=True)
