"""Samplers, which propose the next trial: pure functions of the trials so far that never propose one twice.

Grid, random and Bayesian search, and Hyperband (Li et al. 2018): many configurations for few epochs, the best third for
three times as many, and so on. A configuration that Hyperband promotes is a trial of its own, which continues from its
parent's last epoch, so nothing is trained twice. KerasTuner's oracle draws from a random stream that it does not save.

Each takes a `SamplerContext` and returns a new point of the space, or None if there is none left. Its randomness
depends on (seed, number of trials) alone, so that a search rebuilt from its database proposes the same next point.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from engine.search.space import ENUMERATION_LIMIT, Space, Values
from engine.search.storage import Place, Trial

# Number of candidates in a space with too many points to enumerate.
N_CANDIDATES = 2048
# Number of candidates near the best trials.
N_LOCAL = 512
N_BEST = 4
# Weight of the SD in the lower confidence bound, as in KerasTuner.
EXPLORATION = 2.6
# Random trials before the regression, per dimension.
STARTUP_TRIALS_PER_DIMENSION = 3
# Hyperband promotes one configuration in three, for three times the epochs.
FACTOR = 3


class Status(Enum):
    """States in which nothing can be proposed before more trials have ended."""

    IDLE = "wait"


IDLE = Status.IDLE


@dataclass(frozen=True)
class Suggestion:
    """A proposed configuration, and its position in the algorithm's brackets."""

    values: Values
    bracket: Place = field(default_factory=Place)


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


# ---- Hyperband ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rung:
    """`count` configurations of a bracket, each trained for `epochs` epochs in total."""

    count: int
    epochs: int


def brackets(max_epochs: int) -> list[list[Rung]]:
    """Return the brackets for at most `max_epochs` epochs, the one with the most configurations first."""
    last = int(math.log(max_epochs, FACTOR) + 1e-9)
    return [_bracket(start, last, max_epochs) for start in range(last, -1, -1)]


def _bracket(start: int, last: int, max_epochs: int) -> list[Rung]:
    count = math.ceil((last + 1) / (start + 1) * FACTOR**start)
    rungs: list[Rung] = []
    for step in range(start + 1):
        rung = Rung(count // FACTOR**step, max(1, round(max_epochs / FACTOR ** (start - step))))
        if rung.count and (not rungs or rung.epochs > rungs[-1].epochs):
            rungs.append(rung)
    return rungs


def suggest_hyperband(trials: Sequence[Trial], view: SamplerContext, max_epochs: int) -> Suggestion | Status | None:
    """Propose the next trial.

    Args:
        trials: every trial so far in the order proposed; those whose results are still hidden have the state 'running'.
        view: context over the space without 'epochs'; a configuration is new if no trial has it with any number of
            epochs.
        max_epochs: epochs of the last rung.

    Returns:
        The next trial; `IDLE` while a rung is incomplete. Returns None if no new configuration is left.
    """
    spec = brackets(max_epochs)
    for index in itertools.count():
        rungs = spec[index % len(spec)]
        members = [_members(trials, index, step) for step in range(len(rungs))]
        if len(members[0]) < rungs[0].count and (point := sample_random(view)):
            return Suggestion({**point, "epochs": rungs[0].epochs}, {"bracket": index, "rung": 0})
        if not members[0]:
            return None
        for step in range(1, len(rungs)):
            found = _promote(members[step - 1], members[step], rungs[step])
            if found is IDLE:
                return IDLE
            if isinstance(found, Trial):
                place: Place = {"bracket": index, "rung": step, "parent": found.number}
                return Suggestion({**found.config, "epochs": rungs[step].epochs}, place)
    return None


def _members(trials: Sequence[Trial], bracket: int, rung: int) -> list[Trial]:
    return [each for each in trials if each.place.get("bracket") == bracket and each.place.get("rung") == rung]


def _promote(below: Sequence[Trial], above: Sequence[Trial], rung: Rung) -> Trial | Status | None:
    """Return the best trial of a rung that is not yet promoted. Returns None if enough are."""
    if any(not each.is_done for each in below):
        return IDLE
    ranked = sorted((each.score, each.number, each) for each in below if each.score is not None)
    wanted = min(rung.count, max(1, len(below) // FACTOR), len(ranked))
    promoted = {each.place["parent"] for each in above}
    left = [each for _, number, each in ranked[:wanted] if number not in promoted]
    return left[0] if left else None
