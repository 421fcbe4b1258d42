"""Look of the app: icons and a style sheet in the colors of a palette, dark or light, or following the system.

The line icons of resources/icons are tinted at run time. A tinted icon is a small SVG file of this process. Qt renders
it crisply at every scale, and style sheets, which accept only files, use the same icons.
"""

import atexit
import shutil
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from gui import palette

SOURCES = Path(__file__).parents[1] / "resources" / "icons"
Mode = Literal["dark", "light", "system"]
STYLE_SHEET = Path(__file__).parents[1] / "resources" / "style" / "window.qss"
GAP = 14
FONT_PX = 13
GLYPHS = {
    "arrow_down": ("chevron-down", "quiet"),
    "arrow_up": ("chevron-up", "quiet"),
    "arrow_right": ("chevron-right", "quiet"),
    "check": ("check", "on_accent"),
    "check_menu": ("check", "accent"),
}
SCHEMES = {
    "dark": Qt.ColorScheme.Dark,
    "light": Qt.ColorScheme.Light,
    "system": Qt.ColorScheme.Unknown,
}


@cache
def _tinted_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="engram-icons-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def icon_file(name: str, colour: str) -> Path:
    """Return the SVG file of an icon in one color (#rrggbb)."""
    drawing = (SOURCES / f"{name}.svg").read_text(encoding="utf-8")
    path = _tinted_folder() / f"{name}-{colour.lstrip('#')}.svg"
    path.write_text(drawing.replace("currentColor", colour), encoding="utf-8")
    return path


def icon(name: str, colour: str, on: str | None = None) -> QIcon:
    """Return an icon in one color; `on` is its color while its button is checked."""
    tinted = QIcon(str(icon_file(name, colour)))
    if on is not None:
        tinted.addFile(str(icon_file(name, on)), state=QIcon.State.On)
    return tinted


def apply(app: QApplication, mode: Mode = "system") -> None:
    """Style the app; "system" follows the system's setting, and is dark if there is none."""
    if not app.property("theme"):
        app.setStyle("Fusion")
        app.setFont(base_font())
        app.styleHints().colorSchemeChanged.connect(_on_scheme_changed)
    app.setProperty("theme", mode)
    app.styleHints().setColorScheme(SCHEMES[mode])
    _apply_style(app, _palette_of(mode, app.styleHints().colorScheme()))


def base_font() -> QFont:
    """Return the 13 px font of the app, with tabular digits."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setFamilies(["DejaVu Sans", *font.families()])
    font.setPixelSize(FONT_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def style_sheet(colours: palette.Palette) -> str:
    """Return the style sheet in the colors of one palette."""
    values = asdict(colours) | {
        key: icon_file(name, getattr(colours, role)).as_posix() for key, (name, role) in GLYPHS.items()
    }
    return Template(STYLE_SHEET.read_text(encoding="utf-8")).substitute(values)


def _palette_of(mode: str, scheme: Qt.ColorScheme) -> palette.Palette:
    light = mode == "light" or (mode == "system" and scheme == Qt.ColorScheme.Light)
    return palette.LIGHT if light else palette.DARK


def _on_scheme_changed(scheme: Qt.ColorScheme) -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.property("theme") == "system":
        _apply_style(app, _palette_of("system", scheme))


def _apply_style(app: QApplication, colours: palette.Palette) -> None:
    palette.use(colours)
    app.setPalette(_qt_palette(colours))
    app.setStyleSheet(style_sheet(colours))


def _qt_palette(colours: palette.Palette) -> QPalette:
    role = QPalette.ColorRole
    roles = {
        role.Window: colours.background,
        role.WindowText: colours.text,
        role.Base: colours.field,
        role.AlternateBase: colours.card,
        role.Text: colours.text,
        role.PlaceholderText: colours.quiet,
        role.Button: colours.button,
        role.ButtonText: colours.text,
        role.BrightText: colours.strong,
        role.ToolTipBase: colours.card,
        role.ToolTipText: colours.text,
        role.Highlight: colours.accent_fill,
        role.HighlightedText: colours.on_accent,
        role.Accent: colours.accent,
        role.Link: colours.accent,
        role.LinkVisited: colours.accent,
    }
    made = QPalette()
    for which, colour in roles.items():
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.quiet))
    return made
