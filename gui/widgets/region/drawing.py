"""Drawing of a region on an image: outline, dashed band around it, handles, and an unfinished polygon."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF, QTransform

from gui import palette
from gui.widgets.region.region import Point, Region
from gui.widgets.view_transform import Size, ViewTransform

LINE_PX, HANDLE_PX = 1.8, 7.0
BAND_ALPHA, SHADE_ALPHA = 36, 150


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
    colour = QColor(palette.PICTURE_MARK)
    tint = QColor(colour)
    tint.setAlpha(BAND_ALPHA)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(band, tint)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for path, pen in ((edge, QPen(colour, 1, Qt.PenStyle.DashLine)), (line, QPen(colour, LINE_PX))):
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
    colour = QColor(palette.PICTURE_BACK)
    colour.setAlpha(SHADE_ALPHA)
    return QPen(colour, width + 2)
