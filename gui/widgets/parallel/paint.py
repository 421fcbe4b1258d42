"""Drawing of parallel coordinates, on the screen, into an image and into a PDF."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter, QPen, QPixmap

from gui import palette
from gui.formatting import format_number
from gui.widgets.curves.axis import log_ticks, round_step
from gui.widgets.parallel.model import DROPPED, FAILED, GOOD, MISSING, Numbers, ParallelModel

TICK_PX, BRUSH_PX, BAR_WIDE, BAR_HIGH = 11, 14, 150, 8
LEFT, RIGHT, TOP, BOTTOM = 56, 84, 34, 40
COLORS = 24
MOST_TICKS = 6
# Number of line segments that are drawn at once.
STROKE = 400
# Segments (n, 4): x, y, x, y.
Stroke = tuple[NDArray[np.float64], QPen]


@dataclass(frozen=True)
class AxesGeometry:
    """Positions of the axes in a rectangle."""

    width: float
    height: float
    keys: tuple[str, ...]
    # Whether there is space below the feet for lines without a value.
    below: bool = False
    # The axis that is being dragged, and its position.
    moved: tuple[str, float] | None = None

    def x(self, key: str) -> float:
        if self.moved and self.moved[0] == key:
            return self.moved[1]
        room = self.width - LEFT - RIGHT
        place = self.keys.index(key)
        return LEFT + (room * place / (len(self.keys) - 1) if len(self.keys) > 1 else room / 2)

    def step(self) -> float:
        """Return the distance between two axes."""
        return (self.width - LEFT - RIGHT) / max(len(self.keys) - 1, 1)

    def y(self, place: float) -> float:
        return self.bottom - place * (self.bottom - TOP)

    def ys(self, places: Numbers) -> Numbers:
        return np.asarray(self.bottom - places * (self.bottom - TOP))

    def to_unit(self, y: float) -> float:
        return (self.bottom - y) / (self.bottom - TOP)

    @property
    def bottom(self) -> float:
        """Return the height of the axes' feet; lines without a value lie below it."""
        return TOP + (self.height - TOP - BOTTOM) / ((1 - 1.5 * MISSING) if self.below else 1)


def frame_of(model: ParallelModel, size: tuple[float, float], moved: tuple[str, float] | None = None) -> AxesGeometry:
    """Return the geometry of a model's axes in a rectangle of that size."""
    below = bool(len(model.lines.keys)) and not np.isfinite(model.lines.values).all()
    return AxesGeometry(*size, tuple(model.order), below, moved)


def draw_lines(painter: QPainter, model: ParallelModel, frame: AxesGeometry) -> None:
    """Draw all lines."""
    for stroke in line_batches(model, frame):
        draw_stroke(painter, stroke)


def paint_progressively(picture: QPixmap, model: ParallelModel, frame: AxesGeometry, font: QFont) -> Iterator[None]:
    """Draw all lines and their color bar into an image, some at each step."""
    picture.fill(QColor(palette.current().field))
    for stroke in line_batches(model, frame):
        with QPainter(picture) as painter:
            draw_stroke(painter, stroke)
        yield
    with QPainter(picture) as painter:
        painter.setFont(font)
        draw_bar(painter, model, frame)


def line_batches(model: ParallelModel, frame: AxesGeometry) -> Iterator[Stroke]:
    """Return the batches of all lines in drawing order, each of them quick to draw.

    Lines that pass the brushes have the color of their score, the best on top; the others are faint.
    """
    if len(frame.keys) < 2 or not len(model.lines.keys):
        return
    chosen, shares, kinds = model.selected(), model.rank_shares(), model.lines.kinds
    segments = _segments(model, frame)
    yield from _parted(segments[:, ~chosen], QPen(QColor(palette.current().line), 1))
    for kind, style in ((FAILED, Qt.PenStyle.DashLine), (DROPPED, Qt.PenStyle.DotLine)):
        role = palette.current().danger if kind == FAILED else palette.current().quiet
        yield from _parted(segments[:, chosen & (kinds == kind)], QPen(QColor(role), 1, style))
    steps = np.where(np.isfinite(shares), np.rint(shares * COLORS), COLORS)
    for step in range(COLORS, -1, -1):
        share = step / COLORS
        wanted = chosen & (kinds == GOOD) & (steps == step)
        if wanted.any():
            yield from _parted(segments[:, wanted], QPen(_color(share), 1.1 + 0.7 * (1 - share) ** 4))


