"""What is drawn over a map of points: rings round some of them, and the picture of the one under the pointer."""

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from gui import palette
from gui.widgets.scatter_model import Frame, Point, Scatter
from gui.widgets.scatter_paint import room_of

Preview = tuple[QImage | None, Sequence[str]]
PREVIEW_PX, LINE_PX, AWAY_PX, RING_PX, PAD_PX, CROSS_PX = 120, 17, 14, 7, 8, 11


def draw_rings(painter: QPainter, scatter: Scatter, frame: Frame, rings: Mapping[int, str]) -> None:
    """Draw a ring round each of these points, and its letters beside it."""
    known = [at for at in rings if 0 <= at < len(scatter.points)]
    if not known:
        return
    painter.setClipRect(room_of(frame))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for at, (x, y) in zip(known, frame.to_view(scatter.points[known]).tolist(), strict=True):
        for colour, wide in ((palette.current().field, 4.5), (palette.current().strong, 2.0)):
            painter.setPen(QPen(QColor(colour), wide))
            painter.drawEllipse(QPointF(x, y), RING_PX, RING_PX)
        if rings[at]:
            _draw_letters(painter, QPointF(x + RING_PX + 4, y - 4), rings[at])
    painter.setClipping(False)


def draw_guest(painter: QPainter, scatter: Scatter, frame: Frame) -> None:
    """Draw the guest as a crossed ring, which no group has, and its name beside it."""
    if scatter.guest is None:
        return
    painter.setClipRect(room_of(frame))
    x, y = frame.to_view(np.array([scatter.guest]))[0].tolist()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, wide in ((palette.current().field, 5.0), (palette.current().strong, 2.0)):
        painter.setPen(QPen(QColor(colour), wide))
        painter.drawEllipse(QPointF(x, y), RING_PX, RING_PX)
        painter.drawLine(QPointF(x - CROSS_PX, y), QPointF(x + CROSS_PX, y))
        painter.drawLine(QPointF(x, y - CROSS_PX), QPointF(x, y + CROSS_PX))
    _draw_letters(painter, QPointF(x + CROSS_PX + 4, y - 4), scatter.guest_title)
    painter.setClipping(False)


def draw_preview(painter: QPainter, preview: Preview, at: Point, size: Point) -> None:
    """Draw a picture and lines of text beside a place, never cut off."""
    image, lines = preview
    if image is None and not lines:
        return
    room = preview_room(painter, preview, at, size)
    painter.setPen(QPen(QColor(palette.current().line), 1))
    painter.setBrush(QColor(palette.current().card))
    painter.drawRoundedRect(room, 6, 6)
    if image is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        left = room.center().x() - PREVIEW_PX / 2
        painter.drawImage(QRectF(left, room.top() + PAD_PX, PREVIEW_PX, PREVIEW_PX), image)
    painter.setPen(QColor(palette.current().text))
    first = room.bottom() - PAD_PX + 2 - LINE_PX * len(lines)
    for turn, line in enumerate(lines):
        place = QRectF(room.left() + PAD_PX, first + turn * LINE_PX, room.width() - 2 * PAD_PX, LINE_PX)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)


def preview_room(painter: QPainter, preview: Preview, at: Point, size: Point) -> QRectF:
    """Where the picture and the text of a place stand: at its right where there is room, else at its left."""
    image, lines = preview
    picture = PREVIEW_PX if image is not None else 0
    wide = max([picture, *(painter.fontMetrics().horizontalAdvance(line) for line in lines)]) + 2 * PAD_PX
    high = picture + LINE_PX * len(lines) + 2 * PAD_PX + 2
    right = at[0] + AWAY_PX
    left = right if right + wide < size[0] else max(at[0] - AWAY_PX - wide, 2.0)
    return QRectF(left, min(max(at[1] - high / 2, 2.0), max(size[1] - high - 2, 2.0)), wide, high)


def _draw_letters(painter: QPainter, at: QPointF, text: str) -> None:
    """Letters on a ground that lets them be read over points."""
    metrics = painter.fontMetrics()
    ground = QColor(palette.current().field)
    ground.setAlpha(215)
    room = QRectF(at.x() - 3, at.y() - metrics.ascent() - 1, metrics.horizontalAdvance(text) + 6, metrics.height())
    painter.fillRect(room, ground)
    painter.drawText(at, text)
