"""Drawing of one curve: a faint raw line behind the smoothed line, with its best point marked."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from gui import palette
from gui.widgets.curves.series import Series, decimate, to_axis

RAW_ALPHA = 95
LINE_PX = 1.8
MOST_POINTS = 2000
DASHES = [5.0, 3.5]


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
        colour = QColor(palette.find_series_color(series.style.colour_key))
        faint = QColor(colour)
        faint.setAlpha(RAW_ALPHA)
        pen = pg.mkPen(colour, width=LINE_PX * ratio)
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
        self._draw_points(x, raw, colour)

    def _draw_points(self, x: np.ndarray, y: np.ndarray, colour: QColor) -> None:
        """Mark the best point; show a curve of one point as that point."""
        spots: list[dict[str, Any]] = []
        back = QColor(palette.current().field)
        if len(x) == 1:
            spots.append({"pos": (x[0], y[0]), "size": 7, "symbol": "o", "brush": colour, "pen": colour})
        best = None if self.series.best is None else self.series.nearest(self.series.best)
        if best is not None:
            spots.append(
                {"pos": (x[best], y[best]), "size": 15, "symbol": "star", "brush": colour, "pen": pg.mkPen(back)}
            )
        self._points.setData([spot for spot in spots if np.isfinite(spot["pos"]).all()])

    def _items(self) -> tuple[pg.GraphicsObject, ...]:
        return self._raw, self._smooth, self._points