def draw_stroke(painter: QPainter, stroke: Stroke) -> None:
    """Draw line segments with their pen."""
    pieces, pen = stroke
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.drawLines([QLineF(*piece) for piece in pieces.tolist()])


def draw_light(painter: QPainter, model: ParallelModel, frame: AxesGeometry, line: int, strong: bool) -> None:
    """Draw one line above the others: thick, in its own color, on its own background."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    segments = _segments(model, frame)[:, [line]]
    kind, share = int(model.lines.kinds[line]), float(model.rank_shares()[line])
    good = kind == GOOD and math.isfinite(share)
    role = palette.current().danger if kind == FAILED else palette.current().quiet
    color = (QColor(palette.current().accent) if strong else _color(share)) if good else QColor(role)
    for pen in (QPen(QColor(palette.current().field), 6), QPen(color, 3)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        draw_stroke(painter, (segments.reshape(-1, 4), pen))
    painter.setBrush(color)
    painter.setPen(QPen(QColor(palette.current().field), 1.5))
    for key in frame.keys:
        painter.drawEllipse(QPointF(frame.x(key), frame.y(float(model.unit_values(key)[line]))), 4, 4)


def draw_axes(painter: QPainter, model: ParallelModel, frame: AxesGeometry, focus: str = "") -> None:
    """Draw axes, marks, titles and brushes."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for key in frame.keys:
        _draw_axis(painter, model, frame, key)
        _draw_title(painter, model, frame, key, key == focus)
    for key, (low, high) in model.brushes.items():
        color = QColor(palette.PICTURE_MARK)
        painter.setPen(QPen(color, 1))
        color.setAlpha(90)
        painter.setBrush(color)
        top, bottom = frame.y(high), frame.y(low)
        painter.drawRect(QRectF(frame.x(key) - BRUSH_PX / 2, top, BRUSH_PX, max(bottom - top, 2)))


def draw_bar(painter: QPainter, model: ParallelModel, frame: AxesGeometry) -> None:
    """Draw the color bar of the scores, the best at the left."""
    score = model.lines.score
    shares = model.rank_shares()
    if score not in model.axes or not np.isfinite(shares).any():
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    values = model.values(score)
    known = values[np.isfinite(values) & (model.lines.kinds == GOOD)]
    font = small(painter.font())
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    best, worst = f"{format_number(float(known.min()))} best", format_number(float(known.max()))
    right = frame.width - 12 - metrics.horizontalAdvance(worst)
    bar = QRectF(right - 8 - BAR_WIDE, frame.height - 10 - BAR_HIGH, BAR_WIDE, BAR_HIGH)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for step in range(COLORS + 1):
        gradient.setColorAt(step / COLORS, _color(step / COLORS))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRect(bar)
    painter.setPen(QColor(palette.current().quiet))
    base = bar.center().y() + metrics.capHeight() / 2
    title = model.axes[score].title + (", log" if score in model.log else "")
    before = f"{title}   {best}"
    painter.drawText(QPointF(bar.left() - 8 - metrics.horizontalAdvance(before), base), before)
    painter.drawText(QPointF(right, base), worst)


def small(font: QFont) -> QFont:
    """Return the font of the marks."""
    made = QFont(font)
    made.setPixelSize(TICK_PX)
    made.setBold(False)
    made.setUnderline(False)
    return made


