"""Region on an image: how it is drawn, and the tool that creates, moves, resizes and removes it."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPen,
    QPolygonF,
    QTransform,
)

from gui import palette
from gui.widgets.image_view import ImageView
from gui.widgets.region.region import LEAST_CORNERS, Point, Region, RegionState
from gui.widgets.view_state import Size, ViewTransform

HIT_RADIUS_PX = 8.0
LEAST_DRAG_PX = 4.0
CENTRAL = Region("ellipse", ((0.42, 0.42), (0.58, 0.58)))
STEPS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
# Values of the held part besides the handles.
NEW, WHOLE = -2, -1
LINE_PX, HANDLE_PX = 1.8, 7.0
BAND_ALPHA, SHADE_ALPHA = 36, 150


class RegionTool(QObject):
    """Event filter that shows and edits the region of a state on one image view.

    Drag draws an ellipse, clicks set the corners of a polygon, a double-click or Enter closes it; the region is dragged
    by its inside and resized by its handles; Alt + arrows move it, with Shift they resize it; Delete removes it.
    """

    def __init__(self, view: ImageView, state: RegionState) -> None:
        super().__init__(view)
        self._view, self.state = view, state
        self._held: int | None = None
        self._from: tuple[Point, Region | None] = (0.0, 0.0), None
        self._hovered = self._lighting = False
        self._answers: dict[QEvent.Type, Callable[[Any], bool]] = {
            QEvent.Type.MouseButtonPress: self._on_press,
            QEvent.Type.MouseMove: self._on_move,
            QEvent.Type.MouseButtonRelease: self._on_release,
            QEvent.Type.MouseButtonDblClick: self._on_double_click,
            QEvent.Type.KeyPress: self._on_key,
            QEvent.Type.KeyRelease: self._on_key_up,
            QEvent.Type.Enter: self._on_entered,
            QEvent.Type.Leave: self._on_entered,
        }
        state.changed.connect(view.update)
        view.add_overlay(self.paint)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        answer = self._answers.get(event.type())
        return answer is not None and self._view.values is not None and answer(event)

    def paint(self, painter: QPainter) -> None:
        """Draw the region over the image."""
        region, placement, size = self.state.region, self._view.placement(), self._view.picture_size()
        if region is not None:
            paint_region(painter, region, self.state.rim_px, placement, size)
            if self._hovered or self._view.hasFocus():
                paint_handles(painter, [_to_view(self._view, at) for at in region.handles()])
        if self.state.draft:
            paint_draft(painter, [_to_view(self._view, at) for at in self.state.draft])

    def _on_press(self, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton or self._lighting:
            return False
        at = _to_share(self._view, event.position())
        if self.state.mode == "polygon":
            self._add_corner(at, event.position())
            return True
        held = NEW if self.state.mode == "ellipse" else self._hit(event.position())
        if held is None:
            return False
        self._held, self._from = held, (at, self.state.region)
        self.state.begin()
        return True

    def _on_move(self, event: QMouseEvent) -> bool:
        at = _to_share(self._view, event.position())
        if self._held is None:
            if self.state.mode == "polygon" and self.state.draft:
                self.state.set_draft((*self.state.draft[:-1], at))
            self._show_cursor(event.position())
            return False
        start, before = self._from
        if self._held == NEW:
            self.state.show_region(Region("ellipse", (_inside(start), _inside(at))))
        elif before is not None and self._held == WHOLE:
            self.state.show_region(before.moved((at[0] - start[0], at[1] - start[1])))
        elif before is not None:
            self.state.show_region(before.with_handle(self._held, at))
        return True

    def _on_release(self, event: QMouseEvent) -> bool:
        held, self._held = self._held, None
        if held is None:
            return False
        start, before = self._from
        if held == NEW and _far(_to_view(self._view, start), event.position()) < LEAST_DRAG_PX:
            # A click draws nothing; drawing continues.
            self.state.show_region(before)
            return True
        if held == NEW:
            self.state.set_mode("")
        self.state.finish({NEW: "draw ellipse", WHOLE: "move lesion"}.get(held, "resize lesion"))
        return True

    def _on_double_click(self, event: QMouseEvent) -> bool:
        if self.state.mode == "polygon":
            self.state.close_polygon()
        return bool(self.state.mode) or self._hit(event.position()) is not None

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        self._lighting = self._lighting or key == Qt.Key.Key_W
        if key in STEPS and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._step(STEPS[key], bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key == Qt.Key.Key_Delete and self.state.region is not None:
            self.state.change(None, "remove lesion")
        elif key == Qt.Key.Key_Escape and self.state.mode:
            self.state.set_mode("")
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.state.mode:
            self._finish_by_key()
        elif key == Qt.Key.Key_Backspace and len(self.state.draft) > 1:
            self.state.set_draft((*self.state.draft[:-2], self.state.draft[-1]))
        else:
            return False
        return True

    def _on_key_up(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_W and not event.isAutoRepeat():
            self._lighting = False
        return False

    def _on_entered(self, event: QEvent) -> bool:
        self._hovered = event.type() == QEvent.Type.Enter
        self._view.update()
        return False

    def _add_corner(self, at: Point, place: QPointF) -> None:
        """Add a corner at the cursor; on the first corner, close the polygon."""
        corners = self.state.draft[:-1]
        if len(corners) >= LEAST_CORNERS and _far(_to_view(self._view, corners[0]), place) < HIT_RADIUS_PX:
            self.state.set_draft(corners)
            self.state.close_polygon()
        else:
            self.state.set_draft((*corners, _inside(at), _inside(at)))

    def _finish_by_key(self) -> None:
        """Close the polygon, or place an ellipse in the center that keys can move and resize."""
        if self.state.mode == "polygon":
            self.state.close_polygon()
        else:
            self.state.set_mode("")
            self.state.change(CENTRAL, "draw ellipse")

    def _step(self, step: tuple[int, int], resize: bool) -> None:
        region, (width, height) = self.state.region, self._view.picture_size()
        if region is not None:
            by = step[0] / width, step[1] / height
            grown = region.grown((by[0], -by[1]))
            self.state.change(grown if resize else region.moved(by), "resize" if resize else "move lesion")

    def _hit(self, place: QPointF) -> int | None:
        """Return the handle at a point, WHOLE for the region's inside, or None."""
        region = self.state.region
        if region is None:
            return None
        near = [(_far(_to_view(self._view, at), place), index) for index, at in enumerate(region.handles())]
        distance, index = min(near)
        if distance <= HIT_RADIUS_PX:
            return index
        return WHOLE if region.contains(_to_share(self._view, place)) else None

    def _show_cursor(self, place: QPointF) -> None:
        if self._lighting:
            return
        held = None if self.state.mode else self._hit(place)
        if self.state.mode:
            self._view.setCursor(Qt.CursorShape.CrossCursor)
        elif held is None:
            self._view.unsetCursor()
        else:
            self._view.setCursor(Qt.CursorShape.SizeAllCursor if held == WHOLE else Qt.CursorShape.PointingHandCursor)


