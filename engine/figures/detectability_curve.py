"""Curve of a lesion's detectability from the image to the output, with the layer of the largest loss marked."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.colors import CARD, DANGER, LINE, QUIET, SERIES, TEXT
from engine.figures import DISCLAIMER, base
from engine.figures.base import DPI

MOST_NAMES = 40
PER_LAYER, LEAST_WIDTH, MOST_WIDTH, HEIGHT = 0.3, 7.0, 16.0, 4.2


def draw_detectability(content: Mapping[str, Any]) -> Figure:
    """Draw the result of `lesion-layers --json`.

    Args:
        content: with `run`, `of`, `picture_d_prime`, `layers` (of each `name`, `held_d_prime`, `alone_d_prime`,
            `lost_share`), `loses_most`, `pairs`.
    """
    layers = content["layers"]
    width = min(max(PER_LAYER * (len(layers) + 1), LEAST_WIDTH), MOST_WIDTH)
    figure = Figure((width, HEIGHT), dpi=DPI, facecolor=CARD, layout="constrained")
    axes = figure.subplots()
    first = content["picture_d_prime"]
    held = [first, *(layer["held_d_prime"] for layer in layers)]
    alone = [first, *(layer["alone_d_prime"] for layer in layers)]
    axes.plot(held, color=SERIES[0], lw=2, marker="o", ms=3, label="all paths to the output")
    if any(one - other > 0.01 * first for one, other in zip(held, alone, strict=True)):
        axes.plot(alone, color=SERIES[1], lw=1.2, ls="--", label="this layer only")
    axes.set_ylim(0, first * 1.12)
    _name(axes, ["image", *(layer["name"] for layer in layers)])
    _mark(axes, content, held)
    count = len(content["pairs"])
    what = f"{count} lesion{'s' * (count > 1)}"
    axes.set_title(
        f"Detectability of {what} in {content['run']}", color=TEXT, fontsize=10, fontweight="bold", loc="left"
    )
    axes.set_ylabel("detectability d′ (mean)", color=QUIET, fontsize=8)
    base.style_axes(axes)
    axes.tick_params(axis="x", labelsize=6.5)
    axes.legend(fontsize=7, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE, loc="lower left")
    figure.supxlabel(f"{content['of']} · {DISCLAIMER}", color=QUIET, fontsize=6.5, x=0.995, ha="right")
    return figure


def _name(axes: Axes, names: list[str]) -> None:
    """Label the axis with the layers' names, every second or third if there are many."""
    every = -(-len(names) // MOST_NAMES)
    places = range(0, len(names), every)
    axes.set_xticks(list(places), labels=[names[place] for place in places], rotation=60, ha="right")
    axes.set_xlim(-0.5, len(names) - 0.5)


def _mark(axes: Axes, content: Mapping[str, Any], held: list[float]) -> None:
    """Mark the layer with the largest loss; positions count from the image, 0."""
    names = [layer["name"] for layer in content["layers"]]
    if content["loses_most"] not in names:
        return
    place = names.index(content["loses_most"]) + 1
    before = "image" if place == 1 else names[place - 2]
    share = content["layers"][place - 1]["lost_share"]
    axes.plot([place - 1, place], held[place - 1 : place + 1], color=SERIES[3], lw=3, zorder=4)
    right = place < len(held) * 0.6
    axes.annotate(
        f"largest loss, {before} → {names[place - 1]}: {share:.0%}",
        (place, held[place]),
        xytext=(8 if right else -8, 26),
        textcoords="offset points",
        color=DANGER,
        fontsize=8,
        ha="left" if right else "right",
    )
