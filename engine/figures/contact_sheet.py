"""Sheets of small images with a title over each and a note below, for channels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.colors import CARD, QUIET, TEXT
from engine.figures import base
from engine.figures.base import DPI
from engine.figures.style import SIGNED

CELL, GAP, TITLE, NOTE = 1.5, 0.14, 0.22, 0.26
LEFT, TOP, BOTTOM, HEAD = 0.16, 0.14, 0.32, 0.5


@dataclass(frozen=True, eq=False)
class SheetCell:
    """One image, (height, width); `scale` is its lowest and highest value, on the signed colormap if the lowest is < 0.

    The note below the image includes the scale, unless it is that of a gray image, 0 to 1.
    """

    title: str
    picture: NDArray[np.floating[Any]]
    note: str = ""
    scale: tuple[float, float] = (0.0, 1.0)


def draw_sheet(cells: Sequence[SheetCell], title: str, facts: str, across: int = 8) -> Figure:
    """Draw images in rows.

    Args:
        cells: the images, row by row.
        title: title over all of them.
        facts: line below the title, in a subtle color.
        across: number of images in a row.
    """
    rows = math.ceil(len(cells) / across)
    width = max(LEFT * 2 + across * CELL + (across - 1) * GAP, 6.5)
    height = HEAD + TOP + rows * (TITLE + CELL + NOTE) + BOTTOM
    figure = Figure((width, height), dpi=DPI, facecolor=CARD)
    figure.text(LEFT / width, 1 - 0.26 / height, title, color=TEXT, fontsize=10, weight="bold")
    figure.text(LEFT / width, 1 - 0.46 / height, facts, color=QUIET, fontsize=7)
    for number, cell in enumerate(cells):
        left = LEFT + number % across * (CELL + GAP)
        bottom = height - HEAD - TOP - (number // across) * (TITLE + CELL + NOTE) - TITLE - CELL
        _draw_cell(figure, cell, left, bottom)
    base.add_disclaimer(figure)
    return figure


def _draw_cell(figure: Figure, cell: SheetCell, left: float, bottom: float) -> None:
    width, height = figure.get_figwidth(), figure.get_figheight()
    low, high = cell.scale
    axes = figure.add_axes((left / width, bottom / height, CELL / width, CELL / height))
    colors = SIGNED if low < 0 else "gray"
    axes.imshow(cell.picture, cmap=colors, vmin=low, vmax=high, interpolation="nearest")
    axes.set_axis_off()
    figure.text(left / width, (bottom + CELL + 0.05) / height, cell.title, color=TEXT, fontsize=7.5, weight="bold")
    scale = "" if cell.scale == (0.0, 1.0) else f"±{high:.3g}" if low < 0 else f"{low:.3g} to {high:.3g}"
    note = " · ".join(part for part in (cell.note, scale) if part)
    figure.text(left / width, (bottom - 0.14) / height, note, color=QUIET, fontsize=6.5)
