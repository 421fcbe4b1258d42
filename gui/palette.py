"""All colors of the app in one place; both themes, the charts, the images and the tests read them.

Text and quiet text keep a contrast of at least 4.5 on every surface they stand on. The series and score colors keep a
contrast of at least 3 on the field of a chart, outlines on what they surround; series stay apart for the common kinds
of color blindness.
"""

from dataclasses import dataclass

from engine import colors
from engine.colors import Stops


@dataclass(frozen=True)
class Palette:
    """Colors of one theme, by role."""

    name: str
    background: str
    card: str
    field: str
    line: str
    # Border of what can be changed: fields, slider tracks, chips.
    outline: str
    text: str
    quiet: str
    strong: str
    button: str
    hover: str
    selection: str
    rail_selection: str
    accent: str
    accent_fill: str
    accent_hover: str
    on_accent: str
    danger: str
    warning_card: str
    warning_line: str
    warning_text: str
    info_card: str
    info_line: str
    info_text: str
    focus: str
    grid: str
    series: tuple[str, ...]
    # From the worst to the best, by lightness alone: the best stands out most from the field.
    score: Stops


DARK = Palette(
    name="dark",
    background=colors.BACKGROUND,
    card=colors.CARD,
    field=colors.FIELD,
    line=colors.LINE,
    outline="#667080",
    text=colors.TEXT,
    quiet=colors.QUIET,
    strong="#ffffff",
    button="#272d37",
    hover="#303743",
    selection="#20302f",
    rail_selection="#222833",
    accent=colors.ACCENT,
    accent_fill="#257a71",
    accent_hover="#1f6c64",
    on_accent="#ffffff",
    danger=colors.DANGER,
    warning_card=colors.WARNING_CARD,
    warning_line="#8a5a24",
    warning_text=colors.WARNING_TEXT,
    info_card="#1c2b33",
    info_line="#2f5a6b",
    info_text="#a9d3e6",
    focus="#4fc3b8",
    grid="#2a303a",
    series=colors.SERIES,
    score=("#5b6b85", "#537f97", "#55a0ad", "#6bc4b8", "#d5f7c8"),
)

LIGHT = Palette(
    name="light",
    background="#eef1f4",
    card="#ffffff",
    field="#f7f9fa",
    line="#d3d9e0",
    outline="#828c98",
    text="#1f262e",
    quiet="#59636f",
    strong="#0b0f14",
    button="#e9edf1",
    hover="#dde3e9",
    selection="#dcefec",
    rail_selection="#e3e9ee",
    accent="#096a60",
    accent_fill="#0f766c",
    accent_hover="#0b635a",
    on_accent="#ffffff",
    danger="#a3281b",
    warning_card="#fdf1dc",
    warning_line="#d9a557",
    warning_text="#704400",
    info_card="#e5f1f6",
    info_line="#8fbccd",
    info_text="#1d4e63",
    focus="#0b766b",
    grid="#dfe4e9",
    series=("#0f7a78", "#9c5414", "#8f62d4", "#8a0c32", "#978900", "#2f45dc", "#341d68", "#739272"),
    score=("#7f8f9e", "#5f8797", "#3a737f", "#10525a", "#052a36"),
)

# Over images, which are dark in both themes.
PICTURE_BACK = "#000000"
PICTURE_TEXT = "#d7dce3"
PICTURE_MARK = "#e0a458"
PICTURE_CHOSEN = "#4fc3b8"

# A series keeps one of this many looks: the eight colors, each with two kinds of line.
LOOKS = 2 * len(DARK.series)

_in_force = DARK
_places: dict[str, int] = {}


def current() -> Palette:
    return _in_force


def use(palette: Palette) -> None:
    """Make this palette the current one; gui.theme calls it and repaints the window."""
    global _in_force
    _in_force = palette


def register_series(key: str, place: int | None = None) -> int:
    """Give a key this position, or one that the fewest keys have; return the position that it has."""
    if place is not None:
        _places[key] = place % LOOKS
    elif key not in _places:
        taken = list(_places.values())
        _places[key] = min(range(LOOKS), key=taken.count)
    return _places[key]


def find_series_color(key: str, look: Palette | None = None) -> str:
    """Return the key's color in a palette, or in the current one: a key has one position in `series` everywhere.

    'role:accent' is the color of that role, 'series:1' that position of `series`, 'score:0.2' the color of a score.
    """
    kind, _, rest = key.partition(":")
    look = look or _in_force
    if kind == "role":
        return str(getattr(look, rest))
    if kind == "series":
        return look.series[int(rest)]
    if kind == "score":
        return find_score_color(float(rest))
    return look.series[register_series(key) % len(look.series)]


def has_second_line(key: str) -> bool:
    """Return whether a key has the second kind of line, which tells it from the one with the same color."""
    return ":" not in key and register_series(key) >= len(_in_force.series)


def find_score_color(share: float) -> str:
    """Return the color of a score, from 0 for the best to 1 for the worst."""
    stops = _in_force.score
    at = (1 - min(max(share, 0.0), 1.0)) * (len(stops) - 1)
    left = min(int(at), len(stops) - 2)
    pairs = zip(rgb(stops[left]), rgb(stops[left + 1]), strict=True)
    return "#" + "".join(f"{round(one + (at - left) * (other - one)):02x}" for one, other in pairs)


def reset_series() -> None:
    """Forget all positions, because another runs folder was opened or a test begins."""
    _places.clear()


def rgb(color: str) -> tuple[int, int, int]:
    """Return the three channels, 0 to 255, of a color written #rrggbb."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2, in [0, 1]."""
    channels = [value / 255 for value in rgb(color)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
