"""One layer in large: all its channels side by side, a color bar, and its properties."""

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine.figures import base
from engine.figures.base import DPI
from engine.figures.mosaic import make_tile, value_range
from engine.figures.style import CARD, LINE, QUIET, SIGNED, TEXT

SIDE, LEFT, TOP, BOTTOM, RIGHT = 6.0, 0.2, 0.62, 0.36, 0.95


def draw_channels(activation: NDArray[np.floating[Any]], title: str, facts: str) -> Figure:
    """Draw one layer; all its channels share one scale, whose bar is at the right.

    Args:
        activation: (height, width, channels) or (values,).
        title: title over the image.
        facts: line below the title, in a subtle color.
    """
    low, high = value_range(activation)
    colors = SIGNED if low < 0 else "gray"
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    figure = Figure((width, height), dpi=DPI, facecolor=CARD)
    axes = figure.add_axes((LEFT / width, BOTTOM / height, SIDE / width, SIDE / height))
    axes.imshow(make_tile(activation), cmap=colors, vmin=low, vmax=high, interpolation="nearest")
    axes.set_axis_off()
    figure.text(LEFT / width, 1 - 0.26 / height, title, color=TEXT, fontsize=10, weight="bold")
    figure.text(LEFT / width, 1 - 0.48 / height, facts, color=QUIET, fontsize=7)
    bar = figure.add_axes(((LEFT + SIDE + 0.14) / width, (BOTTOM + 0.1) / height, 0.12 / width, (SIDE - 0.2) / height))
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
