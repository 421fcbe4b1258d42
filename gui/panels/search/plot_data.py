"""The data of the panel's plots: parallel coordinates, loss curves, and the running best."""

import math
from typing import Any

import numpy as np

from engine.search.space import Numeric
from engine.search.storage import Trial
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import specs
from gui.panels.search.trial_rows import score_title, short, shown
from gui.widgets.parallel.model import DROPPED, FAILED, GOOD, Lines, ParallelAxis

SCORE = "score"
DECADE = 10.0
KINDS = {"failed": FAILED, "stopped": DROPPED}
TOP = 10
FEW_MARKS = 8  # a range of at most as many integers has a tick at each, and none between them


def parallel_data(found: SearchSnapshot) -> tuple[list[ParallelAxis], Lines]:
    """Return the axes of a search, the score last, and a line for each trial that has ended."""
    trials = [trial for trial in found.trials if trial.is_done]
    axes = [axis_of(found, name, trials) for name in found.plan.space.names]
    columns = [axis_values(axis, [trial.config.get(axis.key) for trial in trials]) for axis in axes]
    scores = [math.nan if trial.score is None else trial.score for trial in trials]
    axes.append(ParallelAxis(SCORE, score_title(found), log=spans_decades(scores), none="no score"))
    values = np.array([*columns, scores], np.float64).T.reshape(len(trials), len(axes))
    kinds = np.array([KINDS.get(trial.state, GOOD) for trial in trials], np.int8)
    return axes, Lines(tuple(str(trial.number) for trial in trials), values, kinds, SCORE)


def axis_of(found: SearchSnapshot, name: str, trials: list[Trial]) -> ParallelAxis:
    dimension = next(each for each in found.plan.space.dimensions if each.name == name)
    if isinstance(dimension, Numeric):
        few = dimension.count is not None and dimension.count <= FEW_MARKS
        whole = range(int(dimension.low), int(dimension.high) + 1) if few else ()
        return ParallelAxis(name, short(name), marks=tuple(map(float, whole)), log=dimension.log, none="off")
    tried = [trial.config[name] for trial in trials if name in trial.config]
    values = list(dict.fromkeys([*dimension.values, *tried]))
    if dimension.is_ordered:
        marks = sorted(float(value) for value in values)
        log = specs()[name].log or (marks[0] > 0 and marks[-1] >= 4 * marks[0])
        return ParallelAxis(name, short(name), marks=tuple(marks), log=log, none="off")
    return ParallelAxis(name, short(name), words=tuple(shown(value) for value in values), none="off")


def axis_values(axis: ParallelAxis, values: list[Any]) -> list[float]:
    """Return the trials' positions on an axis; the position of a category is looked up once for all its trials."""
    if not axis.words:
        return [math.nan if value is None else float(value) for value in values]
    known = {value: float(axis.words.index(shown(value))) for value in set(values) - {None}}
    return [known.get(value, math.nan) for value in values]


def spans_decades(scores: list[float]) -> bool:
    """Return whether the scores spread so far that a linear axis would crowd the good ones together."""
    known = [score for score in scores if math.isfinite(score)]
    return bool(known) and min(known) > 0 and max(known) > DECADE * min(known)


def running_best(found: SearchSnapshot) -> tuple[list[int], list[float]]:
    """Return the numbers of the trials that have ended, and the best score up to each."""
    numbers: list[int] = []
    bests: list[float] = []
    for trial in found.trials:
        if trial.state == "finished" and trial.score is not None:
            bests.append(min(trial.score, bests[-1]) if bests else trial.score)
            numbers.append(trial.number)
    return numbers, bests


def top_trials(found: SearchSnapshot) -> list[tuple[Trial, str]]:
    """Return the ten best trials and the running ones, with the color key of their curves."""
    best = found.scored()[:TOP]
    last = max(len(best) - 1, 1)
    ranked = [(trial, f"score:{place / last:.3f}") for place, trial in enumerate(best)]
    running = [trial for trial in found.trials if trial.state == "running" and found.busy]
    return ranked + [(trial, "series:1") for trial in running]
