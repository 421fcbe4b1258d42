"""Parallel coordinates with mouse and keyboard: brush an axis, move or resize its brush, reorder, flip and point."""

from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QMenu, QWidget

from gui.widgets.parallel.model import ParallelModel, nearest
from gui.widgets.parallel.paint import TOP, AxesGeometry
from gui.widgets.parallel.view import ParallelView

NEAR_AXIS_PX, NEAR_END_PX, NEAR_LINE_PX, CLICK_PX = 12, 6, 7, 4
SIDE = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
AROUND = 0.015
UP = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


@dataclass
class BrushGesture:
    """Drag that draws a brush, or moves one of its ends."""

    key: str
    fixed: float
    start: QPointF
    is_new: bool = True

    def move(self, widget: ParallelView, to: QPointF) -> None:
        place = widget.frame().to_unit(to.y())
        widget.change(lambda: widget.model.set_brush(self.key, (self.fixed, place)))

    def end(self, widget: ParallelView, at: QPointF) -> None:
        """Remove the brush after a click outside its ends."""
        if self.is_new and abs(at.y() - self.start.y()) < CLICK_PX:
            widget.change(lambda: widget.model.set_brush(self.key, None))


@dataclass
class SlideGesture:
    """Drag that moves a whole brush."""

    key: str
    ends: tuple[float, float]
    start: float

    def move(self, widget: ParallelView, to: QPointF) -> None:
        by = widget.frame().to_unit(to.y()) - self.start
        widget.change(lambda: widget.model.set_brush(self.key, (self.ends[0] + by, self.ends[1] + by)))

    def end(self, widget: ParallelView, at: QPointF) -> None:
        """Leave the brush where it is."""


@dataclass
class AxisGesture:
    """Drag of an axis by its title; a click without a drag flips the axis."""

    key: str
    start: QPointF
    is_moving: bool = False

    def move(self, widget: ParallelView, to: QPointF) -> None:
        self.is_moving = self.is_moving or abs(to.x() - self.start.x()) > CLICK_PX
        if self.is_moving:
            widget.drag_axis((self.key, to.x()))

    def end(self, widget: ParallelView, at: QPointF) -> None:
        model, frame = widget.model, widget.frame()
        widget.drag_axis(None)
        if not self.is_moving:
            widget.change(lambda: model.flip(self.key))
            return
        others = [key for key in frame.keys if key != self.key]
        widget.change(lambda: model.move(self.key, sum(frame.x(key) < at.x() for key in others)))


Gesture = BrushGesture | SlideGesture | AxisGesture


def gesture_at(model: ParallelModel, frame: AxesGeometry, at: QPointF) -> Gesture | None:
    """Return the gesture that a press at a point begins, or None."""
    if not frame.keys:
        return None
    key = min(frame.keys, key=lambda key: abs(frame.x(key) - at.x()))
    away = abs(frame.x(key) - at.x())
    if at.y() < TOP - 8:
        return AxisGesture(key, at) if away < frame.step() / 2 else None
    if away > NEAR_AXIS_PX:
        return None
    place = frame.to_unit(at.y())
    if key in model.brushes:
        low, high = model.brushes[key]
        for end, other in ((low, high), (high, low)):
            if abs(frame.y(end) - at.y()) < NEAR_END_PX:
                return BrushGesture(key, other, at, is_new=False)
        if low < place < high:
            return SlideGesture(key, (low, high), place)
    return BrushGesture(key, place, at)


def cursor_at(model: ParallelModel, frame: AxesGeometry, at: QPointF) -> Qt.CursorShape:
    """Return the cursor shape for the gesture that a press at a point would begin."""
    gesture = gesture_at(model, frame, at)
    if isinstance(gesture, AxisGesture):
        return Qt.CursorShape.OpenHandCursor
    if isinstance(gesture, SlideGesture):
        return Qt.CursorShape.SizeAllCursor
    if isinstance(gesture, BrushGesture):
        return Qt.CursorShape.CrossCursor if gesture.is_new else Qt.CursorShape.SizeVerCursor
    return Qt.CursorShape.PointingHandCursor if pointed_line(model, frame, at) else Qt.CursorShape.ArrowCursor


