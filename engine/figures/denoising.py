"""Figures on denoising: one image through several methods, and methods over the noise level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.colors import CARD, LINE, QUIET, SERIES, TEXT
from engine.figures import DISCLAIMER, base
from engine.figures.base import DPI, Image
from engine.figures.image_strips import FigureText, Strip, strips

MARKS: Final = "osD^vPX*"


@dataclass(frozen=True)
class MethodRow:
    """A method's line in one chart: a value and an interval for each level, None if there is none."""

    title: str
    values: Sequence[float | None]
    intervals: Sequence[Sequence[float] | None]
    kind: str
    crossing: float | None = None


@dataclass(frozen=True)
class Measure:
    """One chart: a measure of every method over the noise level."""

    title: str
    unit: str
    rows: Sequence[MethodRow]


def comparison(
    titles: Sequence[str], pictures: Sequence[Image], notes: Sequence[str], mask: NDArray[np.bool_] | None
) -> Figure:
    """Draw one image noise-free, noisy, and as denoised by each method, over the differences from the noise-free one.

    Args:
        titles: titles of the images; the first is the noise-free one.
        pictures: (size, size) in [0, 1].
        notes: a line below each image.
        mask: bool (size, size), a region whose outline is drawn on the images; None for none.
    """
    differences = [picture - pictures[0] for picture in pictures]
    rows = [Strip("image", pictures, notes=notes), Strip("difference", differences, signed=True)]
    figure = strips(rows, titles)
    _outline(figure, len(pictures), mask)
    return figure


def residuals(
    titles: Sequence[str], pictures: Sequence[Image], notes: Sequence[str], mask: NDArray[np.bool_] | None
) -> Figure:
    """Draw an image that is noisy already and each method's result, over what was removed; as `comparison`."""
    removed = [pictures[0] - picture for picture in pictures]
    figure = strips([Strip("image", pictures, notes=notes), Strip("removed", removed, signed=True)], titles)
    _outline(figure, len(pictures), mask)
    return figure


@dataclass(frozen=True, eq=False)
class MethodCell:
    """One image of a sheet: its title, a note below it, its difference (None for the first), a region or None."""

    title: str
    image: Image
    note: str
    difference: Image | None
    mask: NDArray[np.bool_] | None


def sheet(cells: Sequence[MethodCell], words: FigureText, lower: str) -> Figure:
    """Draw images over their differences, with a heading, and with lines of text such as warnings below.

    Args:
        cells: the images; they may have different sizes.
        words: the texts.
        lower: title of the row of differences.
    """
    images = [cell.image for cell in cells]
    differences = [np.zeros_like(cell.image) if cell.difference is None else cell.difference for cell in cells]
    rows = [Strip("image", images, notes=[cell.note for cell in cells]), Strip(lower, differences, signed=True)]
    figure = strips(rows, [cell.title for cell in cells], words)
    for axes, cell in zip(figure.axes, cells, strict=False):
        if cell.mask is not None:
            axes.contour(cell.mask, levels=[0.5], colors=[SERIES[1]], linewidths=0.7)
    return figure


def curves(sigmas: Sequence[float], measures: Sequence[Measure]) -> Figure:
    """Draw measures over the noise level, a chart each, with 95% bands and break-even points.

    Break-even is marked on the line of no denoising. Runs are drawn solid, baselines dashed; every method has its own
    color and its own marker.
    """
    figure = Figure((4.6 * len(measures) + 1.9, 3.9), dpi=DPI, facecolor=CARD, layout="constrained")
    columns = np.atleast_1d(figure.subplots(1, len(measures)))
    for axes, measure in zip(columns, measures, strict=True):
        _draw(axes, sigmas, measure)
    handles, labels = columns[0].get_legend_handles_labels()
    style = {"fontsize": 7.5, "labelcolor": TEXT, "facecolor": CARD, "edgecolor": LINE}
    figure.legend(handles, labels, loc="outside right center", **style)
    figure.supxlabel(DISCLAIMER, color=QUIET, fontsize=6.5, x=0.995, ha="right")
    return figure


def _outline(figure: Figure, count: int, mask: NDArray[np.bool_] | None) -> None:
    if mask is not None:
        for axes in figure.axes[:count]:
            axes.contour(mask, levels=[0.5], colors=[SERIES[1]], linewidths=0.7)


def _draw(axes: Axes, sigmas: Sequence[float], measure: Measure) -> None:
    levels = 255 * np.asarray(sigmas)
    for number, row in enumerate(measure.rows):
        values = np.array([np.nan if value is None else value for value in row.values], np.float64)
        shade = TEXT if row.kind == "nothing" else SERIES[(number - 1) % len(SERIES)]
        style, mark = "-" if row.kind != "baseline" else "--", MARKS[number % len(MARKS)]
        axes.plot(levels, values, style, color=shade, lw=1.6, marker=mark, ms=4, label=row.title)
        band = [(np.nan, np.nan) if each is None else each for each in row.intervals]
        low, high = np.array(band, np.float64).T
        axes.fill_between(levels, low, high, color=shade, alpha=0.12, lw=0)
        if row.crossing is not None:
            axes.axvline(255 * row.crossing, color=shade, lw=0.9, linestyle=":")
    if limits := _limits([row.values[1:] for row in measure.rows]):
        axes.set_ylim(*limits)
    axes.set_title(measure.title, color=TEXT, fontsize=9, fontweight="bold", loc="left")
    axes.set_xlabel("noise σ (8-bit levels, 0–255)", color=QUIET, fontsize=8)
    axes.set_ylabel(measure.unit, color=QUIET, fontsize=8)
    base.style_axes(axes)


def _limits(values: Sequence[Sequence[float | None]]) -> tuple[float, float] | None:
    """Return the range of the values above level 0 with a margin. Returns None if there are none.

    So neither the bands of two images nor the PSNR of nearly unchanged images flattens the lines.
    """
    found = [value for row in values for value in row if value is not None]
    if not found:
        return None
    room = 0.15 * (max(found) - min(found)) or 0.1
    return min(found) - room, max(found) + room
