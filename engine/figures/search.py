"""Figures of a search: each trial as a line to its loss, the effect of each setting, and curves of ranked runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from engine.colors import ACCENT, CARD, FIELD, LINE, QUIET, RANK_STOPS, SERIES, TEXT
from engine.figures import base
from engine.figures.base import DPI


@dataclass(frozen=True)
class SearchAxis:
    """One axis: its title, and positions on it (0 at the bottom, 1 at the top) with their labels."""

    title: str
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class EffectEstimate:
    """Effect of a setting on the loss over its whole range.

    Args:
        title: name of the setting.
        middle: the effect.
        low: lower end of its 95% interval.
        high: upper end.
    """

    title: str
    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class SearchFigure:
    """Trials and their losses.

    Args:
        scales: one for each setting.
        places: (trials, settings), position of each trial's value on its scale; nan if the setting was inactive.
        losses: (trials,), finite.
        unit: unit of the losses.
        effects: effects of the settings, the largest first; empty if there are too few trials.
        is_relative: whether effects are shares of the loss.
    """

    scales: Sequence[SearchAxis]
    places: NDArray[np.float64]
    losses: NDArray[np.float64]
    unit: str
    effects: Sequence[EffectEstimate] = ()
    is_relative: bool = True


def draw_search(search: SearchFigure) -> Figure:
    """Draw parallel coordinates at the left, the effects of the settings at the right."""
    figure = Figure((10.2, 4.0), dpi=DPI, facecolor=CARD)
    right = 0.68 if search.effects else 0.92
    _lines(figure.add_axes((0.045, 0.1, right, 0.76)), search)
    if search.effects:
        _bars(figure.add_axes((0.85, 0.2, 0.13, 0.56)), search)
    base.add_disclaimer(figure)
    return figure


def _lines(axes: Axes, search: SearchFigure) -> None:
    axes.set_facecolor(FIELD)
    last = len(search.scales)
    heights, low, high = _heights(search.losses)
    order = np.argsort(search.losses)
    for rank in reversed(range(len(order))):
        trial = order[rank]
        ys = [*_inside(search.places[trial]), heights[trial]]
        width = 2.4 if rank == 0 else 1.0
        axes.plot(range(last + 1), ys, color=rank_color(rank, len(order)), lw=width, solid_capstyle="round")
    for column, scale in enumerate(search.scales):
        axes.axvline(column, color=LINE, lw=1, zorder=0)
        _title(axes, column, scale.title)
        for place, text in scale.ticks:
            axes.text(column + 0.03, _inside(place) + 0.015, text, color=TEXT, fontsize=7, zorder=200)
    axes.axvline(last, color=LINE, lw=1, zorder=0)
    _title(axes, last, search.unit)
    for value, height in ((low, 0.04), (high, 0.96)):
        axes.text(last + 0.03, height, f"{value:,.5g}", color=TEXT, fontsize=7, va="center")
    axes.set_xlim(-0.12, last + 0.42)
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _inside(places: Any) -> Any:
    """Convert positions in [0, 1] to heights that leave a margin at both ends."""
    return 0.04 + 0.92 * places


def _heights(losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Convert losses to positions by their logarithm, the smallest at the bottom."""
    low, high = float(losses.min()), float(losses.max())
    if low == high:
        return np.full(len(losses), 0.5), low, high
    shares = (np.log(losses) - np.log(low)) / (np.log(high) - np.log(low))
    return _inside(shares), low, high


def _title(axes: Axes, column: int, text: str) -> None:
    axes.text(column, 1.03, text, color=TEXT, fontsize=8, fontweight="bold", ha="center")


def _bars(axes: Axes, search: SearchFigure) -> None:
    """Draw one bar per setting with its interval, the largest on top; a bar is pale if its sign is uncertain."""
    for row, effect in enumerate(reversed(search.effects)):
        sure = effect.low * effect.high > 0
        axes.barh(row, effect.middle, color=ACCENT, height=0.3, alpha=1.0 if sure else 0.4)
        axes.plot([effect.low, effect.high], [row, row], color=TEXT, lw=1.1, solid_capstyle="butt")
        written, under = _written(effect.middle, search.is_relative), {"facecolor": CARD, "edgecolor": "none", "pad": 1}
        axes.text(0, row + 0.22, written, color=QUIET, fontsize=7, ha="center", bbox=under)
    axes.axvline(0, color=QUIET, lw=0.8, zorder=0)
    axes.set_yticks(range(len(search.effects)), [effect.title for effect in reversed(search.effects)])
    axes.set_ylim(-0.5, len(search.effects) - 0.3)
    axes.set_title("lowest → highest value", color=TEXT, fontsize=8, fontweight="bold")
    base.style_axes(axes)
    axes.grid(visible=False)
    axes.tick_params(colors=TEXT, labelsize=8)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _written(effect: float, is_relative: bool) -> str:
    return (f"{effect:+.0%}" if is_relative else f"{effect:+.3g}").replace("-", "−")


RANKS = LinearSegmentedColormap.from_list("engram-ranks", RANK_STOPS)


@dataclass(frozen=True)
class Ranked:
    """One run's curves: a value for each epoch."""

    title: str
    epochs: Sequence[float]
    training: Sequence[float]
    validation: Sequence[float]


@dataclass(frozen=True)
class ReferenceLine:
    """A reference value, drawn as a horizontal line."""

    title: str
    value: float


def rank_color(rank: int, count: int) -> tuple[float, ...]:
    """Return the color of a rank, from 0 for the best."""
    return tuple(RANKS(1.0 if count < 2 else 1 - 0.95 * rank / (count - 1)))


def draw_ranked_curves(
    runs: Sequence[Ranked], unit: str, levels: Sequence[ReferenceLine] = (), log: bool = False
) -> Figure:
    """Draw training and validation loss of runs side by side on one scale, the best run last and strongest.

    Args:
        runs: the best first.
        unit: unit of the values.
        levels: reference values.
        log: whether the axis is logarithmic.
    """
    figure = Figure((10.2, 3.9), dpi=DPI, facecolor=CARD, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, name, style in ((left, "training", "-"), (right, "validation", "--")):
        for rank in reversed(range(len(runs))):
            run = runs[rank]
            marker = "o" if len(run.epochs) < 3 else ""
            kind = {
                "color": rank_color(rank, len(runs)),
                "lw": 2.2 if rank == 0 else 1.3,
                "zorder": 3 + len(runs) - rank,
            }
            axes.plot(run.epochs, getattr(run, name), style, marker=marker, ms=4, label=run.title, **kind)
        _finish(axes, levels, log)
        axes.set_title(name, color=TEXT, fontsize=9, fontweight="bold", loc="left")
    left.set_ylabel(unit, color=QUIET, fontsize=8)
    handles, titles = right.get_legend_handles_labels()
    ranks, others = list(range(len(runs)))[::-1], list(range(len(runs), len(handles)))
    order = [*ranks, *others]
    figure.legend(
        [handles[each] for each in order],
        [titles[each] for each in order],
        loc="outside lower left",
        ncols=2,
        fontsize=7,
        labelcolor=TEXT,
        facecolor=CARD,
        edgecolor=LINE,
    )
    figure.suptitle(" ", fontsize=3)
    base.add_disclaimer(figure)
    return figure


def _finish(axes: Axes, levels: Sequence[ReferenceLine], log: bool) -> None:
    for level, shade in zip(levels, SERIES[1:], strict=False):
        axes.axhline(level.value, color=shade, lw=1.1, linestyle=":", label=level.title)
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:,.6g}"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch", color=QUIET, fontsize=8)
    base.style_axes(axes)
