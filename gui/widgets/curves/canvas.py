"""Drawing area of a plot: axes, grid, reference lines, the cursor line."""

import math
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QWidget

from gui import palette
from gui.formatting import format_number
from gui.widgets.curves.axis import Kind, NumberAxis
from gui.widgets.curves.series import Bounds, Scale, padded_bounds, to_axis
from gui.widgets.curves.zoom_box import ZoomBox, place_labels

TICK_PX = 11
LEFT_AXIS_PX, NARROW_AXIS_PX, NARROW_PX = 58, 44, 180
LABEL_PX = 24
MARGIN_PX = 6
Measure = Callable[[Scale, tuple[float, float] | None], list[Bounds]]


class CurveCanvas(pg.GraphicsView):
    """View box with a left and a bottom axis; a double-click shows everything.

    An axis that the user has zoomed stays; y follows what is visible until the user zooms it too. `measure` returns the
    bounds of the curves within a range of x.
    """

    pointed = Signal(float)
    pointer_left = Signal()

    def __init__(self, x_label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self.axis_scale = Scale()
        self.measure: Measure = lambda scale, between: []
        self.box = ZoomBox()
        self._x_axis, self._y_axis = NumberAxis("bottom"), NumberAxis("left")
        self._x_label = x_label
        self._references: dict[str, tuple[float, pg.InfiniteLine]] = {}
        self._steps = 0
        self._held = [False, False]
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._place = pg.InfiniteLine(angle=90, movable=False)
        self._lay_out()
        self.recolor()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.box.sigRangeChangedManually.connect(self._on_moved_by_hand)
        self.scene().sigMouseMoved.connect(self._on_mouse_moved)
        self.scene().sigMouseClicked.connect(lambda event: self.show_all() if event.double() else None)

    def _lay_out(self) -> None:
        layout = pg.GraphicsLayout()
        layout.setContentsMargins(4, 8, 12, 2)
        layout.setSpacing(0)
        layout.addItem(self._y_axis, 0, 0)
        layout.addItem(self.box, 0, 1)
        layout.addItem(self._x_axis, 1, 1)
        font = QFont(self.font())
        font.setPixelSize(TICK_PX)
        for axis in (self._x_axis, self._y_axis):
            axis.linkToView(self.box)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(tickLength=0, tickFont=font, tickTextOffset=6, maxTickLevel=0)
        self._y_axis.setWidth(LEFT_AXIS_PX)
        self._y_axis.setGrid(255)
        # Otherwise the numbers at its ends would be missing.
        self._x_axis.setStyle(hideOverlappingLabels=False)
        self._x_axis.setHeight(38)
        for line in (self._line, self._place):
            line.hide()
            self.box.addItem(line, ignoreBounds=True)
        self.box.sigResized.connect(self._on_resized)
        self.box.sigRangeChanged.connect(self._arrange_labels)
        self.setCentralItem(layout)

    def recolor(self) -> None:
        """Apply the colors of the current palette."""
        colors = palette.current()
        self.setBackground(colors.field)
        for axis in (self._x_axis, self._y_axis):
            axis.setPen(pg.mkPen(None))
            axis.setTickPen(pg.mkPen(colors.grid))
            axis.setTextPen(pg.mkPen(colors.quiet))
        self._x_axis.setLabel(self._x_label, **{"color": colors.quiet, "font-size": "12px"})
        self._line.setPen(pg.mkPen(colors.quiet, width=1))
        self._place.setPen(pg.mkPen(colors.text, width=1, style=Qt.PenStyle.DashLine))
        for _, line in self._references.values():
            line.setPen(pg.mkPen(colors.warning_text, width=1.2, style=Qt.PenStyle.DotLine))
            line.label.setColor(colors.warning_text)

    def show_axes(self, shown: bool) -> None:
        """Show or hide the axes; they are hidden while there is no curve."""
        for axis in (self._x_axis, self._y_axis):
            axis.setOpacity(float(shown))

    def set_x_axis(self, title: str, kind: Kind) -> None:
        """Name the axis of x, and say what its numbers are."""
        self._x_label, self._x_axis.kind = title, kind
        self._x_axis.picture = None
        self.recolor()

    def set_words(self, x_words: tuple[str, ...], y_words: tuple[str, ...]) -> None:
        """Name the categories of the axes; empty for an axis of numbers."""
        self._x_axis.words, self._y_axis.words = x_words, y_words

    def set_least_steps(self, x_step: float, y_step: float) -> None:
        """Set the least distance of the ticks of both axes; 0 for any."""
        self._x_axis.least_step, self._y_axis.least_step = x_step, y_step

    def set_scale(self, scale: Scale) -> None:
        self.axis_scale = scale
        self._x_axis.setLogMode(scale.log_x)
        self._y_axis.setLogMode(scale.log_y)
        self._place_references()
        self.point_at(None)

    def set_reference(self, name: str, y: float | None, text: str = "") -> None:
        """Draw a dotted, labeled line at y, or remove it if `y` is None."""
        if name in self._references:
            self.box.removeItem(self._references.pop(name)[1])
        if y is not None:
            options = {"position": 0.98, "anchors": [(1, 1), (1, 0)], "movable": False}
            line = pg.InfiniteLine(angle=0, movable=False, label=_escape(text), labelOpts=options)
            line.setToolTip(text)
            self._references[name] = (y, line)
            self.box.addItem(line, ignoreBounds=True)
            self.recolor()
        self._place_references()
        self._arrange_labels()

    def set_x_limit(self, last: int) -> None:
        """Count x in whole steps from 1 to `last`, and keep all of them visible; 0 for an axis without steps."""
        self._x_axis.least_step = 1.0 if last else 0.0
        if last != self._steps:
            self._steps = last
            self.fit()

    def fit(self) -> None:
        """Show all curves on the axes that the user has not zoomed; y follows the visible part of x."""
        (left, right), (low, high) = self.box.viewRange()
        held_x, held_y = self._held
        between = None
        if held_x:
            between = (10**left, 10**right) if self.axis_scale.log_x else (left, right)
        if not (held_x and held_y):
            full = self._full_range(between)
            left, right = (left, right) if held_x else full[:2]
            low, high = (low, high) if held_y else full[2:]
        self.box.setRange(xRange=(left, right), yRange=(low, high), padding=0, disableAutoRange=True)

    def show_all(self) -> None:
        """Return to the full view."""
        self._held = [False, False]
        self.fit()

    def _full_range(self, between: tuple[float, float] | None) -> Bounds:
        """Return the range of both axes, in axis positions, that shows every curve, level and step."""
        scale = self.axis_scale
        bounds = self.measure(scale, between)
        levels = [(b[0], b[1], y, y) for b in bounds[:1] for y, _ in self._references.values()]
        steps = [(1.0, float(self._steps), b[2], b[2]) for b in bounds[:1] if self._steps > 1]
        seen = bounds + levels + steps
        if scale.log_x or scale.log_y:
            seen = [_to_log(bound, scale) for bound in seen]
        left, right, low, high = padded_bounds([bound for bound in seen if all(map(math.isfinite, bound))])
        left_over = max(self.box.height() - 2 * LABEL_PX, LABEL_PX)
        # A label stands on the outer side of its line.
        room = LABEL_PX / left_over * (high - low) if levels else 0.0
        return left, right, low - room, high + room

    def point_at(self, x: float | None, stays: bool = False) -> None:
        """Draw the vertical cursor line at x, or hide it if `x` is None.

        With `stays`, this is the dashed line that stays in place while the cursor moves.
        """
        line = self._place if stays else self._line
        line.setVisible(x is not None)
        if x is not None:
            line.setPos(float(to_axis(np.array([x]), self.axis_scale.log_x)[0]))

    def x_on_widget(self, x: float) -> float:
        """Return the position of x on this widget, in its pixels."""
        placed = float(to_axis(np.array([x]), self.axis_scale.log_x)[0])
        return self.mapFromScene(self.box.mapViewToScene(QPointF(placed, 0))).x()

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer_left.emit()
        super().leaveEvent(event)

    def _place_references(self) -> None:
        for y, line in self._references.values():
            placed = float(to_axis(np.array([y]), self.axis_scale.log_y)[0])
            line.setVisible(math.isfinite(placed))
            if math.isfinite(placed):
                line.setPos(placed)

    def _on_resized(self) -> None:
        self._y_axis.setWidth(LEFT_AXIS_PX if self.width() >= NARROW_PX else NARROW_AXIS_PX)
        self.fit()

    def _arrange_labels(self, *_: object) -> None:
        """Place the labels of the levels so that none covers another."""
        levels = [(y, line) for y, line in self._references.values() if line.isVisible()]
        lines = [line for _, line in levels]
        area = self.box.sceneBoundingRect().adjusted(MARGIN_PX, 0, -MARGIN_PX, 0)
        if not lines or area.width() <= 0:
            return
        for y, line in levels:
            is_wide = self.fontMetrics().horizontalAdvance(line.toolTip()) > area.width()
            wanted = _escape(format_number(y) if is_wide else line.toolTip())
            if line.label.format != wanted:
                line.label.setFormat(wanted)
        sizes = [line.label.textItem.boundingRect() for line in lines]
        ys = [self.box.mapViewToScene(QPointF(0, line.value())).y() for line in lines]
        places = place_labels([(size.width(), size.height()) for size in sizes], ys, area)
        for line, y, place in zip(lines, ys, places, strict=True):
            line.label.setOpacity(float(place is not None))
            if place is not None:
                line.label.anchors = [(1, int(place.center().y() < y))] * 2
                line.label.setPosition((place.right() - area.left() + MARGIN_PX) / (area.width() + 2 * MARGIN_PX))

    def _on_moved_by_hand(self, axes: list[bool]) -> None:
        self._held = [held or bool(moved) for held, moved in zip(self._held, axes, strict=True)]
        if not self._held[1]:
            self.fit()

    def _on_mouse_moved(self, at: QPointF) -> None:
        if not self.box.sceneBoundingRect().contains(at):
            self.pointer_left.emit()
            return
        x = self.box.mapSceneToView(at).x()
        self.pointed.emit(10**x if self.axis_scale.log_x else x)


def _escape(text: str) -> str:
    """Return a text whose braces are no places for a value."""
    return text.replace("{", "{{").replace("}", "}}")


def _to_log(bounds: Bounds, scale: Scale) -> Bounds:
    left, right = to_axis(np.array(bounds[:2]), scale.log_x)
    low, high = to_axis(np.array(bounds[2:]), scale.log_y)
    return float(left), float(right), float(low), float(high)
