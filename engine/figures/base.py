"""Figures for export: curves, grids of images, single images. Uses Matplotlib without its global state.

Images are (height, width) in [0, 1], drawn from black to white without rescaling. Differences are reconstruction minus
original, on a signed colormap that is symmetric around zero, with a color bar.
"""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize, to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from engine.colors import CARD, FIELD, LINE, QUIET, SERIES, TEXT
from engine.durable import write_output
from engine.figures import DISCLAIMER
from engine.figures.style import HEAT, SIGNED
from engine.formatting import make_printable

Image = NDArray[np.floating[Any]]
DPI = 150
PICTURE_PX = 512
STRIP_PX = 28
BAR_PX = 108
TITLE_LETTERS = 20
LAST_LATIN = 0x24F
FALLBACK_FONTS = (
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans"),
    *("Arial Unicode MS", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo"),
    *("Microsoft YaHei", "MS Gothic", "Malgun Gothic", "Segoe UI", "Nirmala UI"),
)
DIFFERENCE = "reconstruction − original"
# Colors of the dark theme, and of the same parts on paper.
ON_PAPER = {CARD: "#ffffff", FIELD: "#ffffff", LINE: "#bbbbbb", TEXT: "#000000", QUIET: "#444444"}


@dataclass(frozen=True)
class Column:
    """One column of a grid: a title over images, one per row; `signed` ones are differences."""

    title: str
    images: Sequence[Image]
    signed: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Curve:
    """One line of a chart: a value for each epoch."""

    title: str
    epochs: Sequence[float]
    values: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves on shared axes; `best` is the marked epoch, `floor` a lower limit of the values."""

    title: str
    unit: str
    curves: Sequence[Curve]
    best: int | None = None
    floor: float | None = None
    color: str = SERIES[0]
    log: bool = False


def png(figure: Figure) -> bytes:
    """Encode a figure as a PNG file, with the disclaimer in its description too."""
    file = io.BytesIO()
    with _letter_for_letter(figure):
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": "Engram", "Description": DISCLAIMER})
    return file.getvalue()


def pdf(figure: Figure) -> bytes:
    """Encode a figure as a PDF file with vector lines; without a date, so that the same figure gives the same file."""
    file = io.BytesIO()
    facts = {"Creator": "Engram", "Subject": DISCLAIMER, "CreationDate": None}
    with _letter_for_letter(figure):
        FigureCanvasPdf(figure).print_pdf(file, metadata=facts)
    return file.getvalue()


def svg(figure: Figure) -> bytes:
    """Encode a figure as an SVG file with vector lines and texts, without a date."""
    file = io.BytesIO()
    facts = {"Creator": "Engram", "Description": DISCLAIMER, "Date": None}
    with _letter_for_letter(figure), rc_context({"svg.fonttype": "none", "svg.hashsalt": "engram"}):
        FigureCanvasSVG(figure).print_svg(file, metadata=facts)
    return file.getvalue()


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as a PDF or SVG file if the name of the path ends so, else as a PNG file."""
    encode = {".pdf": pdf, ".svg": svg}.get(path.suffix.casefold(), png)
    write_output(path, encode(figure))
    return path


@contextmanager
def _letter_for_letter(figure: Figure) -> Iterator[None]:
    """Keep the texts of a figure from being read as formulas: a file's name may have dollars, or be no UTF-8.

    Tick labels stay as they are; logarithmic axes write theirs as formulas. Letters that no installed font has become
    boxes, without a warning for each.
    """
    axes = [axis for each in figure.axes for axis in (each.xaxis, each.yaxis)]
    ticks = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks)]
    labels = {id(label) for tick in ticks for label in (tick.label1, tick.label2)}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in labels:
            text.set_parse_math(False)
            text.set_text(make_printable(text.get_text()))
            if any(ord(letter) > LAST_LATIN for letter in text.get_text()):
                text.set_fontfamily(["DejaVu Sans", *_list_fallback_fonts()])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph ")
        yield


@contextmanager
def light(figure: Figure) -> Iterator[None]:
    """Give a figure dark text on white, for paper; its images and lines stay as they are."""
    changed = [(artist, name, getattr(artist, f"get_{name}")()) for artist, name in _list_colored(figure)]
    for artist, name, before in changed:
        if (new := ON_PAPER.get(to_hex(before, keep_alpha=False))) is not None and to_rgba(before)[3]:
            getattr(artist, f"set_{name}")(new)
    try:
        yield
    finally:
        for artist, name, before in changed:
            getattr(artist, f"set_{name}")(before)


