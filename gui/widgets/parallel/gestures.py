"""Mouse gestures on parallel coordinates: brush an axis, move or resize its brush, drag the axis, flip it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from gui.widgets.parallel.model import ParallelModel, nearest
from gui.widgets.parallel.paint import TOP, AxesGeometry

if TYPE_CHECKING:
    from gui.widgets.parallel.view import ParallelView

NEAR_AXIS_PX, NEAR_END_PX, NEAR_LINE_PX, CLICK_PX = 12, 6, 7, 4


@dataclass
class BrushGesture:
    """Drag that draws a brush, or moves one of its ends."""

    key: str
    fixed: float
    start: QPointF
    is_new: bool = True

    def move(self, widget: "ParallelView", to: QPointF) -> None:
        place = widget.frame().to_unit(to.y())
        widget.change(lambda: widget.model.set_brush(self.key, (self.fixed, place)))

    def end(self, widget: "ParallelView", at: QPointF) -> None:
        """Remove the brush after a click outside its ends."""
        if self.is_new and abs(at.y() - self.start.y()) < CLICK_PX:
            widget.change(lambda: widget.model.set_brush(self.key, None))


@dataclass
class SlideGesture:
    """Drag that moves a whole brush."""

    key: str
    ends: tuple[float, float]
    start: float

    def move(self, widget: "ParallelView", to: QPointF) -> None:
        by = widget.frame().to_unit(to.y()) - self.start
        widget.change(lambda: widget.model.set_brush(self.key, (self.ends[0] + by, self.ends[1] + by)))

    def end(self, widget: "ParallelView", at: QPointF) -> None:
        """Leave the brush where it is."""


@dataclass
class AxisGesture:
    """Drag of an axis by its title; a click without a drag flips the axis."""

    key: str
    start: QPointF
    is_moving: bool = False

    def move(self, widget: "ParallelView", to: QPointF) -> None:
        self.is_moving = self.is_moving or abs(to.x() - self.start.x()) > CLICK_PX
        if self.is_moving:
            widget.drag_axis((self.key, to.x()))

    def end(self, widget: "ParallelView", at: QPointF) -> None:
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
