"""Hyperband (Li et al. 2018): many configurations for few epochs, the best third for three times as many, and so on.

A promoted configuration is a trial of its own that continues from its parent's last epoch, so nothing is trained
twice. KerasTuner's oracle draws from a random stream that it does not save; this one is a pure function of the trials
so far.
"""

import itertools
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from engine.config import RunConfig
from engine.messages import JobEnded
from engine.runs import NOT_COPIED, Run, retarget_event, write_text_atomic
from engine.search.samplers import SamplerContext, sample_random
from engine.search.space import Values
from engine.search.storage import Trial

FACTOR = 3


class Status(Enum):
    """States in which nothing can be proposed before more trials have ended."""

    IDLE = "wait"


IDLE = Status.IDLE


@dataclass(frozen=True)
class Suggestion:
    """A proposed configuration, and its position in the algorithm's brackets."""

    values: Values
    bracket: Mapping[str, Any] = field(default_factory=dict)


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


def suggest(trials: Sequence[Trial], view: SamplerContext, max_epochs: int) -> Suggestion | Status | None:
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
                place = {"bracket": index, "rung": step, "parent": found.number}
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


def can_continue_exactly(settings: RunConfig) -> bool:
    """Return whether more epochs leave the first ones unchanged: no schedule that stretches over all of them."""
    return settings.training.schedule == "constant" and not settings.training.warm_up


def continue_from(parent: Run, path: Path) -> None:
    """Copy all of a run but its settings to a new folder, to continue there for more epochs.

    An interrupted copy is no run and is repeated; an existing one stays as it is.

    Args:
        parent: a run that has ended.
        path: the new run's folder.
    """
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(parent.path, temporary, ignore=shutil.ignore_patterns("config.json", *NOT_COPIED))
    events = [event for event in parent.events() if not isinstance(event, JobEnded)]
    write_text_atomic(
        temporary / "events.jsonl", "".join(retarget_event(event, path).to_json_line() for event in events)
    )
    os.replace(temporary, path)
