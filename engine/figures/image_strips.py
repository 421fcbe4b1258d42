"""Images in strips: one column per image, one row each for original, reconstruction, difference."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from engine.colors import CARD, QUIET, TEXT
from engine.figures import base
from engine.figures.base import DPI, Image
from engine.figures.style import HEAT

TITLE_LETTERS = 16
CELL, GAP, NOTE = 1.3, 0.06, 0.2
LEFT, RIGHT, TOP, BOTTOM = 1.2, 0.9, 0.38, 0.34
# Height of the heading and of a line of text in inches, and letters on an inch.
HEADING, LINE_HEIGHT, LETTERS = 0.26, 0.15, 15


@dataclass(frozen=True)
class Strip:
    """One row: a title before its images, and a note below each; `signed` ones are differences.

    `limits` says whether the images are drawn as a heat map, and the values of its ends, or of black and white.
    """

    title: str
    images: Sequence[Image]
    signed: bool = False
    notes: Sequence[str] = ()
    limits: tuple[bool, float, float] | None = None


@dataclass(frozen=True)
class FigureText:
    """Texts of a figure: a heading above, lines below, and what the color bar shows."""

    heading: str = ""
    lines: Sequence[str] = ()
    scale: str = base.DIFFERENCE


def strips(rows: Sequence[Strip], titles: Sequence[str], words: FigureText = FigureText()) -> Figure:
    """Draw rows of images; all differences share one scale, whose color bar is at the right.

    Args:
        rows: each with an image for every title.
        titles: a title over each column.
        words: heading, lines and label of the color bar.
    """
    signed = [image for row in rows if row.signed for image in row.images]
    limit = base.difference_limit(signed) if signed else 0.0
    heat = next((row.limits for row in rows if row.limits and row.limits[0]), None)
    heights = [CELL + GAP + NOTE * bool(row.notes) for row in rows]
    width = LEFT + len(titles) * (CELL + GAP) + (RIGHT if signed or heat else 0.12)
    lines = [part for line in words.lines for part in textwrap.wrap(line, max(int(width * LETTERS), 40))]
    top, bottom_px = TOP + HEADING * bool(words.heading), BOTTOM + LINE_HEIGHT * len(lines)
    height = top + sum(heights) + bottom_px
    figure = Figure((width, height), dpi=DPI, facecolor=CARD)
    for number, row in enumerate(rows):
        bottom = height - top - sum(heights[:number]) - CELL
        for column, image in enumerate(row.images):
            place = (LEFT + column * (CELL + GAP)) / width, bottom / height, CELL / width, CELL / height
            axes = base.draw_cell(figure, place, image, limit if row.signed else None)
            if row.limits is not None:
                axes.images[0].set(cmap=HEAT if row.limits[0] else "gray", clim=row.limits[1:])
            if number == 0:
                axes.set_title(base.elide(titles[column]), color=TEXT, fontsize=8, fontweight="bold", pad=6)
            if row.notes:
                axes.set_xlabel(row.notes[column], color=QUIET, fontsize=6.5, labelpad=3)
            if column == 0:
                title = textwrap.fill(row.title, TITLE_LETTERS)
                axes.set_ylabel(title, color=TEXT, fontsize=8, rotation=0, ha="right", va="center", labelpad=8)
    if signed or heat:
        span = min(2.2, height - top - bottom_px)
        bar = figure.add_axes((1 - 0.76 / width, (bottom_px + 0.1) / height, 0.09 / width, (span - 0.2) / height))
        if heat:
            figure.colorbar(ScalarMappable(Normalize(*heat[1:]), HEAT), cax=bar).set_ticks(heat[1:])
            bar.set_yticklabels([f"{end:.3g}" for end in heat[1:]])
            bar.tick_params(colors=QUIET, labelsize=6.5, length=2)
        else:
            base.draw_color_bar(figure, bar, limit, signed)
        bar.set_ylabel(words.scale, color=QUIET, fontsize=6.5)
    figure.text(0.12 / width, 1 - 0.24 / height, words.heading, color=TEXT, fontsize=8.5)
    for number, line in enumerate(lines):
        y = (BOTTOM + LINE_HEIGHT * (len(lines) - number - 0.8)) / height
        figure.text(0.12 / width, y, line, color=TEXT, fontsize=7)
    base.add_disclaimer(figure)
    return figure
