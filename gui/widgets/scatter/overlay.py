"""What is drawn over a map of points: rings round some of them, and the picture of the one under the pointer."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from gui import palette
from gui.widgets.scatter.model import PlotTransform, Point, Scatter
from gui.widgets.scatter.paint import room_of

Preview = tuple[QImage | None, Sequence[str]]
Letters = tuple[QPointF, str]
PREVIEW_PX, LINE_PX, AWAY_PX, RING_PX, PAD_PX, CROSS_PX, LETTERS_PAD_PX = 120, 17, 14, 7, 8, 11, 3


def draw_rings(painter: QPainter, scatter: Scatter, frame: PlotTransform, rings: Mapping[int, str]) -> None:
    """Draw a ring round each of these points, and its letters beside it."""
    known = [at for at in rings if 0 <= at < len(scatter.points)]
    if not known:
        return
    painter.setClipRect(room_of(frame))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    places = [QPointF(x, y) for x, y in frame.to_view(scatter.points[known]).tolist()]
    for place in places:
        for colour, wide in ((palette.current().field, 4.5), (palette.current().strong, 2.0)):
            painter.setPen(QPen(QColor(colour), wide))
            painter.drawEllipse(place, RING_PX, RING_PX)
    lettered = [(place, rings[at]) for at, place in zip(known, places, strict=True) if rings[at]]
    for place, text in _merged(lettered, lambda mark: _letters_room(painter, frame, *mark, RING_PX)):
        _draw_letters(painter, _letters_room(painter, frame, place, text, RING_PX), text)
    painter.setClipping(False)


def draw_extra_point(painter: QPainter, scatter: Scatter, frame: PlotTransform) -> None:
    """Draw the guest as a crossed ring, which no group has, and its name beside it."""
    if scatter.extra_point is None:
        return
    painter.setClipRect(room_of(frame))
    x, y = frame.to_view(np.array([scatter.extra_point]))[0].tolist()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, wide in ((palette.current().field, 5.0), (palette.current().strong, 2.0)):
        painter.setPen(QPen(QColor(colour), wide))
        painter.drawEllipse(QPointF(x, y), RING_PX, RING_PX)
        painter.drawLine(QPointF(x - CROSS_PX, y), QPointF(x + CROSS_PX, y))
        painter.drawLine(QPointF(x, y - CROSS_PX), QPointF(x, y + CROSS_PX))
    title = scatter.guest_title
    _draw_letters(painter, _letters_room(painter, frame, QPointF(x, y), title, CROSS_PX), title)
    painter.setClipping(False)


def draw_preview(painter: QPainter, preview: Preview, at: Point, size: Point) -> None:
    """Draw a picture and lines of text beside a place, never cut off."""
    image, lines = preview
    if image is None and not lines:
        return
    room = preview_rect(painter, preview, at, size)
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


def preview_rect(painter: QPainter, preview: Preview, at: Point, size: Point) -> QRectF:
    """Where the picture and the text of a place stand: at its right where there is room, else at its left."""
    image, lines = preview
    picture = PREVIEW_PX if image is not None else 0
    wide = max([picture, *(painter.fontMetrics().horizontalAdvance(line) for line in lines)]) + 2 * PAD_PX
    high = picture + LINE_PX * len(lines) + 2 * PAD_PX + 2
    right = at[0] + AWAY_PX
    left = right if right + wide < size[0] else max(at[0] - AWAY_PX - wide, 2.0)
    return QRectF(left, min(max(at[1] - high / 2, 2.0), max(size[1] - high - 2, 2.0)), wide, high)


def _merged(marks: Sequence[Letters], room: Callable[[Letters], QRectF]) -> list[Letters]:
    """Letters that would cover others stand with them beside the first of their places: '1, 2'."""

    def joined(turns: Sequence[int]) -> Letters:
        return marks[turns[0]][0], ", ".join(marks[turn][1] for turn in turns)

    kept: list[list[int]] = []
    for turn in range(len(marks)):
        turns = [turn]
        while covered := [other for other in kept if room(joined(other)).intersects(room(joined(turns)))]:
            kept = [other for other in kept if other not in covered]
            turns = sorted(sum(covered, turns))
        kept.append(turns)
    return [joined(turns) for turns in kept]


def _letters_room(painter: QPainter, frame: PlotTransform, at: QPointF, text: str, away: float) -> QRectF:
    """Where letters stand: at the right of what is drawn at a place, at its left where the map ends before them."""
    metrics = painter.fontMetrics()
    wide = metrics.horizontalAdvance(text) + 2 * LETTERS_PAD_PX
    left = at.x() + away + 1
    if left + wide > room_of(frame).right():
        left = at.x() - away - 1 - wide
    return QRectF(left, at.y() - 5 - metrics.ascent(), wide, metrics.height())


def _draw_letters(painter: QPainter, room: QRectF, text: str) -> None:
    """Letters on a ground that lets them be read over points."""
    ground = QColor(palette.current().field)
    ground.setAlpha(215)
    painter.fillRect(room, ground)
    painter.drawText(QPointF(room.left() + LETTERS_PAD_PX, room.top() + painter.fontMetrics().ascent() + 1), text)
