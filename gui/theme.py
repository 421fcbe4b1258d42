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
from PySide6.QtWidgets import QApplication, QWidget

from gui import palette

SOURCES = Path(__file__).parents[1] / "resources" / "icons"
Mode = Literal["dark", "light", "system"]
STYLE_SHEET = Path(__file__).parents[1] / "resources" / "style" / "window.qss"
# Property with the name of the palette that a widget is styled in; `palette` is Qt's own.
STYLED = "styled-in"
NOT_STYLED = "none"
GAP = 14
FONT_PX = 13
GLYPHS = {
    "arrow_down": ("chevron-down", "quiet"),
    "arrow_up": ("chevron-up", "quiet"),
    "arrow_right": ("chevron-right", "quiet"),
    "check": ("check", "on_accent"),
    "check_menu": ("check", "accent"),
    "message_info": ("info", "info_text"),
    "message_warning": ("warning", "warning_text"),
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
def icon_file(name: str, color: str) -> Path:
    """Return the SVG file of an icon in one color (#rrggbb)."""
    drawing = (SOURCES / f"{name}.svg").read_text(encoding="utf-8")
    path = _tinted_folder() / f"{name}-{color.lstrip('#')}.svg"
    path.write_text(drawing.replace("currentColor", color), encoding="utf-8")
    return path


def icon(name: str, color: str, on: str | None = None) -> QIcon:
    """Return an icon in one color; `on` is its color while its button is checked."""
    tinted = QIcon(str(icon_file(name, color)))
    if on is not None:
        tinted.addFile(str(icon_file(name, on)), state=QIcon.State.On)
    return tinted


def apply(app: QApplication, mode: Mode = "system", by_parts: bool = False) -> None:
    """Style the app; "system" follows the system's setting, and is dark if there is none.

    Args:
        app: the app.
        mode: the theme.
        by_parts: give it no style sheet of its own. Every part of its window is then styled once, when it is complete.
            With a sheet of the app, Qt styles each widget again for each widget that it is put into, which takes
            three times as long.
    """
    if by_parts:
        app.setProperty(STYLED, NOT_STYLED)
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


def style_sheet(colors: palette.Palette) -> str:
    """Return the style sheet in the colors of one palette."""
    values = asdict(colors) | {
        key: icon_file(name, getattr(colors, role)).as_posix() for key, (name, role) in GLYPHS.items()
    }
    return Template(STYLE_SHEET.read_text(encoding="utf-8")).substitute(values)


def _palette_of(mode: str, scheme: Qt.ColorScheme) -> palette.Palette:
    light = mode == "light" or (mode == "system" and scheme == Qt.ColorScheme.Light)
    return palette.LIGHT if light else palette.DARK


def _on_scheme_changed(scheme: Qt.ColorScheme) -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.property("theme") == "system":
        _apply_style(app, _palette_of("system", scheme))


def _apply_style(app: QApplication, colors: palette.Palette) -> None:
    """Style the app; restyle only what is visible if it has a style.

    A new style sheet of the app would restyle every widget once for each widget around it: four seconds for all panels.
    """
    palette.use(colors)
    app.setPalette(_qt_palette(colors))
    if not app.styleSheet() and app.property(STYLED) != NOT_STYLED:
        app.setProperty(STYLED, colors.name)
        app.setStyleSheet(style_sheet(colors))
        return
    for widget in app.topLevelWidgets():
        if isinstance(widget, PartlyStyled):
            for part in widget.visible_parts():
                restyle(part)
        elif isinstance(widget.parentWidget(), PartlyStyled | None):
            restyle(widget)


class PartlyStyled:
    """Window whose hidden parts are restyled when they are shown; its dialogs are restyled when they are made."""

    def visible_parts(self) -> list[QWidget]:
        """Return the parts that together hold all that is visible."""
        return []


def restyle(widget: QWidget) -> None:
    """Style a widget and what it holds in the current colors, unless it already is."""
    app, name = QApplication.instance(), palette.current().name
    if app is not None and app.property(STYLED) and (widget.property(STYLED) or app.property(STYLED)) != name:
        widget.setProperty(STYLED, name)
        widget.setStyleSheet(style_sheet(palette.current()))


def _qt_palette(colors: palette.Palette) -> QPalette:
    role = QPalette.ColorRole
    roles = {
        role.Window: colors.background,
        role.WindowText: colors.text,
        role.Base: colors.field,
        role.AlternateBase: colors.card,
        role.Text: colors.text,
        role.PlaceholderText: colors.quiet,
        role.Button: colors.button,
        role.ButtonText: colors.text,
        role.BrightText: colors.strong,
        role.ToolTipBase: colors.card,
        role.ToolTipText: colors.text,
        role.Highlight: colors.accent_fill,
        role.HighlightedText: colors.on_accent,
        role.Accent: colors.accent,
        role.Link: colors.accent,
        role.LinkVisited: colors.accent,
    }
    made = QPalette()
    for which, color in roles.items():
        made.setColor(which, QColor(color))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(colors.quiet))
    return made
