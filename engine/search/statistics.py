"""Statistics over the trials of a search: the best, what is left, the time. Pure functions; no framework."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from engine.messages import SearchState
from engine.search.search_spec import SearchSpec
from engine.search.space import Space
from engine.search.storage import Trial

ActiveState = Literal["running", "pausing", "paused", "stopping"]


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


def make_search_state(
    search: str, spec: SearchSpec, trials: Sequence[Trial], running: int, state: ActiveState
) -> SearchState:
    """Return the state of a search whose trials run.

    Args:
        search: name of the search.
        spec: its specification.
        trials: its trials in the order proposed.
        running: how many of them run.
        state: what the search does.
    """
    done, best = [trial for trial in trials if trial.is_done], find_best_trial(trials)
    left = count_points_left(spec.space, trials)
    missing = max(0, spec.settings.trials - len(trials))
    ahead = missing if left is None else min(left, missing)
    return SearchState(
        search=search,
        state=state,
        done=len(done),
        failed=sum(trial.state == "failed" for trial in done),
        running=running,
        trials=spec.settings.trials,
        left=left,
        left_s=estimate_remaining_s(trials, ahead + len(trials) - len(done), spec.settings.parallel),
        best=best.number if best else None,
        best_score=best.score if best else None,
    )


def format_values(values: Mapping[str, Any]) -> str:
    """Format values in one line, such as 'learning_rate 0.001, epochs 40'."""
    return ", ".join(f"{name} {format_value(value)}" for name, value in values.items())


def format_value(value: Any) -> str:
    """Format a value for a table."""
    if isinstance(value, tuple | list):
        return "×".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
