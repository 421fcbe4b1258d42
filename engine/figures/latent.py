"""Figures of a latent space: maps, information per latent dimension, distances to training images, calibration.

Color and marker distinguish the groups.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.arrays import Places
from engine.colors import ACCENT, CARD, LINE, POINT_STOPS, QUIET, SERIES, TEXT
from engine.figures import DISCLAIMER, base
from engine.figures.base import DPI
from engine.figures.image_strips import FigureText
from engine.messages import FigureMap

MARKS: Final = "osD^vP"
MOST_OF: Final = 0.6
# Symbols of the shapes that the app draws; open ones are lines without an area.
SHAPES: Final = {
    **{"circle": "o", "square": "s", "triangle": "^", "diamond": "D"},
    **{"cross": "x", "plus": "+", "star": "*", "down": "v"},
}
OPEN: Final = ("cross", "plus")
GROUND: Final = "#5b6675"
HEAT: Final = LinearSegmentedColormap.from_list("engram-points", POINT_STOPS)


@dataclass(frozen=True, eq=False)
class ScatterData:
    """Images in a plane.

    Args:
        points: (n, 2).
        axes: titles of the axes.
        groups: title of a map -> a label for each image.
        mse: (n,), error of each image's reconstruction.
    """

    points: Places
    axes: tuple[str, str]
    groups: dict[str, Sequence[str]]
    mse: NDArray[np.float64]


def maps(scans: ScatterData) -> Figure:
    """Draw one map for each grouping of the images, and one colored by error; all over the same points."""
    count = len(scans.groups) + 1
    rows, columns = (count + 1) // 2, min(2, count)
    figure = Figure((5.6 * columns, 4.6 * rows), dpi=DPI, facecolor=CARD, layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for axes, (title, words) in zip(panels, scans.groups.items(), strict=False):
        _grouped(axes, scans, words)
        _titled(axes, f"by {title}", scans.axes)
        axes.legend(fontsize=6.5, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE, markerscale=1.6)
    _by_error(figure, panels[len(scans.groups)], scans)
    for axes in panels[count:]:
        axes.set_visible(False)
    figure.supxlabel(DISCLAIMER, color=QUIET, fontsize=6.5, x=0.995, ha="right")
    return figure


def _grouped(axes: Axes, scans: ScatterData, words: Sequence[str]) -> None:
    """Draw the groups, larger ones first, so that smaller ones lie on top."""
    named = np.array(words)
    known = sorted(set(words))
    for word in sorted(known, key=lambda word: -int((named == word).sum())):
        number, chosen = known.index(word), named == word
        mark, shade = MARKS[number % len(MARKS)], SERIES[number % len(SERIES)]
        # A group with nearly all images is the background of the others.
        if chosen.sum() > MOST_OF * len(words):
            mark, shade = ".", GROUND
        size = 7.0 if chosen.sum() > 400 else 16.0
        label = f"{word.replace('_', ' ')} ({chosen.sum():,})"
        x, y = scans.points[chosen].T
        axes.scatter(x, y, s=size, lw=0, alpha=0.75, label=label, marker=mark, color=shade)


def _by_error(figure: Figure, axes: Axes, scans: ScatterData) -> None:
    order = np.argsort(scans.mse)
    low, high = (max(float(np.percentile(scans.mse, share)), 1e-12) for share in (1, 99))
    scale = LogNorm(low, high) if high > 1.001 * low else None
    x, y = scans.points[order].T
    drawn = axes.scatter(x, y, c=scans.mse[order], cmap=HEAT, norm=scale, s=7, lw=0)
    bar = figure.colorbar(drawn, ax=axes, pad=0.01, extend="both")
    bar.ax.tick_params(colors=QUIET, labelsize=6.5, length=2, which="both")
    bar.ax.set_ylabel("mean squared error (intensity 0–1)", color=QUIET, fontsize=6.5)
    bar.outline.set_edgecolor(LINE)
    _titled(axes, "Reconstruction error", scans.axes)


def plane(points: NDArray[np.floating[Any]], shown: FigureMap, words: FigureText) -> Figure:
    """Draw a map as the app shows it: points by group, or by value with a color bar; marked points with their names.

    Args:
        points: (n, 3), x, y and the number of the group or the value.
        shown: titles, groups and marks.
        words: the heading above, and the lines below.
    """
    figure = Figure((7.2, 5.8), dpi=DPI, facecolor=CARD, layout="constrained")
    axes = figure.subplots()
    x, y, third = points.T
    if shown.value_title:
        order = np.argsort(third)
        low, high = (float(end) for end in np.percentile(third, (1, 99)))
        drawn = axes.scatter(x[order], y[order], c=third[order], cmap=HEAT, vmin=low, vmax=high, s=10, lw=0)
        bar = figure.colorbar(drawn, ax=axes, pad=0.01, extend="both")
        bar.ax.tick_params(colors=QUIET, labelsize=6.5, length=2)
        bar.ax.set_ylabel(shown.value_title, color=QUIET, fontsize=6.5)
    for number in sorted(range(len(shown.groups)), key=lambda number: -int((third == number).sum())):
        group, chosen = shown.groups[number], third == number
        title = f"{group.title} ({chosen.sum():,})"
        look: dict[str, Any] = {
            "color": group.color,
            "marker": SHAPES.get(group.shape, "o"),
            "lw": 0.8 * (group.shape in OPEN),
        }
        axes.scatter(x[chosen], y[chosen], s=14, alpha=0.8, label=title, **look)
    for at_x, at_y, name in shown.marked:
        axes.scatter([at_x], [at_y], s=70, facecolors="none", edgecolors=GROUND, linewidths=1.4, zorder=4)
        axes.annotate(name, (at_x, at_y), (7, 5), textcoords="offset points", color=TEXT, fontsize=7)
    _titled(axes, "", shown.axes)
    if shown.groups:
        axes.legend(fontsize=6.5, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE)
    figure.suptitle(words.heading, color=TEXT, fontsize=9, x=0.01, ha="left")
    lines = [part for line in words.lines for part in textwrap.wrap(line, 110)]
    figure.supxlabel("\n".join([*lines, DISCLAIMER]), color=QUIET, fontsize=6.5, x=0.995, ha="right")
    return figure


def ranked(values: NDArray[np.float64], active: NDArray[np.bool_], measure: str, floor: float | None) -> Figure:
    """Draw the information per latent dimension, in order; `floor` is the threshold of an active one."""
    figure, axes = _chart()
    places = np.arange(1, len(values) + 1)
    shown = np.maximum(values, 1e-9)
    axes.plot(places[active], shown[active], ".", color=ACCENT, ms=4, label=f"{int(active.sum()):,} active")
    if (~active).any():
        axes.plot(
            places[~active],
            shown[~active],
            "x",
            color=SERIES[1],
            ms=3.5,
            label=f"{int((~active).sum()):,} inactive (collapsed)",
        )
    if floor is not None:
        axes.axhline(floor, color=QUIET, lw=1, linestyle=":", label=f"{floor:g} nats")
    axes.set_yscale("log")
    _titled(axes, "Information per latent dimension", ("latent dimensions, in order", measure))
    axes.legend(fontsize=7, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE)
    return _signed(figure)


def nearest_distances(groups: dict[str, NDArray[np.float64]], limit: float, unit: str) -> Figure:
    """Draw the cumulative distribution of the nearest-neighbor ratio for each group of images, and the limit."""
    figure, axes = _chart()
    for number, (title, ratios) in enumerate(groups.items()):
        ordered = np.concatenate([[0.0], np.sort(ratios)])
        share = np.arange(len(ordered)) / max(1, len(ratios))
        style = "-" if number == 0 else ("--" if number == 1 else ":")
        axes.step(ordered, share, style, where="post", color=SERIES[number % len(SERIES)], lw=1.6, label=title)
    axes.axvline(limit, color=TEXT, lw=1, linestyle="-.", label=f"limit {limit:.2f}")
    axes.set_xlim(-0.02, 1.02)
    _titled(axes, "Distance to the nearest training image", (unit, "fraction of the images"))
    axes.legend(fontsize=7, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE, loc="center")
    return _signed(figure)


def calibration(levels: Sequence[float], coverage: Mapping[str, Sequence[float]]) -> Figure:
    """Draw observed over nominal coverage of intervals; on the diagonal they are calibrated, below it too narrow."""
    figure, axes = _chart()
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, linestyle=":", label="calibrated")
    for number, (title, shares) in enumerate(coverage.items()):
        axes.plot(levels, shares, "-o", color=SERIES[number % len(SERIES)], lw=1.6, ms=4, label=title)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    titles = ("nominal coverage", "observed coverage")
    _titled(axes, "Calibration of the posterior SD", titles)
    axes.legend(fontsize=7, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE, loc="upper left")
    return _signed(figure)


def _chart() -> tuple[Figure, Axes]:
    figure = Figure((5.4, 3.6), dpi=DPI, facecolor=CARD, layout="constrained")
    return figure, figure.subplots()


def _titled(axes: Axes, title: str, names: Sequence[str]) -> None:
    axes.set_title(title, color=TEXT, fontsize=9, fontweight="bold", loc="left")
    axes.set_xlabel(names[0], color=QUIET, fontsize=8)
    axes.set_ylabel(names[1], color=QUIET, fontsize=8)
    base.style_axes(axes)


def _signed(figure: Figure) -> Any:
    figure.supxlabel(DISCLAIMER, color=QUIET, fontsize=6.5, x=0.995, ha="right")
    return figure