def _list_colored(figure: Figure) -> Iterator[tuple[Any, str]]:
    """Yield the parts of a figure that may have a color of the theme, and the name of that color."""
    for artist in figure.findobj():
        if isinstance(artist, Patch):
            yield artist, "facecolor"
            yield artist, "edgecolor"
        elif isinstance(artist, Text | Line2D):
            yield artist, "color"


@cache
def _list_fallback_fonts() -> list[str]:
    """Return the installed fonts that have the letters of other scripts."""
    installed = {font.name for font in fontManager.ttflist}
    return [name for name in FALLBACK_FONTS if name in installed]


def difference_limit(differences: Sequence[Image]) -> float:
    """Return the limit of the shared scale of some differences. It covers 99.5% of their pixels, rounded up to 0.05."""
    sizes = np.concatenate([np.zeros(0), *(np.abs(image).ravel() for image in differences)])
    most = float(np.percentile(sizes, 99.5)) if len(sizes) else 0.0
    return max(math.ceil(most * 20 - 1e-6) / 20, 0.05)


def picture(image: Image, title: str) -> Figure:
    """Draw one image, each pixel as a block of whole pixels, over a strip with a title and the disclaimer."""
    pixels = _enlarged(image)
    figure = _canvas(pixels.shape[1], pixels.shape[0] + STRIP_PX)
    figure.figimage(pixels, 0, STRIP_PX, cmap="gray", vmin=0, vmax=1)
    _title_strip(figure, title)
    return figure


def difference(image: Image, limit: float, title: str) -> Figure:
    """Draw one signed difference from -limit to limit, each pixel as a block of whole pixels, with a color bar."""
    figure, bar = _with_bar(image, title, cmap=SIGNED, vmin=-limit, vmax=limit)
    draw_color_bar(figure, bar, limit, [image])
    return figure


def heat_map(image: Image, unit: str, title: str) -> Figure:
    """Draw one map from 0 to its largest value, each pixel as a block of whole pixels, with a color bar."""
    top = max(float(np.max(image)), 1e-6)
    figure, axes = _with_bar(image, title, cmap=HEAT, vmin=0, vmax=top)
    bar = figure.colorbar(ScalarMappable(Normalize(0, top), HEAT), cax=axes)
    bar.set_ticks([0, top / 2, top], labels=["0", f"{top / 2:.3g}", f"{top:.3g}"])
    _style_bar(bar, unit)
    return figure


def _with_bar(image: Image, title: str, **colors: Any) -> tuple[Figure, Axes]:
    """Draw one image in colors; return the figure, and the empty axes of its color bar."""
    pixels = _enlarged(image)
    height, width = pixels.shape[0] + STRIP_PX, pixels.shape[1] + BAR_PX
    figure = _canvas(width, height)
    figure.figimage(pixels, 0, STRIP_PX, **colors)
    _title_strip(figure, title)
    place = 1 - 90 / width, (STRIP_PX + 24) / height, 14 / width, 1 - (STRIP_PX + 48) / height
    return figure, figure.add_axes(place)


def grid(
    columns: Sequence[Column], rows: Sequence[str], cell_inches: float = 1.5, limit: float | None = None
) -> Figure:
    """Draw images in rows and columns; all differences share one scale, whose color bar is at the right.

    Args:
        columns: their images may differ in size from row to row.
        rows: a title for each row.
        cell_inches: side of one image.
        limit: limit of the scale of the differences; computed from them if None.
    """
    signed = [image for column in columns if column.signed for image in column.images]
    limit = limit or difference_limit(signed)
    top = 0.42 if any(column.title for column in columns) else 0.1
    left, right, bottom, gap = 1.35, 0.95 if signed else 0.12, 0.36, 0.07
    noted = 0.22 if any(column.notes for column in columns) else 0.0
    width = left + len(columns) * (cell_inches + gap) + right
    height = top + len(rows) * (cell_inches + gap + noted) + bottom
    figure = Figure((width, height), dpi=DPI, facecolor=CARD)
    for x, column in enumerate(columns):
        for y, image in enumerate(column.images):
            corner = left + x * (cell_inches + gap), height - top - (y + 1) * (cell_inches + gap + noted) + gap + noted
            place = corner[0] / width, corner[1] / height, cell_inches / width, cell_inches / height
            axes = draw_cell(figure, place, image, limit if column.signed else None)
            if y == 0:
                axes.set_title(elide(column.title), color=TEXT, fontsize=8, fontweight="bold", pad=7)
            if column.notes:
                axes.set_xlabel(column.notes[y], color=QUIET, fontsize=6.5, labelpad=3)
            if x == 0:
                axes.set_ylabel(elide(rows[y]), color=TEXT, fontsize=8, rotation=0, ha="right", va="center", labelpad=8)
    if signed:
        span = min(2.6, height - top - bottom - noted)
        bar = figure.add_axes((1 - 0.8 / width, (height - top - span) / height, 0.09 / width, span / height))
        draw_color_bar(figure, bar, limit, signed)
    add_disclaimer(figure)
    return figure


