"""Small table beside the cursor line, and the text form of a curve's name."""

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from gui import palette
from gui.widgets.curves.series import SeriesStyle
from gui.widgets.labels import format_number

SOLID, DASHED = "━━", "╍╍"
AWAY_PX = 12


def format_colored_line(style: SeriesStyle) -> str:
    """Return a curve's line and name as rich text, so that color is never the only sign."""
    line = DASHED if style.dashed else SOLID
    # A run's name must not break at its hyphens.
    name = escape(style.label).replace("-", "&#8209;")
    return f'<span style="color:{palette.find_series_color(style.colour_key)}">{line}</span>&nbsp;{name}'


class CurveReadout(QLabel):
    """List of curves by value; it keeps clear of the cursor and inside the plot."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._plot = parent
        self.setProperty("kind", "readout")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_at(self, x: float, title: str, rows: list[tuple[SeriesStyle, float]]) -> None:
        """Show the rows beside x, given in the parent's pixels."""
        lines = "".join(
            f'<tr><td align="right">{format_number(value)}&nbsp;&nbsp;</td><td>{format_colored_line(style)}</td></tr>'
            for style, value in rows
        )
        self.setText(f"<b>{escape(title)}</b><table cellspacing=0 cellpadding=1>{lines}</table>")
        self.adjustSize()
        room = self._plot.width()
        left = x + AWAY_PX if x + AWAY_PX + self.width() <= room else x - AWAY_PX - self.width()
        self.move(round(min(max(left, 0), max(room - self.width(), 0))), AWAY_PX)
        self.show()
        self.raise_()
