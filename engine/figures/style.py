"""Colors of exported figures and pages: dark, because images are read in the dark, or light, for paper."""

from typing import Final

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text

from engine import colors
from engine.colors import BACKGROUND, CARD, FIELD, LINE, QUIET, TEXT

SIGNED: Final = LinearSegmentedColormap.from_list("engram-signed", colors.SIGNED)
HEAT: Final = LinearSegmentedColormap.from_list("engram-heat", colors.HEAT)


LIGHT_SIGNED: Final = LinearSegmentedColormap.from_list(
    "engram-signed-light",
    ["#0b3c78", "#2f7fd8", "#8fc0f0", "#f7f7f7", "#f5b987", "#c4621b", "#6b2d08"],
)
# The pointed ends of the color bar of differences have the colors of the ends of its map.
SHADES: Final = {
    **{BACKGROUND: "#ffffff", CARD: "#ffffff", FIELD: "#ffffff", LINE: "#c9ced6", TEXT: "#1b1f26", QUIET: "#5a6473"},
    **{to_hex(SIGNED(0.0)): to_hex(LIGHT_SIGNED(0.0)), to_hex(SIGNED(1.0)): to_hex(LIGHT_SIGNED(1.0))},
}


def to_light(figure: Figure) -> Figure:
    """Give every part of a figure its light color; images stay as they are, and series keep their colors."""
    for part in figure.findobj():
        if isinstance(part, (Text, Line2D)):
            part.set_color(_shade(part.get_color()))
        elif isinstance(part, (Patch, Spine)):
            part.set_facecolor(_shade(part.get_facecolor()))
            part.set_edgecolor(_shade(part.get_edgecolor()))
        elif isinstance(part, Axes):
            part.tick_params(color=SHADES[QUIET], labelcolor=SHADES[QUIET], which="both")
        elif isinstance(part, ScalarMappable) and part.get_cmap() is SIGNED:
            part.set_cmap(LIGHT_SIGNED)
    return figure


def _shade(color: object) -> object:
    """Return the light color of a dark one, or a color that has none as it is; one without ink stays so."""
    if isinstance(color, tuple) and len(color) == 4 and color[3] == 0:
        return color
    return SHADES.get(to_hex(color), color)
