"""Symbols and colors of points, and the overlay: rings, labels, lasso, preview."""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from pyqtgraph.graphicsItems.ScatterPlotItem import drawSymbol
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QPixmap, QPolygonF

from gui import palette
from gui.widgets.scatter.model import Flags, Numbers, Point, Scatter

Preview = tuple[QImage | None, Sequence[str]]
Label = tuple[QPointF, str]
Style = tuple[str, float, QPen, QBrush]  # symbol, size in pixels, rim, color
# pyqtgraph's symbol of each shape, and the size in pixels at which all cover about the same area
SYMBOLS = {
    "circle": ("o", 7.0),
    "square": ("s", 6.3),
    "triangle": ("t1", 8.5),
    "diamond": ("d", 9.5),
    "cross": ("x", 8.5),
    "plus": ("+", 9.0),
    "star": ("star", 10.5),
    "down": ("t", 8.5),
}
SHAPES = tuple(SYMBOLS)
COLOR_STEPS = 24
RIM_PX, ICON_PX, FAINT, LABEL_ALPHA, LASSO_ALPHA = 0.7, 14, 0.16, 215, 40
PREVIEW_PX, AWAY_PX, RING_PX, PAD_PX, CROSS_PX, LABEL_PAD_PX = 120, 14, 7, 8, 11, 3


def order_of(scatter: Scatter) -> NDArray[np.intp]:
    """Return the drawing order: large groups under small ones, low values under high ones."""
    if scatter.values is not None:
        return np.argsort(scatter.shares(), kind="stable")
    sizes = np.bincount(scatter.groups, minlength=len(scatter.marks))
    return np.argsort(-sizes[scatter.groups], kind="stable")


def find_color(scatter: Scatter, at: int, shares: Numbers) -> str:
    """Return the color of a point: that of its value, high values standing out, or that of its group."""
    if scatter.values is not None:
        return palette.find_score_color(1 - round(float(shares[at]) * COLOR_STEPS) / COLOR_STEPS)
    return palette.find_series_color(scatter.marks[int(scatter.groups[at])].series)


class PointsItem(pg.ScatterPlotItem):
    """Points that share a few styles; pyqtgraph alone would look up the style of each point, ten times slower."""

    def __init__(self) -> None:
        self._styles: list[Style] = []
        self._style_indices: NDArray[np.intp] = np.zeros(0, np.intp)
        super().__init__()

    def draw(self, scatter: Scatter, shown: Flags, selected: Flags | None) -> None:
        """Draw the shown points; points that are not selected are faint and lie under the others."""
        faint = np.zeros(len(shown), np.bool_) if selected is None else ~selected
        order = order_of(scatter)
        order = order[shown[order]]
        order = order[np.argsort(~faint[order], kind="stable")]
        shares = scatter.shares()
        steps = np.rint(shares * COLOR_STEPS).astype(np.int64)
        looks = ((scatter.groups * (COLOR_STEPS + 1) + steps) * 2 + faint)[order]
        _, first, self._style_indices = np.unique(looks, return_index=True, return_inverse=True)
        self._styles = [_style(scatter, at, shares, bool(faint[at])) for at in order[first].tolist()]
        self.setData(x=scatter.points[order, 0], y=scatter.points[order, 1])

    def updateSpots(self, *_: object) -> None:
        """Find the picture of each point; pyqtgraph calls this for new points and for another pixel ratio."""
        self.fragmentAtlas.clear()
        if self._styles:
            pictures = np.array(self.fragmentAtlas[self._styles], self.data["sourceRect"].dtype)
            self.data["sourceRect"] = pictures[self._style_indices]
        self._updateMaxSpotSizes()
        self.invalidate()


def _style(scatter: Scatter, at: int, shares: Numbers, is_faint: bool) -> Style:
    alpha = FAINT if is_faint else 1.0
    color, rim = QColor(find_color(scatter, at, shares)), QColor(palette.current().field)
    color.setAlphaF(alpha)
    rim.setAlphaF(alpha)
    return *SYMBOLS[scatter.marks[int(scatter.groups[at])].shape], pg.mkPen(rim, width=RIM_PX), QBrush(color)


