"""Network as a strip of boxes, in the order in which an image passes through them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QToolTip

from gui import palette
from gui.palette import Palette

BOX_PX, STRIPE_PX = 46, 9
HOP_PX, LEAST_HOP_PX = 22, 8
TEXT_LINES = 2
# Text heights of the name and of the shape.
TEXT_PX = 11, 10
CORNER = 4.0
PITCH_PX, MOST_PITCH_PX = 70, 112
BOXES_PX = 84
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


def piece_edges(rect: QRectF, count: int) -> list[QRectF]:
    """Return the rectangles of a box's pieces: the main one, and narrow stripes at its right."""
    stripe = min(STRIPE_PX, rect.width() / max(count, 1))
    main = rect.width() - stripe * (count - 1)
    first = QRectF(rect.left(), rect.top(), main, rect.height())
    lefts = [rect.left() + main + stripe * at for at in range(count - 1)]
    return [first, *(QRectF(left, rect.top(), stripe, rect.height()) for left in lefts)]


class StripPainter:
    """Painter of the parts of a strip in the colors of a palette."""

    def __init__(self, painter: QPainter, colors: Palette) -> None:
        self._painter, self._colors = painter, colors

    def box(self, rect: QRectF, keys: Sequence[str], marked: tuple[str, str]) -> None:
        """Draw a box; the marked piece is filled, the piece it is compared with is framed."""
        painter, colors = self._painter, self._colors
        shape = QPainterPath()
        shape.addRoundedRect(rect, CORNER, CORNER)
        lit = marked[0] in keys
        painter.fillPath(shape, QColor(colors.selection if lit else colors.button))
        for key, edge in zip(keys, piece_edges(rect, len(keys)), strict=True):
            if key == marked[0]:
                part = QPainterPath()
                part.addRect(edge)
                painter.fillPath(shape.intersected(part), QColor(colors.accent_fill))
            if edge.left() > rect.left():
                painter.setPen(QPen(QColor(colors.line), 1))
                painter.drawLine(edge.topLeft(), edge.bottomLeft())
        second = marked[1] in keys and not lit
        painter.setPen(QPen(QColor(colors.accent if lit or second else colors.quiet), 1.5 if lit else 0.6))
        if second:
            painter.setPen(QPen(QColor(colors.accent), 1.5, Qt.PenStyle.DashLine))
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
        painter, colors = self._painter, self._colors
        font = painter.font()
        font.setBold(lit)
        painter.save()
        painter.setPen(QColor(colors.strong if lit else colors.quiet))
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


@dataclass(frozen=True)
class StripBox:
    """One box: its name, the caption below it, its height, its pieces, and the boxes that feed it directly.

    Pieces are (key, name) pairs, the main one first. `height` is a fraction of the highest box. `skips` are positions
    of boxes further back than the one before.
    """

    title: str
    caption: str
    height: float
    pieces: tuple[tuple[str, str], ...]
    skips: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return self.pieces[0][0]


