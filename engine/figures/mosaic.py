"""Activations of one image: for each layer all its channels side by side in a square."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.colors import CARD, LINE, QUIET, TEXT
from engine.figures import base
from engine.figures.base import DPI
from engine.figures.style import SIGNED

CELL, GAP, TITLE, NOTE = 1.62, 0.14, 0.2, 0.3
LEFT, TOP, BOTTOM = 0.14, 0.12, 0.3
WITHIN = 99.5
LAYER_SIDE, LAYER_LEFT, LAYER_TOP, LAYER_BOTTOM, LAYER_RIGHT = 6.0, 0.2, 0.62, 0.36, 0.95


@dataclass(frozen=True)
class Tile:
    """One layer: its title and its activation, (height, width, channels) or (values,)."""

    title: str
    activation: NDArray[np.floating[Any]]


def make_tile(activation: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Tile channels row by row, with a dark pixel between them; a vector becomes a near-square of pixels.

    Args:
        activation: (height, width, channels) or (values,).

    Returns:
        One image; nan in the gaps.

    Example:
        >>> make_tile(np.zeros((8, 8, 4))).shape
        (17, 17)
    """
    if activation.ndim == 1:
        side = math.ceil(math.sqrt(len(activation)))
        rows = math.ceil(len(activation) / side)
        return np.append(activation.astype(np.float64), np.full(rows * side - len(activation), np.nan)).reshape(
            rows, -1
        )
    height, width, count = activation.shape
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    gap = 1 if count > 1 else 0
    picture = np.full((down * (height + gap) - gap, across * (width + gap) - gap), np.nan)
    for channel in range(count):
        y, x = channel // across * (height + gap), channel % across * (width + gap)
        picture[y : y + height, x : x + width] = activation[..., channel]
    return picture


def value_range(activation: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return the ends of a layer's scale: 0 to 1 for an image, so that an output is scaled like its input.

    For other layers it covers 99.5% of the values. It is symmetric around zero if some are negative, else starts at
    zero.

    Example:
        >>> value_range(np.array([0.0, 0.5, 1.0]).reshape(1, 3, 1))
        (0.0, 1.0)
    """
    picture = activation.ndim == 3 and activation.shape[2] == 1
    if picture and np.min(activation) >= 0 and np.max(activation) <= 1:
        return 0.0, 1.0
    limit = float(np.percentile(np.abs(activation), WITHIN)) or 1.0
    return (-limit if np.min(activation) < 0 else 0.0), limit


def draw_mosaic(tiles: Sequence[Tile], across: int = 6) -> Figure:
    """Draw layers in rows; each has its own scale, which is given below it.

    A layer with negative values is drawn on the signed colormap, one without from black, at zero, to white.
    """
    rows = math.ceil(len(tiles) / across)
    width = LEFT * 2 + across * CELL + (across - 1) * GAP
    height = TOP + rows * (TITLE + CELL + NOTE) + BOTTOM
    figure = Figure((width, height), dpi=DPI, facecolor=CARD)
    for number, tile in enumerate(tiles):
        left = LEFT + number % across * (CELL + GAP)
        bottom = height - TOP - (number // across) * (TITLE + CELL + NOTE) - TITLE - CELL
        axes = figure.add_axes((left / width, bottom / height, CELL / width, CELL / height))
        low, limit = value_range(tile.activation)
        colors = SIGNED if low < 0 else "gray"
        axes.imshow(make_tile(tile.activation), cmap=colors, vmin=low, vmax=limit, interpolation="nearest")
        axes.set_facecolor(CARD)
        axes.set_axis_off()
        figure.text(left / width, (bottom + CELL + 0.05) / height, tile.title, color=TEXT, fontsize=7.5, weight="bold")
        scale = f"{_shape(tile.activation)} · {'±' if low < 0 else '0 to '}{limit:.3g}"
        figure.text(left / width, (bottom - 0.14) / height, scale, color=QUIET, fontsize=6.5)
    base.add_disclaimer(figure)
    return figure


def _shape(activation: NDArray[np.floating[Any]]) -> str:
    if activation.ndim == 1:
        return f"{len(activation)} values"
    return " × ".join(map(str, activation.shape))


def draw_channels(activation: NDArray[np.floating[Any]], title: str, facts: str) -> Figure:
    """Draw one layer; all its channels share one scale, whose bar is at the right.

    Args:
        activation: (height, width, channels) or (values,).
        title: title over the image.
        facts: line below the title, in a subtle color.
    """
    low, high = value_range(activation)
    colors = SIGNED if low < 0 else "gray"
    width, height = LAYER_LEFT + LAYER_SIDE + LAYER_RIGHT, LAYER_TOP + LAYER_SIDE + LAYER_BOTTOM
    figure = Figure((width, height), dpi=DPI, facecolor=CARD)
    axes = figure.add_axes((LAYER_LEFT / width, LAYER_BOTTOM / height, LAYER_SIDE / width, LAYER_SIDE / height))
    axes.imshow(make_tile(activation), cmap=colors, vmin=low, vmax=high, interpolation="nearest")
    axes.set_axis_off()
    figure.text(LAYER_LEFT / width, 1 - 0.26 / height, title, color=TEXT, fontsize=10, weight="bold")
    figure.text(LAYER_LEFT / width, 1 - 0.48 / height, facts, color=QUIET, fontsize=7)
    bar = figure.add_axes(
        (
            (LAYER_LEFT + LAYER_SIDE + 0.14) / width,
            (LAYER_BOTTOM + 0.1) / height,
            0.12 / width,
            (LAYER_SIDE - 0.2) / height,
        )
    )
    drawn = figure.colorbar(
        ScalarMappable(Normalize(low, high), colors), cax=bar, extend=_clipped_ends(activation, low, high)
    )
    ticks = sorted({low, 0.0, high})
    drawn.set_ticks(ticks, labels=[f"{value:.3g}".replace("-", "−") for value in ticks])
    drawn.ax.tick_params(colors=QUIET, labelsize=7, length=2)
    drawn.ax.set_ylabel("activation", color=QUIET, fontsize=7)
    drawn.outline.set_edgecolor(LINE)
    base.add_disclaimer(figure)
    return figure


def _clipped_ends(activation: NDArray[np.floating[Any]], low: float, high: float) -> str:
    """Return which ends of the bar are pointed, because values lie beyond them."""
    above, below = float(activation.max()) > high, float(activation.min()) < low
    return {(True, True): "both", (True, False): "max", (False, True): "min", (False, False): "neither"}[above, below]