def curves(charts: Sequence[Chart]) -> Figure:
    """Draw charts side by side: training solid, validation dashed, the best epoch marked."""
    figure = Figure((5.0 * len(charts), 3.3), dpi=DPI, facecolor=CARD, layout="constrained")
    for axes, chart in zip(np.atleast_1d(figure.subplots(1, len(charts))), charts, strict=True):
        _draw_chart(axes, chart)
    figure.supxlabel(DISCLAIMER, color=QUIET, fontsize=6.5, x=0.995, ha="right")
    return figure


def _draw_chart(axes: Axes, chart: Chart) -> None:
    for curve in chart.curves:
        marker = "o" if len(curve.values) < 3 else ""
        style = "--" if curve.dashed else "-"
        axes.plot(curve.epochs, curve.values, style, color=chart.color, lw=1.8, marker=marker, ms=4, label=curve.title)
        if chart.best is not None and curve.dashed and chart.best in curve.epochs:
            lowest = curve.values[curve.epochs.index(chart.best)]
            axes.plot([chart.best], [lowest], "D", color=TEXT, ms=5, label=f"best, epoch {chart.best}", zorder=5)
    if chart.floor is not None:
        axes.axhline(chart.floor, color=QUIET, lw=1, linestyle=":", label="entropy floor")
    if chart.log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:,.6g}"))
    axes.set_title(chart.title, color=TEXT, fontsize=9, fontweight="bold", loc="left")
    axes.set_xlabel("epoch", color=QUIET, fontsize=8)
    axes.set_ylabel(chart.unit, color=QUIET, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style_axes(axes)
    axes.legend(fontsize=7, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE)


def style_axes(axes: Axes) -> None:
    """Style a chart like the app: card, subtle grid, small labels."""
    axes.set_facecolor(CARD)
    axes.grid(color=LINE, lw=0.7, which="both")
    axes.tick_params(colors=QUIET, labelsize=7, which="both", length=0)
    for spine in axes.spines.values():
        spine.set_color(LINE)


def add_disclaimer(figure: Figure) -> None:
    """Put the disclaimer into the lower right corner."""
    figure.text(
        1 - 0.12 / figure.get_figwidth(),
        0.1 / figure.get_figheight(),
        DISCLAIMER,
        color=QUIET,
        fontsize=6.5,
        ha="right",
    )


def draw_cell(figure: Figure, place: tuple[float, float, float, float], image: Image, limit: float | None) -> Axes:
    """Draw one image, black to white, or a signed difference from -limit to limit, at a place of the figure."""
    axes = figure.add_axes(place)
    if limit is None:
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    else:
        axes.imshow(image, cmap=SIGNED, vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def elide(text: str, letters: int = TITLE_LETTERS) -> str:
    """Shorten a long title in the middle, so that it fits its image."""
    return text if len(text) <= letters else f"{text[: letters // 2]}…{text[-letters // 2 + 1 :]}"


def draw_color_bar(figure: Figure, axes: Axes, limit: float, differences: Sequence[Image]) -> None:
    """Draw the color bar of differences; its ends are pointed if some pixels lie beyond them."""
    beyond = any(float(np.max(np.abs(image))) > limit for image in differences)
    scale = ScalarMappable(Normalize(-limit, limit), SIGNED)
    bar = figure.colorbar(scale, cax=axes, extend="both" if beyond else "neither")
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:g}", "0", f"+{limit:g}"])
    _style_bar(bar, DIFFERENCE)


def _style_bar(bar: Colorbar, unit: str) -> None:
    bar.ax.tick_params(colors=QUIET, labelsize=6.5, length=2)
    bar.ax.set_ylabel(unit, color=QUIET, fontsize=6.5)
    bar.outline.set_edgecolor(LINE)


def _enlarged(image: Image) -> Image:
    """Repeat each pixel, so that the image is about 512 pixels wide."""
    times = max(1, round(PICTURE_PX / image.shape[1]))
    return np.repeat(np.repeat(image, times, axis=0), times, axis=1)


def _canvas(width: int, height: int) -> Figure:
    return Figure((width / DPI, height / DPI), dpi=DPI, facecolor=CARD)


def _title_strip(figure: Figure, title: str) -> None:
    y = STRIP_PX / 2 / (figure.get_figheight() * DPI)
    figure.text(0.015, y, title, color=TEXT, fontsize=5.5, va="center")
    figure.text(0.985, y, DISCLAIMER, color=QUIET, fontsize=5.5, va="center", ha="right")
