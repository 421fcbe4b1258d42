"""The colors that the app, the figures and the pages share: color maps, and the dark colors by role."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Stops = tuple[str, ...]

# Color maps by evenly spaced stops, lowest value first. The signed map is dark and gray at zero, so that a difference
# shows as light: blue where the reconstruction is darker than the original, orange where it is brighter.
GRAY: Final[Stops] = ("#000000", "#ffffff")
HEAT: Final[Stops] = (
    "#000004", "#1f0c48", "#550f6d", "#88226a", "#ba3655", "#e35933", "#f98c0a", "#f9c932", "#fcffa4",
)  # fmt: skip
SIGNED: Final[Stops] = (
    "#a6d4ff", "#559feb", "#2a6cb8", "#1f3f66", "#1c1c1c", "#5c3112", "#a3570f", "#e08a34", "#ffc58c",
)  # fmt: skip
# Values of points and ranks of trials, which stand on a dark field.
POINT_STOPS: Final[Stops] = ("#24456f", "#4fc3b8", "#fbe56c", "#ffe0bd")
RANK_STOPS: Final[Stops] = ("#3a4250", "#4a6472", "#4d9096", "#4fc3b8")
TABLE_SIZE: Final = 255

BACKGROUND: Final = "#14171c"
CARD: Final = "#1b1f26"
FIELD: Final = "#12151a"
LINE: Final = "#2a303a"
TEXT: Final = "#d7dce3"
QUIET: Final = "#9aa4b2"
ACCENT: Final = "#4fc3b8"
DANGER: Final = "#f08a7a"
WARNING_CARD: Final = "#3a2a1d"
WARNING_TEXT: Final = "#f3c48b"
SERIES: Final[Stops] = ("#4fc3b8", "#e0a458", "#b58cf0", "#c4534e", "#fbe56c", "#4668ee", "#865f90", "#b9efbc")


def make_color_table(stops: Stops) -> NDArray[np.uint8]:
    """Return the colors of a map, lowest value first, as (255, 3) uint8; entry 127 is the middle.

    Examples:
        >>> make_color_table(("#000000", "#ffffff"))[[0, 127, 254]].tolist()
        [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    """
    levels = np.array([list(bytes.fromhex(stop.removeprefix("#"))) for stop in stops], np.float64)
    at, places = np.linspace(0, 1, TABLE_SIZE), np.linspace(0, 1, len(levels))
    return np.round(np.stack([np.interp(at, places, each) for each in levels.T], axis=1)).astype(np.uint8)
