"""How points in a plane are drawn: field, axes, marks of several shapes, what is chosen, the bar of values."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPainterPath, QPen, QPixmap

from gui import palette
from gui.widgets.curves.axis import round_step
from gui.widgets.labels import fixed, format_number
from gui.widgets.scatter.model import BOTTOM, LEFT, RIGHT, TOP, Flags, Numbers, PlotTransform, Scatter

Places = NDArray[np.intp]
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "plus", "star", "down")
COLORS = 24
MARK_PX, BOX_PX, FAINT = 7.0, 14, 0.16
TEXT_PX, BAR_WIDE, BAR_HIGH, TICK_GAP = 11, 130, 8, 90
CORNERS = {"triangle": (3, -90.0), "down": (3, 90.0), "diamond": (4, -90.0)}


def shape_path(shape: str, size: float) -> QPainterPath:
    """A shape round the origin; all of them cover about the same area."""
    path, half = QPainterPath(), size / 2
    if shape in CORNERS:
        count, first = CORNERS[shape]
        radius = half * (1.35 if count == 3 else 1.2)
        angles = [math.radians(first + 360 / count * corner) for corner in range(count)]
        path.moveTo(QPointF(radius * math.cos(angles[0]), radius * math.sin(angles[0])))
        for angle in angles[1:]:
            path.lineTo(QPointF(radius * math.cos(angle), radius * math.sin(angle)))
        path.closeSubpath()
    elif shape == "square":
        path.addRect(QRectF(-half * 0.9, -half * 0.9, size * 0.9, size * 0.9))
    elif shape in ("cross", "plus", "star"):
        bars = {"plus": (0, 90), "cross": (45, 135), "star": (0, 60, 120)}[shape]
        for angle in bars:
            x, y = half * 1.15 * math.cos(math.radians(angle)), half * 1.15 * math.sin(math.radians(angle))
            path.moveTo(-x, -y)
            path.lineTo(x, y)
    else:
        path.addEllipse(QPointF(0, 0), half, half)
    return path


def draw_shape(painter: QPainter, shape: str, colour: QColor, size: float = MARK_PX) -> None:
    """Draw one mark round the origin, with a rim that keeps it apart from others."""
    path = shape_path(shape, size)
    if shape in ("cross", "plus", "star"):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.8, c=Qt.PenCapStyle.RoundCap))
    else:
        painter.setBrush(colour)
        painter.setPen(QPen(QColor(palette.current().field), 0.7))
    painter.drawPath(path)


@lru_cache(maxsize=512)
def sprite(shape: str, colour: str, ground: str, ratio: float) -> QPixmap:
    """One mark as a small picture; `ground` is the colour of its rim, so that themes do not mix."""
    made = QPixmap(round(BOX_PX * ratio), round(BOX_PX * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(BOX_PX / 2, BOX_PX / 2)
    draw_shape(painter, shape, QColor(colour))
    painter.end()
    return made


def draw_points(
    painter: QPainter, scatter: Scatter, frame: PlotTransform, shown: Flags, selected: Flags | None
) -> None:
    """Draw all points: large groups under small ones, low values under high ones, what is not selected faint."""
    if not len(scatter.points):
        return
    places, ratio = frame.to_view(scatter.points), painter.device().devicePixelRatioF()
    painter.setClipRect(room_of(frame))
    for faint in (True, False):
        wanted = shown if selected is None else shown & (~selected if faint else selected)
        if faint and selected is None:
            continue
        painter.setOpacity(FAINT if faint else 1.0)
        _draw_some(painter, scatter, places, np.flatnonzero(wanted[order_of(scatter)]), ratio)
    painter.setOpacity(1.0)
    painter.setClipping(False)


def order_of(scatter: Scatter) -> Places:
    """The order in which points are drawn."""
    if scatter.values is not None:
        return np.argsort(scatter.shares(), kind="stable")
    sizes = np.bincount(scatter.groups, minlength=len(scatter.marks))
    return np.argsort(-sizes[scatter.groups], kind="stable")


def find_color(scatter: Scatter, at: int, shares: Numbers) -> str:
    """The colour of a point: that of its value, high values standing out, or that of its group."""
    if scatter.values is not None:
        return palette.find_score_color(1 - round(float(shares[at]) * COLORS) / COLORS)
    return palette.find_series_color(scatter.marks[int(scatter.groups[at])].series)


def _draw_some(painter: QPainter, scatter: Scatter, places: Numbers, turns: Places, ratio: float) -> None:
    ground, shares, order = palette.current().field, scatter.shares(), order_of(scatter)
    corners = (places - BOX_PX / 2).tolist()
    looks: dict[tuple[str, str], QPixmap] = {}
    shapes = [mark.shape for mark in scatter.marks]
    groups = scatter.groups.tolist()
    own = [palette.find_series_color(mark.series) for mark in scatter.marks] if scatter.values is None else []
    for at in order[turns].tolist():
        colour = own[groups[at]] if own else find_color(scatter, at, shares)
        look = shapes[groups[at]], colour
        if look not in looks:
            looks[look] = sprite(*look, ground, ratio)
        painter.drawPixmap(QPointF(*corners[at]), looks[look])


def room_of(frame: PlotTransform) -> QRectF:
    """Where points may be."""
    return QRectF(LEFT, TOP, frame.size[0] - LEFT - RIGHT, frame.size[1] - TOP - BOTTOM)


def draw_field(painter: QPainter, scatter: Scatter, frame: PlotTransform) -> None:
    """Draw the ground, the grid, and the titles of the axes."""
    colours, room = palette.current(), room_of(frame)
    painter.setFont(small(painter.font()))
    for is_x in (True, False):
        _draw_ticks(painter, frame, room, is_x)
    painter.setPen(QColor(colours.quiet))
    painter.drawText(
        QRectF(room.left(), room.bottom() + 20, room.width(), 18), Qt.AlignmentFlag.AlignCenter, scatter.axes[0]
    )
    painter.save()
    painter.translate(14, room.center().y())
    painter.rotate(-90)
    painter.drawText(QRectF(-room.height() / 2, -10, room.height(), 18), Qt.AlignmentFlag.AlignCenter, scatter.axes[1])
    painter.restore()


def _draw_ticks(painter: QPainter, frame: PlotTransform, room: QRectF, is_x: bool) -> None:
    (left, top), (right, bottom) = (
        frame.to_plane((room.left(), room.top())),
        frame.to_plane((room.right(), room.bottom())),
    )
    low, high = (left, right) if is_x else (bottom, top)
    length = room.width() if is_x else room.height()
    step = round_step((high - low) / max(length / TICK_GAP, 1.0))
    places = max(0, math.ceil(-math.log10(step) - 1e-9))
    across, down = frame.middle
    for turn in range(math.ceil(low / step), math.floor(high / step) + 1):
        value, text = turn * step, fixed(turn * step, places)
        painter.setPen(QPen(QColor(palette.current().grid), 1))
        if is_x:
            x = across + (value - frame.centre[0]) * frame.scale[0]
            painter.drawLine(QLineF(x, room.top(), x, room.bottom()))
            box = QRectF(x - 40, room.bottom() + 3, 80, 16)
        else:
            y = down - (value - frame.centre[1]) * frame.scale[1]
            painter.drawLine(QLineF(room.left(), y, room.right(), y))
            box = QRectF(22, y - 8, LEFT - 27, 16)
        painter.setPen(QColor(palette.current().quiet))
        side = Qt.AlignmentFlag.AlignCenter if is_x else Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(box, side, text)


def draw_bar(painter: QPainter, scatter: Scatter, frame: PlotTransform) -> None:
    """Draw which colour is which value, in the upper right corner."""
    if scatter.values is None or not np.isfinite(scatter.values).any():
        return
    low, high = (format_number(value, 2) for value in scatter.ends())
    font = small(painter.font())
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    before, after = f"{scatter.value_title}   ≤ {low}", f"≥ {high}"
    right = frame.size[0] - RIGHT - 8 - metrics.horizontalAdvance(after)
    bar = QRectF(right - 8 - BAR_WIDE, TOP + 8, BAR_WIDE, BAR_HIGH)
    ground = QColor(palette.current().field)
    ground.setAlpha(215)
    left = bar.left() - 8 - metrics.horizontalAdvance(before)
    painter.fillRect(QRectF(left - 6, TOP + 1, frame.size[0] - RIGHT - left + 4, BAR_HIGH + 14), ground)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for turn in range(COLORS + 1):
        gradient.setColorAt(turn / COLORS, QColor(palette.find_score_color(1 - turn / COLORS)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRect(bar)
    painter.setPen(QColor(palette.current().quiet))
    base = bar.center().y() + metrics.capHeight() / 2
    painter.drawText(QPointF(left, base), before)
    painter.drawText(QPointF(right, base), after)


def small(font: QFont) -> QFont:
    """The font of marks."""
    made = QFont(font)
    made.setPixelSize(TEXT_PX)
    return made
