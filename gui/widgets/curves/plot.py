"""Curves over a common x, their items and their readout: the plot behind every chart of the app."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui import palette
from gui.formatting import format_number
from gui.widgets.buttons import IconButton
from gui.widgets.curves.axis import Kind, format_time
from gui.widgets.curves.canvas import CurveCanvas
from gui.widgets.curves.series import Bounds, Scale, Series, SeriesStyle, decimate, to_axis
from gui.widgets.labels import UnitLabel, elide_middle, label

SOLID, DASHED = "━━", "╍╍"
SECOND_SOLID, SECOND_DASHED = "━·━", "····"
AWAY_PX = 12
RAW_ALPHA, FAINT_ALPHA = 95, 140
LINE_PX = 1.8
MOST_POINTS = 2000
DASHES, SECOND_LINE, SECOND_DASHES = [5.0, 3.5], [9.0, 2.5, 1.0, 2.5], [1.5, 2.5]
MOST_ROWS, MOST_LETTERS = 12, 30
DIMMED = 0.2
# A narrower plot has no room for the names of the curves, and none for the values where another plot points at.
NAMING_PX = 260
LEAST_PX = 96
LEGEND_GAP_PX = 6


def format_line(style: SeriesStyle) -> str:
    """Return a curve's line in its color, as rich text."""
    second = palette.has_second_line(style.color_key)
    line = (SECOND_DASHED if second else DASHED) if style.dashed else SECOND_SOLID if second else SOLID
    return f'<span style="color:{palette.find_series_color(style.color_key)}">{line}</span>'


def format_colored_line(style: SeriesStyle) -> str:
    """Return a curve's line and name as rich text, so that color is never the only sign."""
    # A run's name must not break at its hyphens.
    return f"{format_line(style)}&nbsp;{escape(elide_middle(style.label, MOST_LETTERS)).replace('-', '&#8209;')}"


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
        """Show the rows beside x, given in the parent's pixels; without a title, or in a narrow plot, without names."""
        write = format_colored_line if title and self._plot.width() >= NAMING_PX else format_line
        lines = "".join(
            f'<tr><td align="right">{format_number(value)}&nbsp;&nbsp;</td><td>{write(style)}</td></tr>'
            for style, value in rows[:MOST_ROWS]
        )
        more = f"and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
        head = f"<b>{escape(title)}</b>" if title else ""
        self.setText(f"{head}<table cellspacing=0 cellpadding=1>{lines}</table>{more}")
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
        if series.style.faint:
            few = decimate(raw, MOST_POINTS)
            faint.setAlpha(FAINT_ALPHA)
            self._raw.setData(x[few], raw[few], pen=pg.mkPen(faint, width=ratio), connect="finite")
            return
        pen = _make_pen(color, series.style, ratio)
        self._raw.setVisible(smoothed)
        if smoothed:
            few = decimate(raw, MOST_POINTS)
            self._raw.setData(x[few], raw[few], pen=pg.mkPen(faint, width=ratio), connect="finite")
        smooth = to_axis(series.smooth, log_y)
        few = decimate(smooth, MOST_POINTS)
        self._smooth.setData(x[few], smooth[few], pen=pen, connect="finite")
        self._draw_points(x, raw, color)

    def dim(self, dimmed: bool) -> None:
        """Draw the curve faintly, so that another one stands out."""
        for item in self._items():
            item.setOpacity(DIMMED if dimmed else 1.0)

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


def _make_pen(color: QColor, style: SeriesStyle, ratio: float) -> Any:
    pen = pg.mkPen(color, width=LINE_PX * ratio)
    if palette.has_second_line(style.color_key):
        pen.setDashPattern(SECOND_DASHES if style.dashed else SECOND_LINE)
    elif style.dashed:
        pen.setDashPattern(DASHES)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


