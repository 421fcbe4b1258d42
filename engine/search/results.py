"""What became of a trial, as the ledger notes it: pure functions of its run."""

from typing import Any

from engine.messages import JobEnded, RequestFailed
from engine.runs import Run
from engine.search import statistics

NO_NUMBER = "The validation loss was not a finite number in any epoch."
BY_HAND = "Stopped manually."
PRUNED = "Pruned at epoch {epoch}: best validation loss above the median of the other trials."
MAX_CRASHES = 2  # without a complete epoch in between: then it is no accident
DIED = "Its process was terminated {times} times in the same epoch ({how}); there may not be enough memory."


def finished_result(run: Run) -> dict[str, Any]:
    """A run that came to its end: scored, unless no loss was a finite number."""
    curve = statistics.list_val_losses(run)
    score, epoch = statistics.find_best_epoch(curve)
    known = {"epochs": len(curve), "seconds": statistics.elapsed_s(run)}
    if score is None:
        return {"state": "failed", "reason": NO_NUMBER, **known}
    return {"state": "finished", "score": score, "best_epoch": epoch, **known}


def failed_result(run: Run, reason: str) -> dict[str, Any]:
    """A run that failed: it has no score, whatever its epochs gave."""
    return {"state": "failed", "reason": reason, **_epochs_and_time(run)}


def stopped_result(run: Run) -> dict[str, Any]:
    """A run that was stopped by hand: it has no score, since more epochs might have given a better one."""
    return {"state": "stopped", "reason": BY_HAND, **_epochs_and_time(run)}


def pruned_result(run: Run, epoch: int) -> dict[str, Any]:
    """A run that was hopeless after an epoch: scored by that epoch, whatever it did before it heard of it."""
    score, best = statistics.find_best_epoch(statistics.list_val_losses(run)[:epoch])
    known = {"epochs": epoch, "seconds": statistics.elapsed_s(run)}
    return {"state": "stopped", "reason": PRUNED.format(epoch=epoch), "score": score, "best_epoch": best, **known}


def _epochs_and_time(run: Run) -> dict[str, Any]:
    return {"epochs": len(statistics.list_val_losses(run)), "seconds": statistics.elapsed_s(run)}


def from_job_end(run: Run, ended: JobEnded | RequestFailed) -> dict[str, Any] | None:
    """What a job's own last word means; None when it was stopped."""
    if isinstance(ended, JobEnded) and ended.state == "finished":
        return finished_result(run)
    if isinstance(ended, JobEnded) and ended.state == "stopped":
        return None
    return failed_result(run, f"{ended.reason} {ended.advice}".strip())


def from_crash(run: Run, code: int, last_words: str, deaths: int) -> dict[str, Any] | None:
    """What it means that a trial's process ended without a word; None when it is worth another try."""
    if code >= 0:
        return failed_result(run, f"Its process broke off: {last_words or f'exit code {code}'}")
    return failed_result(run, DIED.format(times=deaths, how=f"signal {-code}")) if deaths >= MAX_CRASHES else None
