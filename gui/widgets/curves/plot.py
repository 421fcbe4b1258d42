"""Curves over a common x, their items and their readout: the plot behind every chart of the app."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from gui import palette
from gui.formatting import format_number
from gui.widgets.curves.canvas import CurveCanvas
from gui.widgets.curves.series import Series, SeriesStyle, decimate, to_axis
from gui.widgets.labels import label

SOLID, DASHED = "━━", "╍╍"
AWAY_PX = 12
RAW_ALPHA = 95
LINE_PX = 1.8
MOST_POINTS = 2000
DASHES = [5.0, 3.5]


def format_colored_line(style: SeriesStyle) -> str:
    """Return a curve's line and name as rich text, so that color is never the only sign."""
    line = DASHED if style.dashed else SOLID
    # A run's name must not break at its hyphens.
    name = escape(style.label).replace("-", "&#8209;")
    return f'<span style="color:{palette.find_series_color(style.color_key)}">{line}</span>&nbsp;{name}'


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


class CurveItem:
    """The three graphics items of a series in one view box."""

    def __init__(self, series: Series, box: pg.ViewBox) -> None:
        self.series = series
        self._box = box
        self._raw = pg.PlotCurveItem(antialias=True)
        self._smooth = pg.PlotCurveItem(antialias=True)
        self._points = pg.ScatterPlotItem()
        for item in self._items():
            box.addItem(item, ignoreBounds=True)

    def remove(self) -> None:
        for item in self._items():
            self._box.removeItem(item)

    def draw(self, log_x: bool, log_y: bool, smoothed: bool) -> None:
        """Set the data of the items on linear or logarithmic axes."""
        series = self.series
        x, raw = to_axis(series.x, log_x), to_axis(series.y, log_y)
        # The width of a cosmetic pen counts screen pixels.
        ratio = self._box.getViewWidget().devicePixelRatioF()
        color = QColor(palette.find_series_color(series.style.color_key))
        faint = QColor(color)
        faint.setAlpha(RAW_ALPHA)
        pen = pg.mkPen(color, width=LINE_PX * ratio)
        if series.style.dashed:
            pen.setDashPattern(DASHES)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        self._raw.setVisible(smoothed)
        if smoothed:
            few = decimate(raw, MOST_POINTS)
            self._raw.setData(x[few], raw[few], pen=pg.mkPen(faint, width=ratio), connect="finite")
        smooth = to_axis(series.smooth, log_y)
        few = decimate(smooth, MOST_POINTS)
        self._smooth.setData(x[few], smooth[few], pen=pen, connect="finite")
        self._draw_points(x, raw, color)

    def _draw_points(self, x: np.ndarray, y: np.ndarray, color: QColor) -> None:
        """Mark the best point; show a curve of one point as that point."""
        spots: list[dict[str, Any]] = []
        back = QColor(palette.current().field)
        if len(x) == 1:
            spots.append({"pos": (x[0], y[0]), "size": 7, "symbol": "o", "brush": color, "pen": color})
        best = None if self.series.best is None else self.series.nearest(self.series.best)
        if best is not None:
            spots.append(
                {"pos": (x[best], y[best]), "size": 15, "symbol": "star", "brush": color, "pen": pg.mkPen(back)}
            )
        self._points.setData([spot for spot in spots if np.isfinite(spot["pos"]).all()])

    def _items(self) -> tuple[pg.GraphicsObject, ...]:
        return self._raw, self._smooth, self._points