def ticks(model: ParallelModel, key: str) -> list[tuple[float, str]]:
    """Return the marks of an axis: values and their texts."""
    axis = model.axes[key]
    if axis.words:
        return [(float(index), word) for index, word in enumerate(axis.words)]
    low, high = model.span(key)
    if axis.marks and len(axis.marks) <= MOST_TICKS + 2:
        return [(value, format_number(value)) for value in axis.marks]
    if high <= low:
        return [(low, format_number(low))]
    if key in model.log:
        marked = [10**power for power in log_ticks(math.log10(low), math.log10(high))]
        named = [value for value in marked if len(marked) <= MOST_TICKS or f"{value:.0e}"[0] in "125"]
        return _between(low, named, high)
    step = round_step((high - low) / MOST_TICKS)
    inner = [step * place for place in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return _between(low, inner, high)


def _between(low: float, inner: Iterable[float], high: float) -> list[tuple[float, str]]:
    """Return marks for both ends and between them, without marks whose text repeats another one."""
    first, last = ((end, format_number(round(end, 12), 3)) for end in (low, high))
    named = {format_number(round(value, 12), 3): value for value in inner}
    return [first, *((value, text) for text, value in named.items() if text not in (first[1], last[1])), last]


def _segments(model: ParallelModel, frame: AxesGeometry) -> NDArray[np.float64]:
    """Return the segments of the lines between neighboring axes, (gaps, n, 4): x, y, x, y."""
    keys = sorted(frame.keys, key=frame.x)
    heights = [frame.ys(model.unit_values(key)) for key in keys]
    pieces = []
    for place in range(len(keys) - 1):
        left, right = heights[place], heights[place + 1]
        across = np.full(len(left), frame.x(keys[place])), np.full(len(left), frame.x(keys[place + 1]))
        pieces.append(np.stack([across[0], left, across[1], right], axis=1))
    return np.stack(pieces)


def _parted(segments: NDArray[np.float64], pen: QPen) -> Iterator[Stroke]:
    pieces = segments.reshape(-1, 4)
    return ((pieces[start : start + STROKE], pen) for start in range(0, len(pieces), STROKE))


def _draw_axis(painter: QPainter, model: ParallelModel, frame: AxesGeometry, key: str) -> None:
    x, colors = frame.x(key), palette.current()
    painter.setPen(QPen(QColor(colors.quiet), 1))
    painter.drawLine(QPointF(x, frame.y(1) - 4), QPointF(x, frame.bottom + 4))
    painter.setFont(small(painter.font()))
    used: list[float] = []
    marks = [(frame.y(float(model.to_unit(key, np.array([value]))[0])), text) for value, text in ticks(model, key)]
    if len(model.lines.keys) and not np.isfinite(model.values(key)).all():
        marks.append((frame.y(MISSING), model.axes[key].none))
    ends = sorted(marks, key=lambda mark: mark[0])
    for y, text in [*ends[:1], *ends[-1:], *ends[1:-1]]:
        if all(abs(y - other) > TICK_PX + 2 for other in used):
            used.append(y)
            _draw_mark(painter, QPointF(x, y), text)


def _draw_mark(painter: QPainter, at: QPointF, text: str) -> None:
    """Draw a tick and its text on a background that keeps it readable above the lines."""
    colors = palette.current()
    metrics = QFontMetricsF(painter.font())
    room = QRectF(at.x() + 7, at.y() - 7, metrics.horizontalAdvance(text) + 4, 14)
    ground = QColor(colors.field)
    ground.setAlpha(205)
    painter.fillRect(room, ground)
    painter.setPen(QPen(QColor(colors.quiet), 1))
    painter.drawLine(QPointF(at.x() - 3, at.y()), QPointF(at.x() + 3, at.y()))
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)


def _draw_title(painter: QPainter, model: ParallelModel, frame: AxesGeometry, key: str, focused: bool) -> None:
    font = QFont(painter.font())
    font.setPixelSize(TICK_PX + 1)
    font.setUnderline(focused)
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    said = model.axes[key].title + (", log" if key in model.log else "") + (" ↓" if key in model.flipped else "")
    wide = min(frame.step() - 2, 2 * LEFT + 60)
    text = metrics.elidedText(said, Qt.TextElideMode.ElideRight, wide)
    half = metrics.horizontalAdvance(text) / 2
    left = min(max(frame.x(key) - half, 4), frame.width - 2 * half - 4)
    painter.setPen(QColor(palette.current().accent if focused else palette.current().text))
    painter.drawText(QPointF(left, 18), text)


def _color(share: float) -> QColor:
    return QColor(palette.find_score_color(share))
