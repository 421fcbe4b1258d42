"""The drawing area of a scatter plot: axes, grid, points, color bar, and the part of the plane in view."""

from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QLinearGradient, QPainter, QPen
from PySide6.QtWidgets import QWidget

from gui import palette
from gui.formatting import format_number
from gui.widgets.curves.axis import NumberAxis
from gui.widgets.scatter.model import EMPTY, Flags, Numbers, Point, Ranges, fit_ranges
from gui.widgets.scatter.paint import COLOR_STEPS, LABEL_ALPHA, PointsItem

LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 58, 14, 12, 42
TICK_PX, GAP_PX = 11, 4
MIN_ZOOM, MAX_ZOOM = 0.5, 200.0
BAR_PX, BAR_OFFSET_PX = (8, 90), (-8, 14)


class MapColorBar(pg.GradientLegend):
    """A color bar whose labels have the font of the axes."""

    def paint(self, painter: QPainter, *options: object) -> None:
        painter.setFont(self.font)
        super().paint(painter, *options)


class ScatterCanvas(pg.GraphicsView):
    """A view box with a left and a bottom axis that draws a Scatter; its parent handles mouse and keys."""

    def __init__(self, parent: QWidget, draw_overlay: Callable[[QPainter], None]) -> None:
        super().__init__(parent, background=None)
        self.scatter = EMPTY
        self._draw_overlay = draw_overlay
        self.box = pg.ViewBox(enableMenu=False)
        self._is_whole = True
        self._axes = NumberAxis("bottom"), NumberAxis("left")
        self._points = PointsItem()
        self._bar = MapColorBar(BAR_PX, BAR_OFFSET_PX)
        self._add_items()
        # the overlay belongs to no item: when the view moves, all of it moves
        self.setViewportUpdateMode(pg.GraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.sigDeviceRangeChanged.connect(self._on_resized)
        self._on_resized()

    def _add_items(self) -> None:
        font = QFont(self.font())
        font.setPixelSize(TICK_PX)
        self._bar.font = font
        for axis in self._axes:
            axis.linkToView(self.box)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=0, tickFont=font, tickTextOffset=6, maxTickLevel=0)
            axis.setGrid(255)
            axis.setZValue(self.box.zValue() - 1)
            self.addItem(axis)
        self._axes[0].setStyle(hideOverlappingLabels=False)  # or the numbers at its ends would be missing
        self._axes[0].setHeight(BOTTOM_PX - GAP_PX)
        self._axes[1].setWidth(LEFT_PX - GAP_PX)
        self.addItem(self.box)
        self.box.disableAutoRange()
        self.box.addItem(self._points, ignoreBounds=True)
        # a moving pointer draws only the overlay again
        self._points.setCacheMode(self._points.CacheMode.DeviceCoordinateCache)
        self._bar.setParentItem(self.box)

    def draw(self, shown: Flags, selected: Flags | None) -> None:
        """Draw the shown points, axes and color bar in the current palette; no axes while there are no points."""
        self._recolor()
        self._points.draw(self.scatter, shown, selected)
        for axis in self._axes:
            axis.setVisible(len(self.scatter.points) > 0)
        self._set_titles()
        values = self.scatter.values
        self._bar.setVisible(values is not None and bool(np.isfinite(values).any()))
        if self._bar.isVisible():
            low, high = (format_number(value, 2) for value in self.scatter.ends())
            self._bar.setLabels({f"≤ {low}": 0, self.scatter.value_title: 0.5, f"≥ {high}": 1})
        self.viewport().update()

    def _set_titles(self) -> None:
        """Write the titles of the axes, shortened to the length of each."""
        metrics, style = QFontMetrics(self._bar.font), {"color": palette.current().quiet, "font-size": f"{TICK_PX}px"}
        lengths = self.room().width(), self.room().height()
        for axis, title, length in zip(self._axes, self.scatter.axes, lengths, strict=True):
            axis.setLabel(metrics.elidedText(title, Qt.TextElideMode.ElideRight, round(length)), **style)
            axis.resizeEvent()  # centers the new title

    def _recolor(self) -> None:
        colors = palette.current()
        self.setBackground(colors.field)
        for axis in self._axes:
            axis.setPen(pg.mkPen(None))
            axis.setTickPen(pg.mkPen(colors.grid))
            axis.setTextPen(pg.mkPen(colors.quiet))
        ground, gradient = QColor(colors.field), QLinearGradient()
        ground.setAlpha(LABEL_ALPHA)
        for step in range(COLOR_STEPS + 1):
            gradient.setColorAt(step / COLOR_STEPS, QColor(palette.find_score_color(1 - step / COLOR_STEPS)))
        self._bar.pen, self._bar.brush = QPen(Qt.PenStyle.NoPen), ground
        self._bar.textPen = QPen(QColor(colors.quiet))
        self._bar.setGradient(gradient)

    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        """Draw what lies over the points, in pixels of the widget."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        self._draw_overlay(painter)

    def room(self) -> QRectF:
        """Return the part of the widget where points can be."""
        return self.box.geometry()

    def to_widget(self, points: Numbers) -> Numbers:
        """Return the pixel positions (n, 2) of points (n, 2) in the widget."""
        room, ((left, _), (bottom, _)) = self.room(), self.box.viewRange()
        x, y = (points - (left, bottom)).T * np.array(self._scale())[:, None]
        return np.stack([room.left() + x, room.bottom() - y], axis=1)

    def fit(self) -> None:
        """Show all points."""
        self._is_whole = True
        self._show(self._whole())

    def pan(self, dx: float, dy: float) -> None:
        """Move the content by a number of pixels."""
        self._is_whole = False
        x_scale, y_scale = self._scale()
        self.box.translateBy((-dx / x_scale, dy / y_scale))

    def zoom(self, factor: float, at: QPointF) -> None:
        """Zoom so that what lies at a pixel position stays there, within limits relative to the whole plot."""
        self._is_whole = False
        whole, now = np.ptp(self._whole()[0]), np.ptp(self.box.viewRange()[0])
        by = float(np.clip(whole / now * factor, MIN_ZOOM, MAX_ZOOM) * now / whole)
        self.box.scaleBy((1 / by, 1 / by), center=self.box.mapSceneToView(at))

    def _whole(self) -> Ranges:
        return fit_ranges(self.scatter.extent(), (self.room().width(), self.room().height()))

    def _show(self, ranges: Ranges) -> None:
        self.box.setRange(xRange=ranges[0], yRange=ranges[1], padding=0)

    def _scale(self) -> Point:
        """Return the pixels per unit, across and up."""
        (left, right), (bottom, top) = self.box.viewRange()
        return self.room().width() / (right - left), self.room().height() / (top - bottom)

    def _on_resized(self) -> None:
        """Show everything if everything was in view; else keep the center and the scale."""
        before, ranges = self.room().size(), np.array(self.box.viewRange())
        room = QRectF(self.rect()).adjusted(LEFT_PX, TOP_PX, -RIGHT_PX, -BOTTOM_PX)
        room.setSize(room.size().expandedTo(QSizeF(1, 1)))
        self.box.setGeometry(room)
        self._axes[0].setGeometry(QRectF(room.left(), room.bottom(), room.width(), BOTTOM_PX - GAP_PX))
        self._axes[1].setGeometry(QRectF(GAP_PX, room.top(), LEFT_PX - GAP_PX, room.height()))
        self._set_titles()
        if self._is_whole:
            self.fit()
        else:
            growth = np.array([room.width() / before.width(), room.height() / before.height()])[:, None]
            x, y = (ranges.mean(axis=1, keepdims=True) * (1 - growth) + ranges * growth).tolist()
            self._show((x, y))
