"""State of a search and results of its trials: pure functions of trials and runs."""

import math
import shutil
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from engine.messages import EpochEnded, JobEnded, JobStarted, RequestFailed
from engine.runs import Run
from engine.search.space import Space
from engine.search.storage import Trial

# The median of fewer trials says little.
MIN_TRIALS = 5
# A first epoch says little.
MIN_EPOCHS = 2
NO_NUMBER = "The validation loss was not a finite number in any epoch."
BY_HAND = "Stopped manually."
PRUNED = "Pruned at epoch {epoch}: best validation loss above the median of the other trials."
# Crashes without a complete epoch in between; this many are no coincidence.
MAX_CRASHES = 2
DIED = "Its process was terminated {times} times in the same epoch ({how}); there may not be enough memory."


def find_best_trial(trials: Sequence[Trial]) -> Trial | None:
    """Return the finished trial with the lowest score, the earliest of equals."""
    finished = [trial for trial in trials if trial.state == "finished" and trial.score is not None]
    return min(finished, key=lambda trial: (trial.score, trial.number), default=None)


def count_points_left(space: Space, trials: Sequence[Trial]) -> int | None:
    """Return how many points of a space have not been proposed. Returns None if there are infinitely many."""
    size = space.size()
    if size is None:
        return None
    names = space.names
    points = [{name: trial.config[name] for name in names if name in trial.config} for trial in trials]
    return size - len({repr(sorted(point.items())) for point in points if space.contains(point)})


def estimate_remaining_s(trials: Sequence[Trial], ahead: int, side_by_side: int) -> float | None:
    """Estimate the time for the trials ahead from the finished ones."""
    took = [trial.seconds for trial in trials if trial.is_done and trial.seconds]
    return statistics.fmean(took) * ahead / side_by_side if took else None


def list_val_losses(run: Run) -> list[float]:
    """Return the validation loss per image of each complete epoch, in order."""
    return [row.get("val_loss", math.nan) for row in run.history()]


def find_best_epoch(curve: Sequence[float]) -> tuple[float | None, int | None]:
    """Return the best loss of a curve and its epoch (from 1), or (None, None) if no loss is finite."""
    finite = [(loss, epoch) for epoch, loss in enumerate(curve, 1) if math.isfinite(loss)]
    return min(finite) if finite else (None, None)


def find_prune_epoch(curve: Sequence[float], others: Sequence[Sequence[float]]) -> int | None:
    """Return the first epoch at which to prune a trial: its best loss so far is above the median of the others' there.

    The median stopping rule of Google Vizier (Golovin et al. 2017).

    Args:
        curve: validation losses of the trial, one per epoch.
        others: those of completed trials.

    Returns:
        The epoch, from 1. Returns None if it should continue, or there is too little to compare with.
    """
    for epoch in range(MIN_EPOCHS, len(curve) + 1):
        known = [_best_until(other, epoch) for other in others if len(other) >= epoch]
        if len(known) >= MIN_TRIALS and _best_until(curve, epoch) > statistics.median(known):
            return epoch
    return None


def _best_until(curve: Sequence[float], epoch: int) -> float:
    return min((loss for loss in curve[:epoch] if math.isfinite(loss)), default=math.inf)


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
    return {"state": "stopped", "reason": BY_HAND, **_epochs_and_time(run)}


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


def format_values(values: Mapping[str, Any]) -> str:
    """Format values in one line, such as 'learning_rate 0.001, epochs 40'."""
    return ", ".join(f"{name} {format_value(value)}" for name, value in values.items())


def format_value(value: Any) -> str:
    """Format a value for a table."""
    if isinstance(value, tuple | list):
        return "×".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
