"""What to try next: pure functions of what was tried. None of them proposes anything twice.

Each takes a `SamplerContext` and gives a point of the space that is new, or None when there is none left. Chance comes
from (seed, number of trials) alone, so that a search rebuilt from its ledger asks the same next point.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from engine.search.dimensions import Values
from engine.search.space import ENUMERATION_LIMIT, Space

N_CANDIDATES = 2048  # candidates where a space has too many points to look at each
N_LOCAL = 512  # how many of them lie around the best trials
N_BEST = 4
EXPLORATION = 2.6  # of the lower confidence bound, as in KerasTuner
STARTUP_TRIALS_PER_DIMENSION = 3  # random trials before the regression, for each dimension


@dataclass(frozen=True)
class SamplerContext:
    """What a proposal may know.

    Args:
        space: what varies.
        is_new: whether a configuration has not been proposed before.
        scored: configurations with their scores, in the order proposed; failed ones are not among them.
        pending: configurations that are being tried.
        rng: the chance of this proposal.
        regression: fits scores; has `fit(x, y)` and `predict(x, return_std=True)`. For Bayesian search.
    """

    space: Space
    is_new: Callable[[Mapping[str, Any]], bool]
    scored: Sequence[tuple[Values, float]]
    pending: Sequence[Values]
    rng: np.random.Generator
    regression: Any = field(default=None, repr=False)


def sample_grid(view: SamplerContext) -> Values | None:
    """The first new point in the order of the space (finite spaces only)."""
    return next((point for point in view.space.points() if view.is_new(point)), None)


def sample_random(view: SamplerContext) -> Values | None:
    """Any new point, each with the same chance in a small space."""
    found = list_candidates(view)
    return found[int(view.rng.integers(len(found)))] if found else None


def sample_bayesian(view: SamplerContext) -> Values | None:
    """The new point with the lowest confidence bound of a Gaussian process on the scores (Srinivas et al. 2010).

    The first points are random. Those being tried count with what the process expects of them, so that parallel trials
    do not crowd (the constant liar of Ginsbourger et al. 2010, with the prediction as the lie).
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
    """What the regression expects and how unsure it is; on one thread, so that the processor has no say in it."""
    process = view.regression
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length scale at its bound is no matter here
        process.fit(x, y)
        if view.pending:
            waiting = np.array([view.space.features(values) for values in view.pending])
            x, y = np.vstack([x, waiting]), np.concatenate([y, process.predict(waiting)])
            process.fit(x, y)
        expected, spread = process.predict(places, return_std=True)
    return expected, spread


def transform_scores(scores: Sequence[float]) -> NDArray[np.float64]:
    """Scores as the regression sees them: logarithms where all are positive, so that one huge loss flattens nothing."""
    values = np.asarray(scores, np.float64)
    return np.log(values) if (values > 0).all() else values


def list_candidates(view: SamplerContext) -> list[Values]:
    """New points to choose from: all there are in a small space, else random ones, some of them around the best."""
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
