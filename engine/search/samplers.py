"""Samplers, which propose the next trial: pure functions of the trials so far that never propose one twice.

Each takes a `SamplerContext` and returns a new point of the space, or None if there is none left. Its randomness
depends on (seed, number of trials) alone, so that a search rebuilt from its database proposes the same next point.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from engine.search.space import ENUMERATION_LIMIT, Space, Values

# Number of candidates in a space with too many points to enumerate.
N_CANDIDATES = 2048
# Number of candidates near the best trials.
N_LOCAL = 512
N_BEST = 4
# Weight of the SD in the lower confidence bound, as in KerasTuner.
EXPLORATION = 2.6
# Random trials before the regression, per dimension.
STARTUP_TRIALS_PER_DIMENSION = 3


@dataclass(frozen=True)
class SamplerContext:
    """Everything that a sampler may depend on.

    Args:
        space: the search space.
        is_new: whether a configuration has not been proposed before.
        scored: configurations with their scores, in the order proposed; without failed ones.
        pending: configurations that run.
        rng: random generator of this proposal.
        regression: fits scores; has `fit(x, y)` and `predict(x, return_std=True)`. For Bayesian search.
    """

    space: Space
    is_new: Callable[[Mapping[str, Any]], bool]
    scored: Sequence[tuple[Values, float]]
    pending: Sequence[Values]
    rng: np.random.Generator
    regression: Any = field(default=None, repr=False)


def sample_grid(view: SamplerContext) -> Values | None:
    """Return the first new point in the order of the space (finite spaces only)."""
    return next((point for point in view.space.points() if view.is_new(point)), None)


def sample_random(view: SamplerContext) -> Values | None:
    """Draw a new point, uniformly in a small space."""
    found = list_candidates(view)
    return found[int(view.rng.integers(len(found)))] if found else None


def sample_bayesian(view: SamplerContext) -> Values | None:
    """Return the new point with the lowest confidence bound of a Gaussian process on the scores (Srinivas et al. 2010).

    The first points are random. Pending points count with the prediction of the process as their score, so that
    parallel trials do not crowd (the constant liar of Ginsbourger et al. 2010, with the prediction as the lie).
    """
    found = list_candidates(view)
    if not found:
        return None
    if len(view.scored) < STARTUP_TRIALS_PER_DIMENSION * len(view.space.dimensions):
        return found[int(view.rng.integers(len(found)))]
    x = np.array([view.space.features(values) for values, _ in view.scored])
    y = transform_scores([score for _, score in view.scored])
    places = np.array([view.space.features(values) for values in found])
    expected, spread = _regress(view, x, y, places)
    return found[int(np.argmin(expected - EXPLORATION * spread))]


def _regress(
    view: SamplerContext, x: NDArray[Any], y: NDArray[Any], places: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return mean and SD of the regression; on one thread, so that the result does not depend on the CPU."""
    process = view.regression
    with threadpool_limits(1), warnings.catch_warnings():
        # A length scale at its bound does not matter here.
        warnings.simplefilter("ignore")
        process.fit(x, y)
        if view.pending:
            waiting = np.array([view.space.features(values) for values in view.pending])
            x, y = np.vstack([x, waiting]), np.concatenate([y, process.predict(waiting)])
            process.fit(x, y)
        expected, spread = process.predict(places, return_std=True)
    return expected, spread


def transform_scores(scores: Sequence[float]) -> NDArray[np.float64]:
    """Transform scores for the regression: logarithms if all are positive.

    So one huge loss does not flatten the rest.
    """
    values = np.asarray(scores, np.float64)
    return np.log(values) if (values > 0).all() else values


def list_candidates(view: SamplerContext) -> list[Values]:
    """Return new points to choose from: all of a small space, else random ones, some of them near the best trials."""
    size = view.space.size()
    if size is not None and size <= ENUMERATION_LIMIT:
        return [point for point in view.space.points() if view.is_new(point)]
    best = sorted(view.scored, key=lambda pair: pair[1])[:N_BEST]
    drawn = [view.space.sample(view.rng) for _ in range(N_CANDIDATES - N_LOCAL * bool(best))]
    for index in range(N_LOCAL if best else 0):
        drawn.append(view.space.perturb(best[index % len(best)][0], view.rng))
    return [point for point in drawn if view.is_new(point)]


ALGORITHMS: dict[str, Callable[[SamplerContext], Values | None]] = {
    "bayesian": sample_bayesian,
    "random": sample_random,
    "grid": sample_grid,
}