class CurvePlot(QFrame):
    """Curves that grow while the user watches; hovering lists all of them by their value at that x."""

    def __init__(self, y_label: str = "", x_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: dict[str, CurveItem] = {}
        self.x_label, self.y_label = x_label, y_label
        self.canvas = CurveCanvas(x_label, self)
        self._smoothing = 0.0
        self._batch: dict[CurveItem, None] | None = None
        self._pointed: float | None = None
        self._legend = label(role="caption", wrap=True)
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._empty = label(role="quiet", wrap=True)
        self._readout = CurveReadout(self.canvas)
        self._lay_out()
        self.setProperty("kind", "field")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(y_label)
        self.canvas.pointed.connect(self.point_at)
        self.canvas.pointer_left.connect(lambda: self.point_at(None))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(2)
        column.addWidget(label(self.y_label, role="caption", wrap=True))
        column.addWidget(self.canvas, 1)
        column.addWidget(self._legend)
        self.canvas.setMinimumHeight(140)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.canvas).addWidget(self._empty)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Redraw once after the changes that are made in this context, instead of after each."""
        self._batch = {}
        try:
            yield
        finally:
            changed, self._batch = self._batch, None
            self._redraw([item for item in self.items.values() if item in changed])

    def set_series(self, key: str, x: ArrayLike, y: ArrayLike, style: SeriesStyle | None = None) -> None:
        """Draw or extend a curve; a curve that only grew costs only its new points."""
        item = self.items.get(key)
        if item is None:
            series = Series(style or SeriesStyle(key, key), self._smoothing)
            item = self.items[key] = CurveItem(series, self.canvas.box)
        item.series.style = style or item.series.style
        item.series.set_data(x, y)
        self._refresh([item])

    def keep_series(self, keys: Collection[str]) -> None:
        """Remove all curves except these."""
        for key in set(self.items) - set(keys):
            self.items.pop(key).remove()
        self._refresh([])

    def mark_best(self, key: str, x: float | None) -> None:
        """Put a star on the curve's point at x, or remove it if `x` is None."""
        self.items[key].series.best = x
        self._refresh([self.items[key]])

    def set_reference(self, name: str, y: float | None, text: str = "") -> None:
        """Draw a dotted level with its label, or remove it if `y` is None."""
        self.canvas.set_reference(name, y, text)
        self._refresh([])

    def set_smoothing(self, weight: float) -> None:
        """Smooth all curves with a weight from 0 (none) to 0.99."""
        self._smoothing = weight
        for item in self.items.values():
            item.series.set_smoothing(weight)
        self._refresh(self.items.values())

    def set_log(self, log_x: bool, log_y: bool) -> None:
        """Choose logarithmic axes; these omit values that are not positive."""
        self.canvas.set_log(log_x, log_y)
        self._refresh(self.items.values())
        self.canvas.show_all()

    def set_empty_text(self, text: str) -> None:
        """Set the text that stands here while there is no curve."""
        self._empty.setText(text)

    def readout(self, x: float) -> list[tuple[SeriesStyle, float]]:
        """Return every curve that has a point at x with its raw value there, highest first."""
        found = []
        for item in self.items.values():
            at = item.series.nearest(x)
            if at is not None:
                found.append((item.series.style, float(item.series.y[at])))
        return sorted(found, key=lambda pair: -pair[1] if pair[1] == pair[1] else float("inf"))

    def point_at(self, x: float | None) -> None:
        """Point at the x of the nearest point of any curve and list the values there; None stops pointing."""
        self._pointed = None if x is None else nearest_x(self.items.values(), x)
        self.canvas.point_at(self._pointed)
        if self._pointed is None:
            self._readout.hide()
        else:
            title = f"{self.x_label} {format_number(self._pointed)}".strip()
            self._readout.show_at(self.canvas.x_on_widget(self._pointed), title, self.readout(self._pointed))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step from one x to the next with the left and right keys; R shows everything."""
        xs = sorted({float(x) for item in self.items.values() for x in item.series.x})
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_R:
            self.canvas.show_all()
        elif event.key() == Qt.Key.Key_Escape and self._pointed is not None:
            self.point_at(None)
        elif step is not None and xs:
            at = xs.index(self._pointed) + step if self._pointed in xs else len(xs) - 1
            self.point_at(xs[min(max(at, 0), len(xs) - 1)])
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Apply the colors of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.canvas.recolor()
            self._refresh(self.items.values())

    def _refresh(self, items: Collection[CurveItem]) -> None:
        """Redraw these curves and what depends on all of them, or note them for the end of the batch."""
        if self._batch is None:
            self._redraw(items)
        else:
            self._batch |= dict.fromkeys(items)

    def _redraw(self, items: Collection[CurveItem]) -> None:
        for item in items:
            item.draw(self.canvas.log_x, self.canvas.log_y, self._smoothing > 0)
        series = [item.series for item in self.items.values()]
        bounds = [one.bounds(self.canvas.log_x, self.canvas.log_y) for one in series]
        self.canvas.fit([bound for bound in bounds if bound is not None])
        self._legend.setText("&nbsp;&nbsp; ".join(format_colored_line(one.style) for one in series))
        self._empty.setVisible(not series)
        self.canvas.show_axes(bool(series))
        self.point_at(self._pointed)


def nearest_x(items: Collection[CurveItem], x: float) -> float | None:
    """Return the x nearest to `x` at which any curve has a point, or None."""
    near = [(item.series, item.series.nearest(x)) for item in items]
    places = [float(series.x[at]) for series, at in near if at is not None]
    return min(places, key=lambda place: abs(place - x), default=None)
