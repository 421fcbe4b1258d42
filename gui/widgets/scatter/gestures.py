"""What mouse and keys do with a map of points: point, choose, draw a lasso, zoom, move."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent

from gui.widgets.scatter.model import fit_all, inside, nearest, nearest_in_direction

if TYPE_CHECKING:
    from gui.widgets.scatter.widget import ScatterPlot

REACH_PX, CLICK_PX, NOTCH, KEY_ZOOM = 12.0, 4.0, 1.2, 1.25
ARROW_DIRECTIONS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
STEP_PX = 40.0
BY_KEYS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class ScatterGestures(QObject):
    """Sees the events of a plot before it does."""

    def __init__(self, plot: "ScatterPlot") -> None:
        super().__init__(plot)
        self._plot = plot
        self._pressed: QPointF | None = None
        self._panned: QPointF | None = None
        plot.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent):
            return self._on_mouse(event)
        if isinstance(event, QWheelEvent):
            self._zoom(NOTCH ** (event.angleDelta().y() / 120), event.position())
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            self._frame(True)
            return self._on_key(event)
        if isinstance(event, QFocusEvent):
            self._frame(event.reason() in BY_KEYS)
        if event.type() == QEvent.Type.Leave:
            self._point(-1)
        return False

    def _on_mouse(self, event: QMouseEvent) -> bool:
        kind, at = event.type(), event.position()
        if kind == QEvent.Type.MouseMove:
            self._move(at)
        elif kind == QEvent.Type.MouseButtonPress:
            self._plot.setFocus(Qt.FocusReason.MouseFocusReason)
            self._frame(False)
            if event.button() == Qt.MouseButton.LeftButton:
                self._pressed = at
            elif event.button() == Qt.MouseButton.MiddleButton:
                self._panned = at
        elif kind == QEvent.Type.MouseButtonRelease:
            self._release(at)
        elif kind == QEvent.Type.MouseButtonDblClick:
            self._reset()
        return True

    def _move(self, at: QPointF) -> None:
        plot = self._plot
        if self._panned is not None:
            step, self._panned = at - self._panned, at
            plot.set_transform(plot.frame.panned(step.x(), step.y()))
        elif self._pressed is not None and (plot.lasso or (at - self._pressed).manhattanLength() > CLICK_PX):
            self._point(-1)
            plot.lasso = [*plot.lasso, (at.x(), at.y())] if plot.lasso else [_pair(self._pressed), _pair(at)]
            plot.update()
        elif self._pressed is None:
            self._point(self._index_at(at))

    def _release(self, at: QPointF) -> None:
        plot, pressed = self._plot, self._pressed
        self._pressed = self._panned = None
        if plot.lasso:
            corners, plot.lasso = plot.lasso, []
            held = inside(plot.frame.to_view(plot.scatter.points), corners) & plot.shown()
            plot.update()
            plot.lassoed.emit(held.nonzero()[0].tolist())
        elif pressed is not None and (found := self._index_at(at)) >= 0:
            plot.chosen.emit(found)

    def _on_key(self, event: QKeyEvent) -> bool:
        plot, key = self._plot, Qt.Key(event.key())
        middle = QPointF(*plot.frame.middle)
        if key in ARROW_DIRECTIONS:
            self._step(ARROW_DIRECTIONS[key], bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and plot.hovered_index >= 0:
            plot.chosen.emit(plot.hovered_index)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(1 / KEY_ZOOM if key == Qt.Key.Key_Minus else KEY_ZOOM, middle)
        elif key == Qt.Key.Key_R:
            self._reset()
        elif key == Qt.Key.Key_Escape and plot.selected is not None:
            plot.lassoed.emit([])
        else:
            return False
        return True

    def _step(self, way: tuple[float, float], moves: bool) -> None:
        """Go to the next point in a direction; with Shift, move what is seen."""
        plot = self._plot
        if moves:
            plot.set_transform(plot.frame.panned(-way[0] * STEP_PX, -way[1] * STEP_PX))
            return
        shown, places = plot.shown(), plot.frame.to_view(plot.scatter.points)
        if plot.hovered_index < 0 or not shown[plot.hovered_index]:
            self._point(nearest(places, shown, plot.frame.middle, float("inf")))
        else:
            self._point(nearest_in_direction(places, shown, plot.hovered_index, way))

    def _index_at(self, at: QPointF) -> int:
        plot = self._plot
        return nearest(plot.frame.to_view(plot.scatter.points), plot.shown(), _pair(at), REACH_PX)

    def _frame(self, by_keys: bool) -> None:
        """Frame the focus of whoever uses keys; a mouse needs no frame."""
        if by_keys != self._plot.by_keys:
            self._plot.by_keys = by_keys
            self._plot.update()

    def _point(self, at: int) -> None:
        plot = self._plot
        if at != plot.hovered_index:
            plot.hovered_index = at
            plot.setCursor(Qt.CursorShape.PointingHandCursor if at >= 0 else Qt.CursorShape.CrossCursor)
            plot.update()
            plot.pointed.emit(at)

    def _zoom(self, factor: float, at: QPointF) -> None:
        plot = self._plot
        plot.set_transform(plot.frame.zoomed(factor, _pair(at), fit_all(plot.scatter.extent(), plot.frame.size).scale))
        if plot.underMouse():
            self._point(self._index_at(at))

    def _reset(self) -> None:
        plot = self._plot
        plot.set_transform(fit_all(plot.scatter.extent(), (plot.width(), plot.height())))


def _pair(at: QPointF) -> tuple[float, float]:
    return at.x(), at.y()
