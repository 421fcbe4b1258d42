"""Curves of ranked runs: the best stands out in the accent color, the worst recedes into the background."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from engine.figures import base
from engine.figures.base import DPI
from engine.figures.style import ACCENT, CARD, LINE, QUIET, SERIES, TEXT

RANKS = LinearSegmentedColormap.from_list("engram-ranks", ["#3a4250", "#4a6472", "#4d9096", ACCENT])


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
