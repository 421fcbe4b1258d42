"""Hyperband (Li et al. 2018): many configurations for few epochs, the best third for three times as many, and so on.

A promoted configuration is a trial of its own that goes on from its parent's last epoch, so nothing is trained twice.
KerasTuner's oracle draws from a random stream that is not kept; this plan is a pure function of the trials so far.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from engine.search.dimensions import Values
from engine.search.ledger import Trial
from engine.search.proposals import View, random

FACTOR = 3


class Wait(Enum):
    """Nothing can be proposed before more trials are over."""

    WAIT = "wait"


WAIT = Wait.WAIT


@dataclass(frozen=True)
class Proposal:
    """What is to be tried, and its place in the algorithm's plan."""

    values: Values
    place: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rung:
    """So many configurations of a bracket, each for so many epochs from its start."""

    count: int
    epochs: int


def brackets(most: int) -> list[list[Rung]]:
    """The plan for at most so many epochs, the bracket with the most configurations first."""
    last = int(math.log(most, FACTOR) + 1e-9)
    return [_bracket(start, last, most) for start in range(last, -1, -1)]


def _bracket(start: int, last: int, most: int) -> list[Rung]:
    count = math.ceil((last + 1) / (start + 1) * FACTOR**start)
    rungs: list[Rung] = []
    for step in range(start + 1):
        rung = Rung(count // FACTOR**step, max(1, round(most / FACTOR ** (start - step))))
        if rung.count and (not rungs or rung.epochs > rungs[-1].epochs):
            rungs.append(rung)
    return rungs


def propose(trials: Sequence[Trial], view: View, most: int) -> Proposal | Wait | None:
    """The next trial of the plan.

    Args:
        trials: every trial so far in the order proposed; the state of those not yet to be known is 'running'.
        view: of the space without 'epochs'; a configuration is new when it was tried for no number of epochs.
        most: epochs of the last rung.

    Returns:
        The next trial; `WAIT` while a rung is not over; None when there is no new configuration left.
    """
    plan = brackets(most)
    for index in itertools.count():
        rungs = plan[index % len(plan)]
        members = [_members(trials, index, step) for step in range(len(rungs))]
        if len(members[0]) < rungs[0].count and (point := random(view)):
            return Proposal({**point, "epochs": rungs[0].epochs}, {"bracket": index, "rung": 0})
        if not members[0]:
            return None
        for step in range(1, len(rungs)):
            found = _promote(members[step - 1], members[step], rungs[step])
            if found is WAIT:
                return WAIT
            if isinstance(found, Trial):
                place = {"bracket": index, "rung": step, "parent": found.number}
                return Proposal({**found.config, "epochs": rungs[step].epochs}, place)
    return None


def _members(trials: Sequence[Trial], bracket: int, rung: int) -> list[Trial]:
    return [each for each in trials if each.place.get("bracket") == bracket and each.place.get("rung") == rung]


def _promote(below: Sequence[Trial], above: Sequence[Trial], rung: Rung) -> Trial | Wait | None:
    """The best of a rung that has not been promoted yet; None when enough have been."""
    if any(not each.is_over for each in below):
        return WAIT
    ranked = sorted((each.score, each.number, each) for each in below if each.score is not None)
    wanted = min(rung.count, max(1, len(below) // FACTOR), len(ranked))
    promoted = {each.place["parent"] for each in above}
    left = [each for _, number, each in ranked[:wanted] if number not in promoted]
    return left[0] if left else None