def _to_share(view: ImageView, place: QPointF) -> Point:
    x, y = view.placement().to_picture((place.x(), place.y()))
    width, height = view.picture_size()
    return x / width, y / height


def _to_view(view: ImageView, at: Point) -> Point:
    width, height = view.picture_size()
    return view.placement().to_view((at[0] * width, at[1] * height))


def _inside(at: Point) -> Point:
    return min(max(at[0], 0.0), 1.0), min(max(at[1], 0.0), 1.0)


def _far(at: Point, place: QPointF) -> float:
    """Return the distance between two points of a view."""
    return float(((at[0] - place.x()) ** 2 + (at[1] - place.y()) ** 2) ** 0.5)


def path_of(region: Region, picture: Size) -> QPainterPath:
    """Return the outline of a region in pixels of the image."""
    path = QPainterPath()
    if region.kind == "polygon":
        path.addPolygon(QPolygonF([QPointF(x * picture[0], y * picture[1]) for x, y in region.points]))
        path.closeSubpath()
        return path
    left, top, right, bottom = region.box
    box = QRectF(QPointF(left * picture[0], top * picture[1]), QPointF(right * picture[0], bottom * picture[1]))
    if region.kind == "ellipse":
        path.addEllipse(box)
    else:
        path.addRect(box)
    return path


def with_rim(path: QPainterPath, rim_px: float) -> QPainterPath:
    """Return an outline widened by `rim_px` on all sides."""
    stroker = QPainterPathStroker()
    stroker.setWidth(2 * rim_px)
    stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return path.united(stroker.createStroke(path)).simplified()


def paint_region(painter: QPainter, region: Region, rim_px: float, placement: ViewTransform, picture: Size) -> None:
    """Draw a region and its background ring."""
    to_view = QTransform.fromTranslate(placement.left, placement.top).scale(placement.scale, placement.scale)
    inner = path_of(region, picture)
    outer = with_rim(inner, rim_px)
    band, line, edge = to_view.map(outer.subtracted(inner)), to_view.map(inner), to_view.map(outer)
    color = QColor(palette.PICTURE_MARK)
    tint = QColor(color)
    tint.setAlpha(BAND_ALPHA)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(band, tint)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for path, pen in ((edge, QPen(color, 1, Qt.PenStyle.DashLine)), (line, QPen(color, LINE_PX))):
        painter.setPen(_shade(pen.widthF()))
        painter.drawPath(path)
        painter.setPen(pen)
        painter.drawPath(path)


def paint_handles(painter: QPainter, places: Sequence[Point]) -> None:
    """Draw square drag handles at positions in the view's pixels."""
    painter.setPen(QPen(QColor(palette.PICTURE_BACK), 1))
    painter.setBrush(QColor(palette.PICTURE_MARK))
    for x, y in places:
        painter.drawRect(QRectF(x - HANDLE_PX / 2, y - HANDLE_PX / 2, HANDLE_PX, HANDLE_PX))


def paint_draft(painter: QPainter, places: Sequence[Point]) -> None:
    """Draw the corners of an unfinished polygon, given in the view's pixels."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = QPolygonF([QPointF(x, y) for x, y in places])
    for pen in (_shade(LINE_PX), QPen(QColor(palette.PICTURE_MARK), LINE_PX)):
        painter.setPen(pen)
        painter.drawPolyline(line)
    paint_handles(painter, places[:-1])


def _shade(width: float) -> QPen:
    """Return the pen of a dark line below a bright one, which keeps the bright one visible on white."""
    color = QColor(palette.PICTURE_BACK)
    color.setAlpha(SHADE_ALPHA)
    return QPen(color, width + 2)
