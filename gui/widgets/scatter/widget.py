"""A scatter plot of thousands of points that are hovered, clicked, and selected with a lasso or a box."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.widgets.scatter.canvas import ScatterCanvas
from gui.widgets.scatter.model import Flags, Numbers, Point, Scatter, inside, nearest, nearest_in_direction
from gui.widgets.scatter.paint import Preview, draw_extra_point, draw_lasso, draw_preview, draw_rings

REACH_PX, CLICK_PX, STEP_PX, NOTCH, KEY_ZOOM = 12.0, 4.0, 40.0, 1.2, 1.25
ARROW_DIRECTIONS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
ZOOM_KEYS = {Qt.Key.Key_Plus: KEY_ZOOM, Qt.Key.Key_Equal: KEY_ZOOM, Qt.Key.Key_Minus: 1 / KEY_ZOOM}
ENTER_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
KEY_REASONS = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
SHIFT = Qt.KeyboardModifier.ShiftModifier


class ScatterView(QWidget):
    """Shows a Scatter with rings, an extra point and a preview of the hovered point; takes no input."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = ScatterCanvas(self, self._draw_overlay)
        self.hidden: frozenset[int] = frozenset()
        self.selected: Flags | None = None
        self.hovered_index = -1
        self.preview: Callable[[int], Preview] = lambda at: (None, ())
        self._lasso: list[Point] = []
        self._has_frame = False  # around the focus, for keyboard users only
        self._rings: dict[int, str] = {}
        self._empty = ""
        self.setMinimumSize(240, 140)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("latent map")

    @property
    def scatter(self) -> Scatter:
        return self.canvas.scatter

    def show_points(self, scatter: Scatter, keep_view: bool = False) -> None:
        """Show other points, all of them in view; `keep_view` keeps the view, the selection and the rings."""
        self.canvas.scatter = scatter
        self.hidden, self.hovered_index, self._lasso = frozenset(), -1, []
        if not keep_view:
            self.selected, self._rings = None, {}
            self.canvas.fit()
        groups = ", ".join(mark.title for mark in scatter.marks)
        self.setAccessibleDescription(f"{len(scatter.points)} points; {groups}")
        self.refresh()

    def set_empty_text(self, text: str) -> None:
        """Show a text while there are no points."""
        self._empty = text
        self.canvas.viewport().update()

    def set_hidden(self, groups: Collection[int]) -> None:
        """Hide the points of these groups."""
        self.hidden = frozenset(groups)
        self.refresh()

    def select(self, at: Sequence[int] | None) -> None:
        """Highlight these points and dim the others; None highlights all."""
        self.selected = None
        if at is not None and len(at):
            self.selected = np.zeros(len(self.scatter.points), np.bool_)
            self.selected[list(at)] = True
        self.refresh()

    def set_rings(self, rings: Mapping[int, str]) -> None:
        """Draw rings around points, each with a short label."""
        self._rings = dict(rings)
        self.canvas.viewport().update()

    def rings(self) -> dict[int, str]:
        """Return the points with a ring, and their letters."""
        return dict(self._rings)

    def set_guest(self, guest: Point | None, title: str = "") -> None:
        """Show one more point with its name, in view; None removes it."""
        self.canvas.scatter = replace(self.scatter, extra_point=guest, guest_title=title)
        if guest is not None and not self.canvas.room().contains(self._place(guest)):
            self.canvas.fit()
        self.canvas.viewport().update()

    def shown(self) -> Flags:
        """Return which points are not hidden."""
        return ~np.isin(self.scatter.groups, list(self.hidden))

    def refresh(self) -> None:
        """Draw the points again."""
        self.canvas.draw(self.shown(), self.selected)

    def sizeHint(self) -> QSize:
        return QSize(480, 240)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.canvas.resize(self.size())

    def changeEvent(self, event: QEvent) -> None:
        """Take the colors of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self.refresh()

    def _place(self, point: Point | Numbers) -> QPointF:
        return QPointF(*self.canvas.to_widget(np.array([point]))[0])

    def _draw_overlay(self, painter: QPainter) -> None:
        """Draw rings, lasso, preview and focus frame over the points."""
        view = QRectF(self.rect())
        if len(self.scatter.points):
            self._draw_marks(painter)
        else:
            painter.setPen(QColor(palette.current().quiet))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(view.adjusted(40, 20, -40, -20), int(flags), self._empty)
        if self._lasso:
            draw_lasso(painter, self._lasso)
        if self.hovered_index >= 0:
            place = self._place(self.scatter.points[self.hovered_index])
            draw_preview(painter, self.preview(self.hovered_index), place, view)
        if self.hasFocus() and self._has_frame:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.current().focus), 2))
            painter.drawRect(view.adjusted(1, 1, -1, -1))

    def _draw_marks(self, painter: QPainter) -> None:
        """Draw rings, the hovered point and the extra point."""
        scatter, room = self.scatter, self.canvas.room()
        rings = {self.hovered_index: ""} | self._rings
        known = [at for at in rings if 0 <= at < len(scatter.points)]
        painter.setClipRect(room)
        draw_rings(painter, room, [(self._place(scatter.points[at]), rings[at]) for at in known])
        if scatter.extra_point is not None:
            draw_extra_point(painter, room, self._place(scatter.extra_point), scatter.guest_title)
        painter.setClipping(False)


class ScatterPlot(ScatterView):
    """A scatter plot for mouse and keyboard. pointed emits the hovered point (-1 for none), chosen the clicked one.

    lassoed emits the shown points inside a lasso, or inside a box with Shift; an empty list clears the selection.
    """

    pointed = Signal(int)
    chosen = Signal(int)
    lassoed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed: QPointF | None = None
        self._panned: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a click, a lasso or a box with the left button, a pan with the middle one."""
        self._show_focus(False)
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._panned = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, draw the lasso or the box, or hover."""
        at = event.position()
        if self._panned is not None:
            step, self._panned = at - self._panned, at
            self.canvas.pan(step.x(), step.y())
        elif self._pressed is None:
            self._hover(self._index_at(at))
        elif self._lasso or (at - self._pressed).manhattanLength() > CLICK_PX:
            self._hover(-1)
            self._draw_to(self._pressed, at, bool(event.modifiers() & SHIFT))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a lasso with its points, or a click with the point under it."""
        pressed, corners = self._pressed, self._lasso
        self._pressed, self._panned, self._lasso = None, None, []
        if corners:
            self.canvas.viewport().update()
            held = inside(self.canvas.to_widget(self.scatter.points), corners) & self.shown()
            self.lassoed.emit(held.nonzero()[0].tolist())
        elif pressed is not None and (found := self._index_at(event.position())) >= 0:
            self.chosen.emit(found)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all points."""
        self.canvas.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        self.canvas.zoom(NOTCH ** (event.angleDelta().y() / 120), event.position())
        if self.underMouse():
            self._hover(self._index_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._show_focus(event.reason() in KEY_REASONS)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._show_focus(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to points with arrows, pan with Shift, choose with Enter, zoom with + and -, fit with R."""
        self._show_focus(True)
        key, moves = Qt.Key(event.key()), bool(event.modifiers() & SHIFT)
        if key in ARROW_DIRECTIONS and moves:
            x, y = ARROW_DIRECTIONS[key]
            self.canvas.pan(-x * STEP_PX, -y * STEP_PX)
        elif key in ARROW_DIRECTIONS:
            self._step(ARROW_DIRECTIONS[key])
        elif key in ENTER_KEYS and self.hovered_index >= 0:
            self.chosen.emit(self.hovered_index)
        elif key in ZOOM_KEYS:
            self.canvas.zoom(ZOOM_KEYS[key], self.canvas.room().center())
        elif key == Qt.Key.Key_R:
            self.canvas.fit()
        elif key == Qt.Key.Key_Escape and self.selected is not None:
            self.lassoed.emit([])
        else:
            super().keyPressEvent(event)

    def _step(self, way: Point) -> None:
        """Go to the next point in a direction, or to the one in the middle."""
        shown, places = self.shown(), self.canvas.to_widget(self.scatter.points)
        if self.hovered_index < 0 or not shown[self.hovered_index]:
            self._hover(nearest(places, shown, self.canvas.room().center().toTuple(), float("inf")))
        else:
            self._hover(nearest_in_direction(places, shown, self.hovered_index, way))

    def _draw_to(self, start: QPointF, end: QPointF, is_box: bool) -> None:
        """Extend the lasso to a place, or span a box up to it."""
        (left, top), (x, y) = start.toTuple(), end.toTuple()
        if is_box:
            self._lasso = [(left, top), (x, top), (x, y), (left, y)]
        else:
            self._lasso = [*(self._lasso or [(left, top)]), (x, y)]
        self.canvas.viewport().update()

    def _index_at(self, at: QPointF) -> int:
        return nearest(self.canvas.to_widget(self.scatter.points), self.shown(), at.toTuple(), REACH_PX)

    def _show_focus(self, by_keys: bool) -> None:
        self._has_frame = by_keys
        self.canvas.viewport().update()

    def _hover(self, at: int) -> None:
        if at != self.hovered_index:
            self.hovered_index = at
            self.setCursor(Qt.CursorShape.PointingHandCursor if at >= 0 else Qt.CursorShape.CrossCursor)
            self.canvas.viewport().update()
            self.pointed.emit(at)
