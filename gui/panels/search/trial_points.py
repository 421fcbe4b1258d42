"""The data of the panel's plots: parallel coordinates, curves, the running best, and a point for each trial."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.search.space import Numeric
from engine.search.storage import Trial
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import specs
from gui.panels.search.trial_rows import score_title, short, shown, tooltip
from gui.run_record import RunRecord
from gui.widgets.curves.points import PointAxis, Points
from gui.widgets.curves.series import Numbers
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


FindRecord = Callable[[str], RunRecord | None]
COLOR_STEPS = 20
SECONDS, PARAMETERS = "seconds", "parameters"
COSTS = {SECONDS: PointAxis("training time", kind="duration"), PARAMETERS: PointAxis("parameters", log=True)}
STATE_COLORS = {"finished": "role:accent", "stopped": "role:quiet", "failed": "role:danger", "running": "series:1"}
Plot = tuple[Points, PointAxis, PointAxis]


def history(found: SearchSnapshot) -> Plot:
    """Return the score of every trial in their order, and the best score so far as a line."""
    trials = _scored(found)
    scores = _scores(trials)
    numbers, bests = running_best(found)
    points = _points(found, trials, np.array([trial.number for trial in trials], np.float64), scores)
    # The line falls where a better trial ends, and stays level in between.
    steps = np.repeat(np.array(numbers, np.float64), 2)[1:], np.repeat(np.array(bests, np.float64), 2)[:-1]
    return replace(points, line=steps), PointAxis("trial", counts=True), _score_axis(found, scores)


def against_setting(found: SearchSnapshot, name: str) -> Plot:
    """Return the score of every trial against one of its settings."""
    trials = _scored(found)
    x, axis = _setting(found, name, trials)
    scores = _scores(trials)
    return _points(found, trials, x, scores), axis, _score_axis(found, scores)


def against_cost(found: SearchSnapshot, cost: str, find_record: FindRecord) -> Plot:
    """Return the score of every trial against its training time or parameters; the line joins the best for each."""
    trials = _scored(found)
    x, scores = np.array([cost_of(trial, cost, find_record) for trial in trials], np.float64), _scores(trials)
    points = _points(found, trials, x, scores)
    front = pareto_front(x, scores)
    return replace(points, line=(x[front], scores[front])), COSTS[cost], _score_axis(found, scores)


def two_settings(found: SearchSnapshot, across: str, along: str) -> Plot:
    """Return the trials over two settings, colored by the rank of their score, with the mean rank between them."""
    trials = _scored(found)
    (x, x_axis), (y, y_axis) = (_setting(found, name, trials) for name in (across, along))
    ranks = rank_shares(_scores(trials))
    points = _points(found, trials, x, y)
    return replace(points, heat=ranks), x_axis, y_axis


def timeline(found: SearchSnapshot, find_record: FindRecord) -> Plot:
    """Return a bar for every trial from its start to its end, by the clock."""
    trials = [trial for trial in found.trials if trial.seconds or trial.state == "running"]
    starts = [_start_of(trial, find_record) for trial in trials]
    ends = [start + max(trial.seconds, 1.0) for start, trial in zip(starts, trials, strict=True)]
    points = Points(
        tuple(str(trial.number) for trial in trials),
        np.array(starts, np.float64),
        np.array([trial.number for trial in trials], np.float64),
        tuple(STATE_COLORS.get(trial.state, "role:quiet") for trial in trials),
        _tips(found, trials),
        ends=np.array(ends, np.float64),
    )
    return points, PointAxis("clock time", kind="clock"), PointAxis("trial", counts=True)


def pareto_front(costs: Sequence[float] | Numbers, scores: Sequence[float] | Numbers) -> list[int]:
    """Return the places of the trials that no cheaper trial beats, the cheapest first.

    Example:
        >>> pareto_front([3.0, 1.0, 2.0, 4.0], [0.1, 0.5, 0.6, 0.2])
        [1, 0]
    """
    best, front = math.inf, []
    for place in sorted(range(len(costs)), key=lambda at: (costs[at], scores[at])):
        if math.isfinite(costs[place]) and scores[place] < best:
            best = scores[place]
            front.append(place)
    return front


def cost_of(trial: Trial, cost: str, find_record: FindRecord) -> float:
    """Return the training time or the parameters of a trial; not a number if they are not known."""
    if cost == SECONDS:
        return trial.seconds or math.nan
    record = find_record(trial.run)
    return float(record.started.parameters) if record and record.started else math.nan


def rank_shares(scores: Sequence[float] | Numbers) -> Numbers:
    """Return the rank of each score as a share, 0 for the best and 1 for the worst."""
    order = np.argsort(np.argsort(scores, kind="stable"), kind="stable")
    return order / max(len(order) - 1, 1)


def _start_of(trial: Trial, find_record: FindRecord) -> float:
    record = find_record(trial.run)
    return record.started.time if record and record.started else trial.proposed_at


def _scored(found: SearchSnapshot) -> list[Trial]:
    return [trial for trial in found.trials if trial.is_done and trial.score is not None]


def _scores(trials: Sequence[Trial]) -> Numbers:
    return np.array([trial.score for trial in trials], np.float64)


def _points(found: SearchSnapshot, trials: Sequence[Trial], x: Numbers, y: Numbers) -> Points:
    """Return points in the colors of their rank; those of trials that were pruned or stopped are gray."""
    shares = rank_shares(_scores(trials))
    colors = [
        f"score:{round(share * COLOR_STEPS) / COLOR_STEPS:.2f}" if trial.state == "finished" else "role:quiet"
        for trial, share in zip(trials, shares, strict=True)
    ]
    return Points(tuple(str(trial.number) for trial in trials), x, y, tuple(colors), _tips(found, trials))


def _tips(found: SearchSnapshot, trials: Sequence[Trial]) -> Callable[[str], str]:
    """Return a function from a key to the tool tip of its trial."""
    by_key = {str(trial.number): trial for trial in trials}
    return lambda key: tooltip(found, by_key[key])


def _setting(found: SearchSnapshot, name: str, trials: Sequence[Trial]) -> tuple[Numbers, PointAxis]:
    axis = axis_of(found, name, list(trials))
    values = np.array(axis_values(axis, [trial.config.get(name) for trial in trials]), np.float64)
    return values, PointAxis(axis.title, log=axis.log, words=axis.words)


def _score_axis(found: SearchSnapshot, scores: Numbers) -> PointAxis:
    return PointAxis(score_title(found), log=spans_decades(scores.tolist()))


def plot_of(found: SearchSnapshot, view: tuple[str, str, str], find_record: FindRecord) -> Plot:
    """Return a plot by its kind ('slice', 'contour', 'pareto' or 'timeline') and the names of its axes."""
    kind, across, along = view
    if kind == "timeline":
        return timeline(found, find_record)
    if kind == "contour":
        return two_settings(found, across, along)
    return against_cost(found, across, find_record) if kind == "pareto" else against_setting(found, across)


def axes_for(found: SearchSnapshot, kind: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the two axes of a kind of plot can show, key -> title."""
    settings = {name: axis_of(found, name, []).title for name in found.plan.space.names if name != SCORE}
    across = {"pareto": {key: axis.title.capitalize() for key, axis in COSTS.items()}, "timeline": {}}
    return across.get(kind, settings), settings if kind == "contour" else {}
