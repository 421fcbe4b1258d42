"""Statistics over the trials of a search: the best, what is left, the time, how much each setting mattered."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.messages import ComputeImportances, ComputeImportancesReply, Importance, SearchState
from engine.search import space_file
from engine.search.search_spec import SearchSpec
from engine.search.space import Space, lists_to_tuples
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


RESAMPLES = 500
# Percentiles of the interval.
INTERVAL_PERCENTILES = (2.5, 97.5)
# Share of the largest variance below which a direction did not vary.
SINGULAR = 1e-10


def hyperparameter_importances(
    space: Space, trials: Sequence[tuple[Mapping[str, Any], float]], seed: int = 0
) -> list[Importance] | None:
    """Return the importance of each setting, the most important first.

    Args:
        space: the space of the search.
        trials: configurations and their finite scores.
        seed: seed of the bootstrap.

    Returns:
        One for each setting that took more than one value. Returns None if there are too few trials for the fit.
    """
    varied = [d for d in space.dimensions if len({repr(values.get(d.name)) for values, _ in trials}) > 1]
    kept = Space(tuple(varied))
    features = np.array([_features(kept, values) for values, _ in trials])
    if not varied or len(trials) < features.shape[1] + 3:
        return None
    scores = np.array([score for _, score in trials], np.float64)
    relative = bool((scores > 0).all())
    targets = np.log(scores) if relative else scores
    rng = np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(len(trials), size=len(trials)), minlength=len(trials)) for _ in range(RESAMPLES)]
    (fit,), fits = _fits(features, targets, np.ones((1, len(trials)))), _fits(features, targets, np.array(drawn))
    found, start = [], 0
    for dimension in varied:
        columns = slice(start, start + dimension.width)
        start += dimension.width
        whole = _effect(fit[columns])
        resampled = np.array([_effect(fit[columns]) for fit in fits])
        found.append(_to_importance(dimension.name, dimension.is_ordered, whole, resampled, relative))
    return sorted(found, key=lambda each: -abs(each.effect))


def compute_importances(request: ComputeImportances) -> ComputeImportancesReply:
    """Compute the importances that the app requests.

    Raises:
        ConfigError: the space is invalid.
    """
    space = space_file.parse(request.space, request.base)
    found = hyperparameter_importances(space, [(lists_to_tuples(values), score) for values, score in request.trials])
    return ComputeImportancesReply(weighed=None if found is None else tuple(found))


def _features(space: Space, values: Mapping[str, Any]) -> NDArray[np.float64]:
    return space.features({name: values[name] for name in space.names if name in values})


def _fits(
    features: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit least squares with an intercept, once for each row of weights: (fits, features).

    Of equally good fits it takes the one with the smallest coefficients. The normal equations solve all fits at once:
    features lie in [0, 1] and are few.
    """
    count, width = features.shape
    columns = np.concatenate([features, targets[:, None]], axis=1)
    products = (columns[:, :, None] * columns[:, None, :]).reshape(count, -1)
    total, means = weights.sum(axis=1), (weights @ columns) / weights.sum(axis=1)[:, None]
    moments = (weights @ products).reshape(-1, width + 1, width + 1) / total[:, None, None]
    spread = moments - means[:, :, None] * means[:, None, :]
    inverse = np.linalg.pinv(spread[:, :width, :width], rcond=SINGULAR, hermitian=True)
    return np.asarray((inverse @ spread[:, :width, width:])[..., 0])


def _effect(coefficients: NDArray[np.float64]) -> float:
    """Return the slope over the range; for one-hot features the difference between the worst and the best value."""
    return float(coefficients[0]) if len(coefficients) == 1 else float(np.ptp(coefficients))


def _to_importance(
    name: str, is_ordered: bool, effect: float, resampled: NDArray[np.float64], relative: bool
) -> Importance:
    low, high = np.percentile(resampled, INTERVAL_PERCENTILES)
    sure = is_ordered and low * high > 0
    middle, low, high = (float(np.expm1(end) if relative else end) for end in (effect, low, high))
    sign = int(np.sign(low)) if sure else 0
    return Importance(name=name, effect=middle, low=low, high=high, sign=sign, is_relative=relative)