class CurvePlot(QFrame):
    """Curves that grow while the user watches; hovering lists all of them by their value at that x.

    `listed` says that a list beside the plot names the curves: the plot then has no legend, but a button that enlarges
    it. `pointed` carries the x that the user points at, None for none.
    """

    pointed = Signal(object)
    enlarge_toggled = Signal(bool)

    def __init__(
        self, y_label: str = "", x_label: str = "", parent: QWidget | None = None, *, listed: bool = False
    ) -> None:
        super().__init__(parent)
        self.items: dict[str, CurveItem] = {}
        self.x_label, self.y_label = x_label, y_label
        self.canvas = CurveCanvas(x_label, self)
        self.canvas.measure = self._measure
        self.enlarge = IconButton("maximise", f"Enlarge {y_label} (E)", checkable=True)
        self._listed = listed
        self._kind: Kind = "number"
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
        self.enlarge.toggled.connect(self.enlarge_toggled)

    def _lay_out(self) -> None:
        column, head = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(8, 8 - 4 * self._listed, 8, 8)
        column.setSpacing(2)
        title = UnitLabel(self.y_label)
        title.setProperty("role", "caption")
        column.addLayout(head)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.enlarge)
        self.enlarge.setVisible(self._listed)
        self._legend.setContentsMargins(0, LEGEND_GAP_PX, 0, 0)
        column.addWidget(self.canvas, 1)
        column.addWidget(self._legend)
        self._legend.setVisible(not self._listed)
        self.canvas.setMinimumHeight(LEAST_PX)
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
        """Draw a dotted level with its label, or remove it if `y` is None; a narrow plot shows its number alone."""
        self.canvas.set_reference(name, y, text)
        self._refresh([])

    def set_smoothing(self, weight: float) -> None:
        """Smooth all curves with a weight from 0 (none) to 0.99."""
        self._smoothing = weight
        for item in self.items.values():
            item.series.set_smoothing(weight)
        self._refresh(self.items.values())

    def set_scale(self, scale: Scale) -> None:
        """Choose logarithmic axes, which omit values that are not positive, and whether outliers are clipped."""
        self.canvas.set_scale(scale)
        self._refresh(self.items.values())
        self.canvas.show_all()

    def set_x_axis(self, title: str, kind: Kind) -> None:
        """Choose what x means: its title, and how its numbers are written."""
        if (title, kind) != (self.x_label, self._kind):
            self.x_label, self._kind = title, kind
            self.canvas.set_x_axis(title, kind)
            self.canvas.show_all()

    def highlight(self, color_key: str) -> None:
        """Let the curves of one color key stand out; an empty key ends this."""
        known = any(item.series.style.color_key == color_key for item in self.items.values())
        for item in self.items.values():
            item.dim(known and item.series.style.color_key != color_key)

    def set_empty_text(self, text: str) -> None:
        """Set the text that stands here while there is no curve."""
        self._empty.setText(text)

    def readout(self, x: float) -> list[tuple[SeriesStyle, float]]:
        """Return every curve that has a visible point at x with its raw value there, highest first."""
        found = []
        low, high = self.canvas.box.viewRange()[1]
        for series in self._listed_series():
            at = series.nearest(x)
            if at is None:
                continue
            shown = to_axis(series.smooth[at : at + 1], self.canvas.axis_scale.log_y)[0]
            if not shown < low and not shown > high:
                found.append((series.style, float(series.y[at])))
        return sorted(found, key=lambda pair: -pair[1] if pair[1] == pair[1] else float("inf"))

    def point_at(self, x: float | None) -> None:
        """Point at the x of the nearest point of any curve and list the values there; None stops pointing."""
        self._pointed = None if x is None else nearest_x(self._listed_series(), x)
        self.canvas.point_at(self._pointed)
        if self._pointed is None:
            self._readout.hide()
        else:
            self._show_readout(f"{self.x_label} {self._format_x(self._pointed)}".strip(), self._pointed)
        self.pointed.emit(self._pointed)

    def follow(self, x: float | None) -> None:
        """Show the values at the x that another plot points at; None ends this."""
        x = None if x is None else nearest_x(self._listed_series(), x)
        self._pointed = x
        self.canvas.point_at(x)
        self._readout.setVisible(x is not None and self.canvas.width() >= NAMING_PX)
        if self._readout.isVisible() and x is not None:
            self._show_readout("", x)

    def _show_readout(self, title: str, x: float) -> None:
        self._readout.show_at(self.canvas.x_on_widget(x), title, self.readout(x))

    def _format_x(self, x: float) -> str:
        return format_number(x) if self._kind == "number" else format_time(x, self._kind)

    def _listed_series(self) -> list[Series]:
        return [item.series for item in self.items.values() if not item.series.style.faint]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step from one x to the next with the left and right keys; R shows everything, E enlarges the plot."""
        xs = sorted({float(x) for series in self._listed_series() for x in series.x})
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_R:
            self.canvas.show_all()
        elif event.key() == Qt.Key.Key_E and self._listed:
            self.enlarge.toggle()
        elif event.key() == Qt.Key.Key_Escape and self._pointed is not None:
            self.point_at(None)
        elif event.key() == Qt.Key.Key_Escape and self.enlarge.isChecked():
            self.enlarge.setChecked(False)
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
            item.draw(self.canvas.axis_scale.log_x, self.canvas.axis_scale.log_y, self._smoothing > 0)
        self.canvas.fit()
        if not self._listed:
            self._legend.setText(self._join_names())
        self._empty.setVisible(not self.items)
        self.canvas.show_axes(bool(self.items))
        if self._pointed is not None:
            self.point_at(self._pointed)

    def legend_html(self) -> str:
        """Return the names of the curves as rich text where a list beside the plot names them, else an empty text."""
        return self._join_names() if self._listed else ""

    def _join_names(self) -> str:
        return "&nbsp;&nbsp; ".join(format_colored_line(series.style) for series in self._listed_series())

    def _measure(self, scale: Scale, between: tuple[float, float] | None) -> list[Bounds]:
        """Return the bounds of the curves; those of a faint one only while its color has no other of two points."""
        drawn = {series.style.color_key for series in self._listed_series() if len(series.x) > 1}
        every = [item.series for item in self.items.values()]
        counted = [series for series in every if not (series.style.faint and series.style.color_key in drawn)]
        bounds = [series.bounds(scale, between) for series in counted]
        return [bound for bound in bounds if bound is not None]


def nearest_x(curves: Collection[Series], x: float) -> float | None:
    """Return the x nearest to `x` at which any curve has a point, or None."""
    near = [(series, series.nearest(x)) for series in curves]
    places = [float(series.x[at]) for series, at in near if at is not None]
    return min(places, key=lambda place: abs(place - x), default=None)
