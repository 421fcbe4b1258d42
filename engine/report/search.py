"""A search as a picture: every trial a line across its settings to its loss, and how much each setting explains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.report import figures, ranked
from engine.report.figures import DPI
from engine.report.style import ACCENT, CARD, FIELD, LINE, QUIET, TEXT


@dataclass(frozen=True)
class Scale:
    """One axis: its title and the values that it can have, lowest first."""

    title: str
    values: Sequence[float]


@dataclass(frozen=True)
class Search:
    """Trials and their losses.

    Args:
        scales: one for each setting.
        points: (trials, settings), the index of each trial's value on its scale.
        losses: (trials,), finite.
        unit: what the losses are.
    """

    scales: Sequence[Scale]
    points: NDArray[np.int64]
    losses: NDArray[np.float64]
    unit: str


def importance(search: Search) -> Mapping[str, float]:
    """Share of the spread of the losses' logarithm that each setting explains alone (correlation ratio, eta squared).

    Returns:
        title of the setting -> share from 0 to 1; nan where all losses are equal.
    """
    values = np.log(search.losses)
    spread = float(np.sum((values - values.mean()) ** 2))
    shares = {}
    for column, scale in enumerate(search.scales):
        groups = [values[search.points[:, column] == each] for each in np.unique(search.points[:, column])]
        between = sum(len(group) * (group.mean() - values.mean()) ** 2 for group in groups)
        shares[scale.title] = float(between / spread) if spread else float("nan")
    return shares


def draw(search: Search) -> Figure:
    """Parallel coordinates at the left, the shares of `importance` at the right."""
    figure = Figure((10.2, 4.0), dpi=DPI, facecolor=CARD)
    _lines(figure.add_axes((0.045, 0.1, 0.68, 0.76)), search)
    _bars(figure.add_axes((0.84, 0.2, 0.13, 0.56)), importance(search))
    figures.sign(figure)
    return figure


def _lines(axes: Axes, search: Search) -> None:
    axes.set_facecolor(FIELD)
    last = len(search.scales)
    steps = [np.linspace(0.04, 0.96, len(scale.values)) if len(scale.values) > 1 else [0.5] for scale in search.scales]
    heights, low, high = _heights(search.losses)
    order = np.argsort(search.losses)
    for rank in reversed(range(len(order))):
        trial = order[rank]
        ys = [steps[column][place] for column, place in enumerate(search.points[trial])] + [heights[trial]]
        width = 2.4 if rank == 0 else 1.0
        axes.plot(range(last + 1), ys, color=ranked.colour(rank, len(order)), lw=width, solid_capstyle="round")
    for column, scale in enumerate(search.scales):
        axes.axvline(column, color=LINE, lw=1, zorder=0)
        _title(axes, column, scale.title)
        for value, height in zip(scale.values, steps[column], strict=True):
            axes.text(column + 0.03, height + 0.015, f"{value:g}", color=TEXT, fontsize=7, zorder=200)
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


def _heights(losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Place losses on their axis by their logarithm, the smallest at the bottom."""
    low, high = float(losses.min()), float(losses.max())
    if low == high:
        return np.full(len(losses), 0.5), low, high
    shares = (np.log(losses) - np.log(low)) / (np.log(high) - np.log(low))
    return 0.04 + 0.92 * shares, low, high


def _title(axes: Axes, column: int, text: str) -> None:
    axes.text(column, 1.03, text, color=TEXT, fontsize=8, fontweight="bold", ha="center")


def _bars(axes: Axes, shares: Mapping[str, float]) -> None:
    ordered = sorted(shares.items(), key=lambda item: item[1])
    axes.barh([title for title, _ in ordered], [share for _, share in ordered], color=ACCENT, height=0.3)
    for row, (_, share) in enumerate(ordered):
        axes.text(share + 0.02, row, f"{share:.0%}", color=QUIET, fontsize=7, va="center")
    axes.set_xlim(0, 1)
    axes.set_title("explains alone", color=TEXT, fontsize=8, fontweight="bold", loc="left")
    figures.dress(axes)
    axes.grid(visible=False)
    axes.tick_params(colors=TEXT, labelsize=8)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
