"""Results of trials as the database stores them: pure functions of a run."""

from typing import Any

from engine.messages import JobEnded, RequestFailed
from engine.runs import Run
from engine.search import statistics

NO_NUMBER = "The validation loss was not a finite number in any epoch."
BY_HAND = "Stopped manually."
PRUNED = "Pruned at epoch {epoch}: best validation loss above the median of the other trials."
# Crashes without a complete epoch in between; this many are no coincidence.
MAX_CRASHES = 2
DIED = "Its process was terminated {times} times in the same epoch ({how}); there may not be enough memory."


def finished_result(run: Run) -> dict[str, Any]:
    """Return the result of a completed run: scored, unless no loss was finite."""
    curve = statistics.list_val_losses(run)
    score, epoch = statistics.find_best_epoch(curve)
    known = {"epochs": len(curve), "seconds": statistics.elapsed_s(run)}
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
    score, best = statistics.find_best_epoch(statistics.list_val_losses(run)[:epoch])
    known = {"epochs": epoch, "seconds": statistics.elapsed_s(run)}
    return {"state": "stopped", "reason": PRUNED.format(epoch=epoch), "score": score, "best_epoch": best, **known}


def _epochs_and_time(run: Run) -> dict[str, Any]:
    return {"epochs": len(statistics.list_val_losses(run)), "seconds": statistics.elapsed_s(run)}


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