def sprite(shape: str, color: str, ground: str, ratio: float) -> QPixmap:
    """Return one mark as a small picture with a rim in the color of the ground."""
    made = QPixmap(round(ICON_PX * ratio), round(ICON_PX * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(ICON_PX / 2, ICON_PX / 2)
    drawSymbol(painter, *SYMBOLS[shape], pg.mkPen(ground, width=RIM_PX), QBrush(QColor(color)))
    painter.end()
    return made


def draw_rings(painter: QPainter, room: QRectF, rings: Sequence[Label]) -> None:
    """Draw a ring round each place and its letters beside it."""
    for place, _ in rings:
        _draw_ring(painter, place, 4.5)
    lettered = [(place, text) for place, text in rings if text]
    for place, text in _merge_labels(lettered, lambda label: _label_rect(painter, room, label, RING_PX)):
        _draw_label(painter, room, (place, text), RING_PX)


def draw_extra_point(painter: QPainter, room: QRectF, place: QPointF, title: str) -> None:
    """Draw a crossed ring, which no group has, and a name beside it."""
    _draw_ring(painter, place, 5.0, CROSS_PX)
    _draw_label(painter, room, (place, title), CROSS_PX)


def draw_lasso(painter: QPainter, corners: Sequence[Point]) -> None:
    """Draw the outline around the points to select."""
    color = QColor(palette.current().accent)
    painter.setPen(QPen(color, 1.5))
    color.setAlpha(LASSO_ALPHA)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def draw_preview(painter: QPainter, preview: Preview, place: QPointF, view: QRectF) -> None:
    """Draw an image and lines of text at the right of a place, or at the left where they do not fit."""
    image, lines = preview
    if image is None and not lines:
        return
    text, side = "\n".join(lines), 0 if image is None else PREVIEW_PX
    text_size = painter.fontMetrics().size(0, text)
    width, height = max(side, text_size.width()) + 2 * PAD_PX, side + text_size.height() + 2 * PAD_PX + 2
    left, top = place.x() + AWAY_PX, min(place.y() - height / 2, view.height() - height - 2)
    if left + width >= view.width():
        left = max(place.x() - AWAY_PX - width, 2.0)
    rect = QRectF(left, max(top, 2.0), width, height)
    painter.setPen(QPen(QColor(palette.current().line), 1))
    painter.setBrush(QColor(palette.current().card))
    painter.drawRoundedRect(rect, 6, 6)
    if image is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(rect.center().x() - side / 2, rect.top() + PAD_PX, side, side), image)
    painter.setPen(QColor(palette.current().text))
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
    painter.drawText(rect.adjusted(PAD_PX, PAD_PX, -PAD_PX, -PAD_PX), flags, text)


def _draw_ring(painter: QPainter, place: QPointF, halo: float, cross: float = 0.0) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((palette.current().field, halo), (palette.current().strong, 2.0)):
        painter.setPen(QPen(QColor(color), width))
        painter.drawEllipse(place, RING_PX, RING_PX)
        if cross:
            painter.drawLine(place - QPointF(cross, 0), place + QPointF(cross, 0))
            painter.drawLine(place - QPointF(0, cross), place + QPointF(0, cross))


def _merge_labels(labels: Sequence[Label], rect_of: Callable[[Label], QRectF]) -> list[Label]:
    """Join labels that would cover each other, beside the first of their places: '1, 2'."""

    def join(indices: Sequence[int]) -> Label:
        return labels[indices[0]][0], ", ".join(labels[i][1] for i in indices)

    merged: list[list[int]] = []
    for i in range(len(labels)):
        indices = [i]
        while covered := [other for other in merged if rect_of(join(other)).intersects(rect_of(join(indices)))]:
            merged = [other for other in merged if other not in covered]
            indices = sorted(sum(covered, indices))
        merged.append(indices)
    return [join(indices) for indices in merged]


def _label_rect(painter: QPainter, room: QRectF, label: Label, away: float) -> QRectF:
    """Return the place of a label: at the right of its mark, or at the left where the plot ends."""
    place, text = label
    metrics = painter.fontMetrics()
    width = metrics.horizontalAdvance(text) + 2 * LABEL_PAD_PX
    left = place.x() + away + 1
    if left + width > room.right():
        left = place.x() - away - 1 - width
    return QRectF(left, place.y() - 5 - metrics.ascent(), width, metrics.height())


def _draw_label(painter: QPainter, room: QRectF, label: Label, away: float) -> None:
    """Draw text on a ground that keeps it readable over points."""
    rect, ground = _label_rect(painter, room, label, away), QColor(palette.current().field)
    ground.setAlpha(LABEL_ALPHA)
    painter.fillRect(rect, ground)
    base = QPointF(rect.left() + LABEL_PAD_PX, rect.top() + painter.fontMetrics().ascent() + 1)
    painter.drawText(base, label[1])
