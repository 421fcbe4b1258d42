"""Curve over named stages: the share retained after each, and the stage of the largest loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.formatting import format_percent

MARGIN, AXIS_PX, TEXT_PX = 12, 52, 18
DOT, GAP, SAMPLE_PX = 3.0, 12.0, 26
ALONG = 16
HELD, ALONE = "d′ retained (all paths)", "this layer only"
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


@dataclass(frozen=True)
class Stage:
    """Name, share retained by all paths, share of this stage alone, and the hover text."""

    name: str
    retained: float
    layer_only: float
    text: str


class StageCurve(QWidget):
    """Solid line with dots for the retained share, dotted line for each stage alone.

    A click or Enter chooses a stage.
    """

    chosen = Signal(str)
    pointed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.stages: tuple[Stage, ...] = ()
        self.at: int | None = None
        self.lost: int | None = None
        self._lost_text = self._empty = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("curve")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 110)

    def set_stages(self, stages: Sequence[Stage], lost: int | None = None, text: str = "") -> None:
        """Show these stages; `lost` is the one with the largest loss, which `text` describes."""
        self.stages, self.lost, self._lost_text, self.at = tuple(stages), lost, text, None
        self.setAccessibleName(text or "curve")
        self.update()

    def set_empty_text(self, text: str) -> None:
        self._empty = text
        self.update()

    def room(self) -> QRectF:
        """Return the rectangle of the curve."""
        return QRectF(self.rect()).adjusted(AXIS_PX, MARGIN, -MARGIN, -TEXT_PX - 4)

    def point(self, at: int, share: float) -> QPointF:
        room, last, top = self.room(), max(len(self.stages) - 1, 1), self._top()
        return QPointF(room.left() + room.width() * at / last, room.bottom() - room.height() * share / top)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), palette.current()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(colors.field))
        if not self.stages:
            painter.setPen(QColor(colors.quiet))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 8, -12, -8), flags, self._empty)
        else:
            self._paint_axis(painter)
            self._paint_line(painter, [stage.layer_only for stage in self.stages], colors.quiet, Qt.PenStyle.DotLine)
            self._paint_line(painter, [stage.retained for stage in self.stages], colors.accent, Qt.PenStyle.SolidLine)
            self._paint_marks(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colors.focus), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        room, last = self.room(), max(len(self.stages) - 1, 1)
        at = round((event.position().x() - room.left()) / max(room.width(), 1) * last)
        self._point_at(min(max(at, 0), last) if self.stages else None)

    def leaveEvent(self, event: object) -> None:
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.at is not None:
            self.chosen.emit(self.stages[self.at].name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if step is not None and self.stages:
            at = (self.at if self.at is not None else -1 if step > 0 else len(self.stages)) + step
            self._point_at(min(max(at, 0), len(self.stages) - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.at is not None:
            self.chosen.emit(self.stages[self.at].name)
        else:
            event.ignore()

    def _top(self) -> float:
        return max(1.0, *(stage.retained for stage in self.stages))

    def _point_at(self, at: int | None) -> None:
        if at != self.at:
            self.at = at
            self.pointed.emit(self.stages[at].text if at is not None else "")
            self.update()

    def _paint_axis(self, painter: QPainter) -> None:
        colors, room = palette.current(), self.room()
        for share in (0.0, 0.5, 1.0):
            y = self.point(0, share).y()
            painter.setPen(QPen(QColor(colors.grid), 1))
            painter.drawLine(QPointF(room.left(), y), QPointF(room.right(), y))
            painter.setPen(QColor(colors.quiet))
            text = QRectF(0, y - 8, AXIS_PX - 6, 16)
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(text, flags, format_percent(share))
        under, shown = QRectF(room.left(), room.bottom() + 3, room.width(), TEXT_PX), self.at
        if shown is None:
            painter.drawText(under, Qt.AlignmentFlag.AlignLeft, self.stages[0].name)
            painter.drawText(under, Qt.AlignmentFlag.AlignRight, self.stages[-1].name)
            paint_key(painter, under)
        else:
            painter.setPen(QColor(colors.text))
            painter.drawText(under, Qt.AlignmentFlag.AlignHCenter, self.stages[shown].text)

    def _paint_line(self, painter: QPainter, shares: Sequence[float], color: str, style: Qt.PenStyle) -> None:
        painter.setPen(QPen(QColor(color), 2 if style is Qt.PenStyle.SolidLine else 1.2, style))
        painter.drawPolyline(QPolygonF([self.point(at, share) for at, share in enumerate(shares)]))

    def _paint_marks(self, painter: QPainter) -> None:
        """Draw a dot at each stage, a larger one under the cursor, and the text at the largest loss."""
        colors = palette.current()
        for at, stage in enumerate(self.stages):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.danger if at == self.lost else colors.accent))
            size = DOT * (2 if at in (self.at, self.lost) else 1)
            painter.drawEllipse(self.point(at, stage.retained), size, size)
        if self.lost is not None:
            line = [self.point(at, stage.retained) for at, stage in enumerate(self.stages)]
            words = painter.fontMetrics().size(Qt.TextFlag.TextSingleLine, self._lost_text).toSizeF()
            room = QRectF(self.rect()).adjusted(AXIS_PX, 2, -2, -TEXT_PX)
            text = place_label(line, self.lost, words, room)
            painter.fillRect(text, QColor(colors.field))
            painter.setPen(QColor(colors.danger))
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, self._lost_text)


def place_label(line: Sequence[QPointF], at: int, size: QSizeF, room: QRectF) -> QRectF:
    """Return the best rectangle for a text about one point of a line.

    It lies below or above the point, where it hides as little of the line as possible.
    """
    place = line[at]
    lefts = (place.x() + GAP, place.x() - GAP - size.width(), place.x() - size.width() / 2)
    tops = (place.y() + GAP, place.y() - GAP - size.height())
    boxes = [QRectF(QPointF(left, top), size) for top in tops for left in lefts]
    inside = [box for box in boxes if room.contains(box)] or [boxes[0]]
    return min(inside, key=lambda box: hidden(line, box))


def hidden(line: Sequence[QPointF], box: QRectF) -> int:
    """Return how many sample points along a line lie inside a box."""
    shares = [step / ALONG for step in range(ALONG + 1)]
    return sum(box.contains(one + (other - one) * share) for one, other in pairwise(line) for share in shares)


def paint_key(painter: QPainter, under: QRectF) -> None:
    """Draw the legend of the solid and the dotted line in the middle of a text line."""
    colors, metrics = palette.current(), painter.fontMetrics()
    entries = [(text, metrics.horizontalAdvance(text)) for text in (HELD, ALONE)]
    left = under.center().x() - sum(SAMPLE_PX + wide + GAP for _, wide in entries) / 2
    pens = (QPen(QColor(colors.accent), 2), QPen(QColor(colors.quiet), 1.2, Qt.PenStyle.DotLine))
    for (text, wide), pen in zip(entries, pens, strict=True):
        middle = under.top() + metrics.height() / 2
        painter.setPen(pen)
        painter.drawLine(QPointF(left, middle), QPointF(left + SAMPLE_PX - 6, middle))
        painter.setPen(QColor(colors.quiet))
        painter.drawText(
            QRectF(left + SAMPLE_PX, under.top(), wide + 2, under.height()), Qt.AlignmentFlag.AlignLeft, text
        )
        left += SAMPLE_PX + wide + GAP