class NetworkStrip(QAbstractScrollArea):
    """Boxes on one baseline, with arcs above them for skip connections; it scrolls if it is long."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.boxes: tuple[StripBox, ...] = ()
        self._names_px = PITCH_PX
        self.key = ""
        self.other = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.horizontalScrollBar().setSingleStep(PITCH_PX)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("network")

    def set_boxes(self, boxes: Sequence[StripBox]) -> None:
        """Show a network."""
        self.boxes = tuple(boxes)
        self._names_px = max((self.fontMetrics().horizontalAdvance(box.title) for box in boxes), default=PITCH_PX)
        self.horizontalScrollBar().setValue(0)
        self._fit()

    def choose(self, key: str, other: str = "") -> None:
        """Mark a piece and scroll to it; `other`, which it is compared with, is marked more quietly."""
        self.key, self.other = key, other
        at = self.place_of(key)
        if at is not None:
            bar, left = self.horizontalScrollBar(), round(at * self.pitch())
            margin = round(self.pitch())
            if left - margin < bar.value():
                bar.setValue(left - margin)
            elif left + 2 * margin > bar.value() + self.viewport().width():
                bar.setValue(left + 2 * margin - self.viewport().width())
            box = self.boxes[at]
            self.setAccessibleName(f"network: {key}, {box.caption}, box {at + 1} of {len(self.boxes)}")
        self.viewport().update()

    def place_of(self, key: str) -> int | None:
        """Return the position of the box that a piece belongs to, or None."""
        return next((at for at, box in enumerate(self.boxes) if key in dict(box.pieces)), None)

    def pitch(self) -> float:
        """Return the distance between the centers of two boxes in pixels; if the strip scrolls, names fit into it."""
        room = self.viewport().width() / max(len(self.boxes), 1)
        return min(room if room >= PITCH_PX else max(self._names_px, PITCH_PX), MOST_PITCH_PX)

    def box_rect(self, at: int) -> QRectF:
        """Return the rectangle of a box in the viewport."""
        high = max(self.boxes[at].height, 0.0) * BOXES_PX
        left = at * self.pitch() + (self.pitch() - BOX_PX) / 2 - self.horizontalScrollBar().value()
        return QRectF(left, HOP_PX + BOXES_PX - high, BOX_PX, high)

    def piece_at(self, place: QPoint) -> str:
        """Return the key of the piece at a point of the viewport; the text of a box stands for its main piece."""
        at = int((place.x() + self.horizontalScrollBar().value()) // self.pitch())
        if not 0 <= at < len(self.boxes):
            return ""
        pieces, rect = self.boxes[at].pieces, self.box_rect(at)
        if not rect.contains(place):
            return pieces[0][0]
        edges = piece_edges(rect, len(pieces))
        return next((key for (key, _), edge in zip(pieces, edges, strict=True) if edge.contains(place)), pieces[0][0])

    def sizeHint(self) -> QSize:
        text = TEXT_LINES * (self.fontMetrics().height() + 1) + 4
        return QSize(600, HOP_PX + BOXES_PX + text + self.horizontalScrollBar().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint, lit = StripPainter(painter, palette.current()), self.place_of(self.key)
        pitch, left = self.pitch(), self.horizontalScrollBar().value()
        first, last = int(left // pitch), int((left + self.viewport().width()) // pitch)
        for at, box in enumerate(self.boxes):
            for start in box.skips:
                if start <= last and at >= first:
                    paint.skip_arc(self.box_rect(start), self.box_rect(at), lit in (start, at))
        for at in range(max(first, 0), min(last + 1, len(self.boxes))):
            box = self.boxes[at]
            paint.box(self.box_rect(at), [key for key, _ in box.pieces], (self.key, self.other))
            under = QRectF(at * pitch - left + 2, HOP_PX + BOXES_PX + 4, pitch - 4, self.fontMetrics().height())
            paint.text(under, (box.title, box.caption), at == lit)
        if self.hasFocus():
            paint.focus(QRectF(self.viewport().rect()).adjusted(1, 1, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        key = self.piece_at(event.position().toPoint())
        if key and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step from box to box with the left and right keys; leave all other keys to the panel."""
        step, at = STEPS.get(Qt.Key(event.key())), self.place_of(self.key)
        if step is None or at is None:
            event.ignore()
        elif 0 <= at + step < len(self.boxes):
            self.chosen.emit(self.boxes[at + step].key)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            key = self.piece_at(event.pos())
            at = self.place_of(key)
            name = f"{dict(self.boxes[at].pieces)[key]}\n{self.boxes[at].caption}" if at is not None else ""
            QToolTip.showText(event.globalPos(), name, self)
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        bar, wide = self.horizontalScrollBar(), self.viewport().width()
        bar.setRange(0, max(round(self.pitch() * len(self.boxes)) - wide, 0))
        bar.setPageStep(wide)
        self.viewport().update()
