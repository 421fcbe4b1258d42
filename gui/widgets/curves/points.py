"""Plot of points or bars that stand for things with keys: they can be pointed at and chosen."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QCursor, QKeyEvent
from PySide6.QtWidgets import QFrame, QToolTip, QVBoxLayout, QWidget

from gui import palette
from gui.widgets.curves.axis import Kind
from gui.widgets.curves.canvas import CurveCanvas
from gui.widgets.curves.series import Bounds, Numbers, Scale, drawable, to_axis
from gui.widgets.labels import ElidedLabel, label, plain_tip

NEAR_PX, POINT_PX, RING_PX, LINE_PX = 14.0, 9, 17, 1.8
GRID, REACH, HEAT_ALPHA, LEAST_WEIGHT = 64, 0.12, 110, 0.35
BAR_HEIGHT = 0.8


@dataclass(frozen=True)
class PointAxis:
    """Axis of points: its title, what its numbers are, and the names of 0, 1, 2, ... if they are categories.

    An axis that `counts`, such as that of trials, has no ticks between whole numbers.
    """

    title: str
    log: bool = False
    kind: Kind = "number"
    words: tuple[str, ...] = ()
    counts: bool = False


@dataclass(frozen=True, eq=False)
class Points:
    """Points with keys, color keys and tool tips.

    Few different colors are drawn fastest.

    Args:
        keys: one for each point.
        x: (n,) its x.
        y: (n,) its y.
        colors: its color key.
        tip_of: returns the tool tip of a key.
        ends: (n,) where its bar ends, if the points are bars along x.
        line: x and y of a line through the plot.
        heat: (n,) a share in [0, 1] of each point, for a map of colors between the points.
    """

    keys: tuple[str, ...] = ()
    x: Numbers = field(default_factory=lambda: np.zeros(0))
    y: Numbers = field(default_factory=lambda: np.zeros(0))
    colors: tuple[str, ...] = ()
    tip_of: Callable[[str], str] = str
    ends: Numbers | None = None
    line: tuple[Numbers, Numbers] | None = None
    heat: Numbers | None = None


class PointPlot(QFrame):
    """Points that the user can point at and choose; a drag zooms, as in a plot of curves."""

    chosen = Signal(str)
    hovered = Signal(str)

    def __init__(self, name: str, point_px: int = POINT_PX, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points, self._point_px = Points(), point_px
        self.canvas = CurveCanvas("", self)
        self.canvas.measure = self._measure
        self._title, self._empty = ElidedLabel(), label(role="quiet", wrap=True)
        self._heat, self._line = pg.ImageItem(), pg.PlotCurveItem(antialias=True)
        self._dots, self._ring = pg.ScatterPlotItem(antialias=True), pg.ScatterPlotItem(antialias=True)
        self._bars = pg.BarGraphItem(x0=[], x1=[], y=[], height=BAR_HEIGHT)
        self._selected, self._near = "", ""
        self._axes: tuple[PointAxis, PointAxis] | None = None
        for item in (self._heat, self._bars, self._dots, self._line, self._ring):
            self.canvas.box.addItem(item, ignoreBounds=True)
        self._lay_out(name)
        self.canvas.scene().sigMouseMoved.connect(self._on_mouse_moved)
        self.canvas.scene().sigMouseClicked.connect(self._on_clicked)

    def _lay_out(self, name: str) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(2)
        column.addWidget(self._title)
        column.addWidget(self.canvas, 1)
        self._title.setProperty("role", "caption")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.canvas).addWidget(self._empty)
        self.canvas.setMinimumHeight(110)
        self.setProperty("kind", "field")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)

    def set_empty_text(self, text: str) -> None:
        """Set the text that stands here while there is no point."""
        self._empty.setText(text)

    def show_points(self, points: Points, x: PointAxis, y: PointAxis) -> None:
        """Show points on two axes; the title of y stands above the plot."""
        self.points = points
        if (x, y) != self._axes:
            self._axes = x, y
            self._title.setText(y.title)
            self.canvas.set_x_axis(x.title, x.kind)
            self.canvas.set_words(x.words, y.words)
            self.canvas.set_least_steps(float(x.counts), float(y.counts))
            self.canvas.set_scale(Scale(x.log, y.log))
        self.canvas.show_axes(bool(points.keys))
        self._empty.setVisible(not points.keys)
        self._draw()
        self.canvas.show_all()

    def select(self, key: str) -> None:
        """Put a ring around a point; an empty key removes it."""
        if key != self._selected:
            self._selected = key
            self._draw_ring()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose the next point to the left or right; R shows everything."""
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_R:
            self.canvas.show_all()
        elif step is not None and self.points.keys:
            order = [self.points.keys[place] for place in np.argsort(self.points.x, kind="stable")]
            at = order.index(self._selected) + step if self._selected in order else 0
            self.chosen.emit(order[min(max(at, 0), len(order) - 1)])
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Apply the colors of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.canvas.recolor()
            self._draw()

    def _draw(self) -> None:
        points, (x, y) = self.points, self._places()
        colors = {color: pg.mkBrush(palette.find_series_color(color)) for color in set(points.colors)}
        brushes = [colors[color] for color in points.colors]
        if points.ends is None:
            self._bars.setOpts(x0=[], x1=[], y=[], height=BAR_HEIGHT)
            good = np.isfinite(x) & np.isfinite(y)
            self._dots.setData(
                x[good],
                y[good],
                size=self._point_px,
                brush=[brush for brush, is_good in zip(brushes, good, strict=True) if is_good],
                pen=pg.mkPen(palette.current().field),
            )
        else:
            self._dots.setData([], [])
            self._bars.setOpts(x0=x, x1=points.ends, y=y, height=BAR_HEIGHT, brushes=brushes, pen=None)
        ends = points.line or (np.zeros(0), np.zeros(0))
        pen = pg.mkPen(palette.current().accent, width=LINE_PX * self.devicePixelRatioF())
        self._line.setData(
            to_axis(ends[0], self.canvas.axis_scale.log_x), to_axis(ends[1], self.canvas.axis_scale.log_y), pen=pen
        )
        self._draw_heat(x, y)
        self._draw_ring()

    def _draw_heat(self, x: Numbers, y: Numbers) -> None:
        """Color the ground by the shares of the points nearby."""
        heat = self.points.heat
        good = np.zeros(0, bool) if heat is None else np.isfinite(x) & np.isfinite(y) & np.isfinite(heat)
        if heat is None or good.sum() < 2 or np.ptp(x[good]) == 0 or np.ptp(y[good]) == 0:
            self._heat.setImage(np.zeros((1, 1, 4), np.uint8))
            return
        low, high = np.array([x[good].min(), y[good].min()]), np.array([x[good].max(), y[good].max()])
        places = (np.stack([x[good], y[good]], axis=1) - low) / (high - low)
        shares, weights = blur_shares(places, heat[good])
        ramp = np.array([palette.rgb(palette.find_score_color(step / 255)) for step in range(256)], np.uint8)
        pixels = np.empty((GRID, GRID, 4), np.uint8)
        pixels[..., :3] = ramp[np.round(shares * 255).astype(int)]
        pixels[..., 3] = HEAT_ALPHA * np.clip(weights / LEAST_WEIGHT, 0, 1)
        self._heat.setImage(pixels)
        self._heat.setRect(QRectF(QPointF(*low), QPointF(*high)))

    def _draw_ring(self) -> None:
        x, y = self._places()
        at = self.points.keys.index(self._selected) if self._selected in self.points.keys else None
        shown = at is not None and np.isfinite(x[at]) and np.isfinite(y[at])
        pen = pg.mkPen(palette.current().strong, width=2)
        self._ring.setData([x[at]] if shown else [], [y[at]] if shown else [], size=RING_PX, pen=pen, brush=None)

    def _places(self) -> tuple[Numbers, Numbers]:
        return to_axis(self.points.x, self.canvas.axis_scale.log_x), to_axis(
            self.points.y, self.canvas.axis_scale.log_y
        )

    def _measure(self, scale: Scale, between: tuple[float, float] | None) -> list[Bounds]:
        """Return the bounds of the points within a range of x, and of the ends of bars."""
        x, y = self.points.x, self.points.y
        ends = x if self.points.ends is None else self.points.ends
        seen = drawable(x, scale.log_x) & drawable(y, scale.log_y) & np.isfinite(ends)
        if between is not None:
            seen &= (ends >= between[0]) & (x <= between[1])
        if not seen.any():
            return []
        return [(float(x[seen].min()), float(ends[seen].max()), float(y[seen].min()), float(y[seen].max()))]

    def key_near(self, at: QPointF) -> str:
        """Return the key of the point near a place of the scene; empty if there is none."""
        box = self.canvas.box
        if not self.points.keys or not box.sceneBoundingRect().contains(at):
            return ""
        place, (x, y) = box.mapSceneToView(at), self._places()
        width, height = box.viewPixelSize()
        ends = x if self.points.ends is None else self.points.ends
        aside = np.maximum(np.maximum(x - place.x(), place.x() - ends), 0) / width
        away = np.hypot(aside, (y - place.y()) / height)
        away[~np.isfinite(away)] = np.inf
        nearest = int(away.argmin())
        return self.points.keys[nearest] if away[nearest] <= NEAR_PX else ""

    def _on_mouse_moved(self, at: QPointF) -> None:
        key = self.key_near(at)
        if key != self._near:
            self._near = key
            self.hovered.emit(key)
            QToolTip.showText(QCursor.pos(), plain_tip(self.points.tip_of(key)) if key else "", self)

    def _on_clicked(self, event: object) -> None:
        key = self.key_near(event.scenePos())  # type: ignore[attr-defined]
        if key:
            self.chosen.emit(key)


def blur_shares(places: Numbers, shares: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mean share of the points near each cell of a grid, and the weight of the points there.

    Args:
        places: (n, 2) points in the unit square.
        shares: (n,) a value in [0, 1] of each.

    Returns:
        Two (GRID, GRID) arrays, x first.
    """
    ticks = (np.arange(GRID) + 0.5) / GRID
    across = np.exp(-0.5 * ((ticks[:, None] - places[:, 0]) / REACH) ** 2)
    along = np.exp(-0.5 * ((ticks[:, None] - places[:, 1]) / REACH) ** 2)
    weights = across @ along.T
    return (across * shares) @ along.T / np.maximum(weights, 1e-12), weights