def pointed_line(model: ParallelModel, frame: AxesGeometry, at: QPointF) -> str:
    """Return the key of the line at a point, among those that pass the brushes; empty if there is none."""
    keys = sorted(frame.keys, key=frame.x)
    for left, right in pairwise(keys):
        if frame.x(left) <= at.x() <= frame.x(right) and len(model.lines.keys):
            share = (at.x() - frame.x(left)) / max(frame.x(right) - frame.x(left), 1.0)
            ends = frame.ys(model.unit_values(left)), frame.ys(model.unit_values(right))
            found, away = nearest(model.rank_shares(), ends, (share, at.y()), model.selected())
            return model.lines.keys[found] if away <= NEAR_LINE_PX else ""
    return ""


class ParallelCoordinates(ParallelView):
    """Drag on an axis to brush, on its title to move it; click on the title to flip it; a menu has the rest."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gesture: Gesture | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._gesture = gesture_at(self.model, self.frame(), event.position())
            key = pointed_line(self.model, self.frame(), event.position())
            if self._gesture is None and key:
                self.chosen.emit(key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None:
            self._gesture.move(self, event.position())
            return
        key = pointed_line(self.model, self.frame(), event.position())
        self.setCursor(cursor_at(self.model, self.frame(), event.position()))
        if key != self._lit:
            self.highlight(key)
            self.hovered.emit(key)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._gesture is not None:
            gesture, self._gesture = self._gesture, None
            gesture.end(self, event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose an axis with left and right, and move it with Ctrl.

        Up and down move its brush; with Shift the brush grows.
        """
        model, key = self.model, Qt.Key(event.key())
        if not model.order:
            super().keyPressEvent(event)
            return
        axis, moving = model.order[self._focus], bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in SIDE:
            self._focus = min(max(self._focus + SIDE[key], 0), len(model.order) - 1)
            self.change(lambda: model.move(axis, self._focus) if moving else None)
        elif key in UP:
            grow = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.change(lambda: model.set_brush(axis, stepped(model, axis, UP[key], grow)))
        elif key == Qt.Key.Key_F:
            self.change(lambda: model.flip(axis))
        elif key == Qt.Key.Key_L:
            self.change(lambda: model.set_log(axis, axis not in model.log))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.change(lambda: model.set_brush(axis, None))
        elif key == Qt.Key.Key_Escape and model.brushes:
            self.clear_brushes()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.highlight("")
        self.hovered.emit("")

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu of the axis near the cursor, or of the one chosen by keys."""
        frame, keyed = self.frame(), event.reason() == QContextMenuEvent.Reason.Keyboard
        if frame.keys:
            near = min(frame.keys, key=lambda key: abs(frame.x(key) - event.pos().x()))
            menu = axis_menu(self, frame.keys[self._focus] if keyed else near)
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(event.globalPos())


def axis_menu(widget: ParallelCoordinates, key: str) -> QMenu:
    """Return the menu of an axis."""
    menu, model = QMenu(widget), widget.model
    place = model.order.index(key)
    menu.addAction("Reverse", lambda: widget.change(lambda: model.flip(key)))
    log = menu.addAction("Logarithmic", lambda: widget.change(lambda: model.set_log(key, key not in model.log)))
    log.setCheckable(True)
    log.setChecked(key in model.log)
    log.setEnabled(model.can_log(key))
    menu.addSeparator()
    for text, to in (("Move left", place - 1), ("Move right", place + 1)):
        action = menu.addAction(text)
        action.triggered.connect(lambda _=False, to=to: widget.change(lambda: model.move(key, to)))
        action.setEnabled(0 <= to < len(model.order))
    menu.addSeparator()
    clear = menu.addAction("Clear this filter", lambda: widget.change(lambda: model.set_brush(key, None)))
    clear.setEnabled(key in model.brushes)
    menu.addAction("Clear all filters", widget.clear_brushes).setEnabled(bool(model.brushes))
    return menu


def stepped(model: ParallelModel, key: str, step: int, grow: bool) -> tuple[float, float]:
    """Return the brush of an axis one stop further: one value wide, or grown by one stop."""
    stops = model.stops(key)
    if key not in model.brushes:
        first = stops[0] if step > 0 else stops[-1]
        return first - AROUND, first + AROUND
    low, high = model.brushes[key]
    if not grow:
        at = min(range(len(stops)), key=lambda place: abs(stops[place] - (low + high) / 2))
        wanted = stops[min(max(at + step, 0), len(stops) - 1)]
        return wanted - AROUND, wanted + AROUND
    if step > 0:
        return low, next((stop + AROUND for stop in stops if stop > high), high)
    return next((stop - AROUND for stop in reversed(stops) if stop < low), low), high
