"""Painting of a network strip: boxes with their pieces, arcs over boxes, names."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from gui.palette import Palette

BOX_PX, STRIPE_PX = 46, 9
HOP_PX, LEAST_HOP_PX = 22, 8
TEXT_LINES = 2
# Text heights of the name and of the shape.
TEXT_PX = 11, 10
CORNER = 4.0


def piece_edges(rect: QRectF, count: int) -> list[QRectF]:
    """Return the rectangles of a box's pieces: the main one, and narrow stripes at its right."""
    stripe = min(STRIPE_PX, rect.width() / max(count, 1))
    main = rect.width() - stripe * (count - 1)
    first = QRectF(rect.left(), rect.top(), main, rect.height())
    lefts = [rect.left() + main + stripe * at for at in range(count - 1)]
    return [first, *(QRectF(left, rect.top(), stripe, rect.height()) for left in lefts)]


class StripPainter:
    """Painter of the parts of a strip in the colors of a palette."""

    def __init__(self, painter: QPainter, colours: Palette) -> None:
        self._painter, self._colors = painter, colours

    def box(self, rect: QRectF, keys: Sequence[str], marked: tuple[str, str]) -> None:
        """Draw a box; the marked piece is filled, the piece it is compared with is framed."""
        painter, colours = self._painter, self._colors
        shape = QPainterPath()
        shape.addRoundedRect(rect, CORNER, CORNER)
        lit = marked[0] in keys
        painter.fillPath(shape, QColor(colours.selection if lit else colours.button))
        for key, edge in zip(keys, piece_edges(rect, len(keys)), strict=True):
            if key == marked[0]:
                part = QPainterPath()
                part.addRect(edge)
                painter.fillPath(shape.intersected(part), QColor(colours.accent_fill))
            if edge.left() > rect.left():
                painter.setPen(QPen(QColor(colours.line), 1))
                painter.drawLine(edge.topLeft(), edge.bottomLeft())
        second = marked[1] in keys and not lit
        painter.setPen(QPen(QColor(colours.accent if lit or second else colours.quiet), 1.5 if lit else 0.6))
        if second:
            painter.setPen(QPen(QColor(colours.accent), 1.5, Qt.PenStyle.DashLine))
        painter.drawPath(shape)

    def skip_arc(self, start: QRectF, end: QRectF, lit: bool) -> None:
        """Draw an arc from one box to another, over those between; the farther apart, the higher the arc."""
        painter = self._painter
        painter.setPen(QPen(QColor(self._colors.accent if lit else self._colors.quiet), 1.6 if lit else 0.9))
        far = (end.left() - start.left()) / BOX_PX
        top = max(HOP_PX - LEAST_HOP_PX - far, 2.0)
        one, other = start.center().x() + 6, end.center().x() - 6
        line = QPainterPath(QPointF(one, start.top()))
        line.lineTo(one, top + 5)
        line.quadTo(one, top, one + 5, top)
        line.lineTo(other - 5, top)
        line.quadTo(other, top, other, top + 5)
        line.lineTo(other, end.top())
        painter.drawPath(line)
        head = QPainterPath(QPointF(other - 3.5, end.top() - 5))
        head.lineTo(other, end.top())
        head.lineTo(other + 3.5, end.top() - 5)
        painter.drawPath(head)

    def text(self, room: QRectF, lines: Sequence[str], lit: bool) -> None:
        """Draw name and shape below a box, elided in the middle if they are too long."""
        painter, colours = self._painter, self._colors
        font = painter.font()
        font.setBold(lit)
        painter.save()
        painter.setPen(QColor(colours.strong if lit else colours.quiet))
        for line, size in zip(lines, TEXT_PX, strict=True):
            font.setPixelSize(size)
            painter.setFont(font)
            short = painter.fontMetrics().elidedText(line, Qt.TextElideMode.ElideMiddle, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, short)
            room = room.translated(0, painter.fontMetrics().height() + 1)
        painter.restore()

    def focus(self, room: QRectF) -> None:
        """Draw the frame of the keyboard focus."""
        self._painter.setPen(QPen(QColor(self._colors.focus), 1))
        self._painter.drawRoundedRect(room, CORNER, CORNER)
