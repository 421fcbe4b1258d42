"""A map of thousands of points: hover shows one, a click chooses one, a drag goes round many."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.widgets.scatter_gestures import ScatterGestures
from gui.widgets.scatter_model import EMPTY, Flags, Frame, Point, Scatter, whole
from gui.widgets.scatter_paint import draw_bar, draw_field, draw_points, room_of

PREVIEW_PX, LINE_PX, AWAY_PX, RING_PX = 120, 17, 14, 7
Preview = Callable[[int], tuple[QImage | None, Sequence[str]]]


class ScatterPlot(QWidget):
    """Draws a Scatter. pointed tells the point under the cursor (-1 for none), chosen one that was clicked at.

    lassoed tells the shown points that a line was drawn round, as a list; an empty one lets go of them.
    """

    pointed = Signal(int)
    chosen = Signal(int)
    lassoed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scatter, self.hidden, self.selected = EMPTY, frozenset[int](), None
        self.frame = whole(EMPTY.points, (1.0, 1.0))
        self.lasso: list[Point] = []
        self.at = -1
        self.preview: Preview = lambda at: (None, ())
        self._rings: Mapping[int, str] = {}
        self._layer: QPixmap | None = None
        self._empty = ""
        self._gestures = ScatterGestures(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("map of scans")

    selected: Flags | None

    def show_points(self, scatter: Scatter, stays: bool = False) -> None:
        """Show other points, all of them in sight; with `stays` they lie where the old ones did."""
        self.scatter = scatter
        self.hidden, self.at, self.lasso = frozenset(), -1, []
        if not stays:
            self.selected, self._rings = None, {}
            self.frame = whole(scatter.points, (self.width(), self.height()))
        groups = ", ".join(mark.title for mark in scatter.marks)
        self.setAccessibleDescription(f"{len(scatter.points)} points; {groups}")
        self.refresh()

    def set_empty_text(self, text: str) -> None:
        """Say this while there are no points."""
        self._empty = text
        self.refresh()

    def set_hidden(self, groups: Collection[int]) -> None:
        """Leave out the points of these groups."""
        self.hidden = frozenset(groups)
        self.refresh()

    def select(self, at: Sequence[int] | None) -> None:
        """Let these stand out; None lets all."""
        self.selected = None
        if at is not None and len(at):
            self.selected = np.zeros(len(self.scatter.points), np.bool_)
            self.selected[list(at)] = True
        self.refresh()

    def set_rings(self, rings: Mapping[int, str]) -> None:
        """Draw rings round points, each with a few letters beside it."""
        self._rings = dict(rings)
        self.update()

    def shown(self) -> Flags:
        """Which points are not hidden."""
        return ~np.isin(self.scatter.groups, list(self.hidden))

    def look(self, frame: Frame) -> None:
        """Look at another part of the plane."""
        self.frame = frame
        self.refresh()

    def refresh(self) -> None:
        """Draw everything anew."""
        self._layer = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(640, 420)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The points are kept as a picture: pointing at one costs only that one."""
        if self._layer is None:
            self._layer = self._drawn()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._layer)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_rings(painter)
        if self.lasso:
            ground = QColor(palette.current().accent)
            painter.setPen(QPen(ground, 1.5))
            ground.setAlpha(40)
            painter.setBrush(ground)
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in self.lasso]))
        if self.at >= 0:
            self._paint_preview(painter)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.current().focus), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Whoever looked at all of it still does."""
        super().resizeEvent(event)
        self.frame = whole(self.scatter.points, (self.width(), self.height()))
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self.refresh()

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        layer = QPixmap(self.size() * ratio)
        layer.setDevicePixelRatio(ratio)
        layer.fill(QColor(palette.current().field))
        painter = QPainter(layer)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(self.font())
        if len(self.scatter.points):
            draw_field(painter, self.scatter, self.frame)
            draw_points(painter, self.scatter, self.frame, self.shown(), self.selected)
            draw_bar(painter, self.scatter, self.frame)
        else:
            painter.setPen(QColor(palette.current().quiet))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(40, 20, -40, -20), int(flags), self._empty)
        painter.end()
        return layer

    def _paint_rings(self, painter: QPainter) -> None:
        known = [at for at in {*self._rings, self.at} if 0 <= at < len(self.scatter.points)]
        if not known:
            return
        painter.setFont(self.font())
        painter.setClipRect(room_of(self.frame))
        for at, (x, y) in zip(known, self.frame.to_view(self.scatter.points[known]).tolist(), strict=True):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, wide in ((palette.current().field, 4.5), (palette.current().strong, 2.0)):
                painter.setPen(QPen(QColor(colour), wide))
                painter.drawEllipse(QPointF(x, y), RING_PX, RING_PX)
            painter.drawText(QPointF(x + RING_PX + 4, y - 4), self._rings.get(at, ""))
        painter.setClipping(False)

    def _paint_preview(self, painter: QPainter) -> None:
        """The picture of the point under the cursor, beside it, never cut off."""
        image, lines = self.preview(self.at)
        if image is None and not lines:
            return
        x, y = self.frame.to_view(self.scatter.points[[self.at]])[0].tolist()
        metrics = painter.fontMetrics()
        wide = max([PREVIEW_PX if image else 0, *(metrics.horizontalAdvance(line) for line in lines)]) + 16
        high = (PREVIEW_PX if image else 0) + LINE_PX * len(lines) + 18
        left = x + AWAY_PX if x + AWAY_PX + wide < self.width() else max(x - AWAY_PX - wide, 2)
        top = min(max(y - high / 2, 2), max(self.height() - high - 2, 2))
        painter.setPen(QPen(QColor(palette.current().line), 1))
        painter.setBrush(QColor(palette.current().card))
        painter.drawRoundedRect(QRectF(left, top, wide, high), 6, 6)
        if image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(QRectF(left + (wide - PREVIEW_PX) / 2, top + 8, PREVIEW_PX, PREVIEW_PX), image)
        painter.setPen(QColor(palette.current().text))
        first = top + high - 10 - LINE_PX * len(lines)
        for turn, line in enumerate(lines):
            room = QRectF(left + 8, first + 4 + turn * LINE_PX, wide - 16, LINE_PX)
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, line)
