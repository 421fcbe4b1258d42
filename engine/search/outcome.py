"""What became of a trial, as the ledger notes it: pure functions of its run."""

from typing import Any

from engine.messages import JobEnded, Refused
from engine.runs import Run
from engine.search import standing

NO_NUMBER = "The validation loss was not a finite number in any epoch."
BY_HAND = "Stopped manually."
HOPELESS = "Pruned at epoch {epoch}: best validation loss above the median of the other trials."
DEATHS = 2  # without a complete epoch in between: then it is no accident
DIED = "Its process was terminated {times} times in the same epoch ({how}); there may not be enough memory."


def finished(run: Run) -> dict[str, Any]:
    """A run that came to its end: scored, unless no loss was a finite number."""
    curve = standing.losses(run)
    score, epoch = standing.scored(curve)
    known = {"epochs": len(curve), "seconds": standing.elapsed_s(run)}
    if score is None:
        return {"state": "failed", "reason": NO_NUMBER, **known}
    return {"state": "finished", "score": score, "best_epoch": epoch, **known}


def failed(run: Run, reason: str) -> dict[str, Any]:
    """A run that failed: it has no score, whatever its epochs gave."""
    return {"state": "failed", "reason": reason, **_known(run)}


def stopped(run: Run) -> dict[str, Any]:
    """A run that was stopped by hand: it has no score, since more epochs might have given a better one."""
    return {"state": "stopped", "reason": BY_HAND, **_known(run)}


def given_up(run: Run, epoch: int) -> dict[str, Any]:
    """A run that was hopeless after an epoch: scored by that epoch, whatever it did before it heard of it."""
    score, best = standing.scored(standing.losses(run)[:epoch])
    known = {"epochs": epoch, "seconds": standing.elapsed_s(run)}
    return {"state": "stopped", "reason": HOPELESS.format(epoch=epoch), "score": score, "best_epoch": best, **known}


def _known(run: Run) -> dict[str, Any]:
    return {"epochs": len(standing.losses(run)), "seconds": standing.elapsed_s(run)}


def of_ended(run: Run, ended: JobEnded | Refused) -> dict[str, Any] | None:
    """What a job's own last word means; None when it was stopped."""
    if isinstance(ended, JobEnded) and ended.state == "finished":
        return finished(run)
    if isinstance(ended, JobEnded) and ended.state == "stopped":
        return None
    return failed(run, f"{ended.reason} {ended.advice}".strip())


def of_death(run: Run, code: int, last_words: str, deaths: int) -> dict[str, Any] | None:
    """What it means that a trial's process ended without a word; None when it is worth another try."""
    if code >= 0:
        return failed(run, f"Its process broke off: {last_words or f'exit code {code}'}")
    return failed(run, DIED.format(times=deaths, how=f"signal {-code}")) if deaths >= DEATHS else None
