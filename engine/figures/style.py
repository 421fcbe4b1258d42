"""Colors of exported figures and pages: the app's dark theme, because images are read in the dark.

The signed colormap is dark gray at zero, so that a difference shows as light: blue where the reconstruction is darker
than its original, orange where it is brighter. People with any common color vision deficiency can tell the two apart.
"""

from typing import Final

from matplotlib.colors import LinearSegmentedColormap

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
SERIES: Final = ("#4fc3b8", "#e0a458", "#b58cf0", "#c4534e", "#fbe56c", "#4668ee")

SIGNED: Final = LinearSegmentedColormap.from_list(
    "engram-signed",
    ["#cfe6ff", "#6fb4ff", "#2f7fd8", "#24456f", "#1c1c1c", "#6b3418", "#c4621b", "#ff9d4a", "#ffe0bd"],
)
