"""Grid of equally large channel images of one layer, in an order that the user chooses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from gui import palette
from gui.pixmaps import Array, Colormap, image_of, to_colors

CELL_PX, NUMBER_PX = 84, 30
# Ends of the size that the user can choose, the largest that fills a view by itself, and a step of the wheel.
TILE_PX, FILL_PX, STEP_PX = (48, 320), 220, 8
GAP, TEXT_PX = 6, 16
# Room for two frames: that of the keyboard focus, and that of the chosen channel.
EDGE_PX = 4
Limits = Callable[[int], tuple[float, float]]
ROW_KEYS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True, eq=False)
class MosaicData:
    """Channels to show: (h, w, c) values, their order, their color map, and words that mark some of them."""

    values: Array
    order: Sequence[int]
    limits: Limits
    scale: Colormap = Colormap.HEAT
    marks: Mapping[int, str] = field(default_factory=dict)

    @property
    def are_numbers(self) -> bool:
        """Return whether each channel is a single number, not an image."""
        return self.values.shape[:2] == (1, 1)


class ChannelMosaic(QAbstractScrollArea):
    """Scrollable grid that paints only the visible channels.

    Arrow keys step through the channels; Enter and a double-click request an enlarged view.
    """

    chosen = Signal(int)
    enlarge_wanted = Signal()
    hovered = Signal(int, int, int)  # channel, x, y
    hover_ended = Signal()
    tile_changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.channels: MosaicData | None = None
        self.channel = 0
        self._text = ""
        self._side = CELL_PX
        # The size that the user chose; None as long as the channels fill the view.
        self._chosen_side: int | None = None
        self._drawn: dict[int, QImage] = {}
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setMinimumSize(200, CELL_PX + TEXT_PX + GAP)
        self.setAccessibleName("channels")

    def sizeHint(self) -> QSize:
        """Return room for a row and half of the next: a window of 900 px then shows the tools below it too."""
        return QSize(200, (CELL_PX + TEXT_PX) * 3 // 2)

    def set_channels(self, channels: MosaicData | None, text: str = "") -> None:
        """Show these channels, or `text` if there are none."""
        self.channels, self._text = channels, text
        self._drawn.clear()
        self._fit()

    def choose(self, channel: int) -> None:
        """Mark a channel and scroll to it."""
        self.channel = channel
        if self.channels is not None and channel in self.channels.order:
            place = self.cell(list(self.channels.order).index(channel))
            bar, room = self.verticalScrollBar(), self.viewport().height()
            if place.top() < 0:
                bar.setValue(bar.value() + place.top() - GAP)
            elif place.bottom() + TEXT_PX > room:
                bar.setValue(bar.value() + place.bottom() + TEXT_PX + GAP - room)
            mark = self.channels.marks.get(channel, "")
            self.setAccessibleName(f"channels: {channel} {mark}, one of {len(self.channels.order)}".replace(" ,", ","))
        self.viewport().update()

    def set_tile(self, side: int | None) -> None:
        """Choose the size of a channel in pixels; None makes them as large as the view shows all of them."""
        self._chosen_side = None if side is None else min(max(side, TILE_PX[0]), TILE_PX[1])
        self._fit()

    def tile(self) -> int:
        """Return the size of a channel in pixels."""
        return self._side

    def _cell_size(self) -> tuple[int, int]:
        """Return the side of a cell and the height of the text below it, in pixels."""
        is_number = self.channels is not None and self.channels.are_numbers
        return (NUMBER_PX, 0) if is_number else (self._side, TEXT_PX)

    def _fill(self, count: int) -> int:
        """Return the largest size at which the view shows all channels; the usual one if there is none."""
        wide, high = self.viewport().width() - EDGE_PX + GAP, self.viewport().height() - EDGE_PX
        sizes = range(FILL_PX, CELL_PX, -4)
        fits = (side for side in sizes if -(-count // max(wide // (side + GAP), 1)) * (side + TEXT_PX + GAP) <= high)
        return next(fits, CELL_PX) if count else CELL_PX

    def columns(self) -> int:
        side, _ = self._cell_size()
        return max((self.viewport().width() - EDGE_PX + GAP) // (side + GAP), 1)

    def cell(self, place: int) -> QRect:
        """Return the rectangle of the image at a position of the order, in the viewport."""
        side, text = self._cell_size()
        row, column = divmod(place, self.columns())
        top = row * (side + text + GAP) - self.verticalScrollBar().value()
        return QRect(column * (side + GAP) + EDGE_PX, top + EDGE_PX, side - 2, side - 2)

    def channel_at(self, at: QPointF) -> tuple[int, int, int] | None:
        """Return (channel, column, row) of the value at a point of the viewport.

        Returns None if the point lies beside the channels.
        """
        channels = self.channels
        if channels is None:
            return None
        side, text = self._cell_size()
        column = int(at.x() // (side + GAP))
        row = int((at.y() + self.verticalScrollBar().value()) // (side + text + GAP))
        place = row * self.columns() + column
        if column >= self.columns() or not 0 <= place < len(channels.order):
            return None
        cell, (height, width) = self.cell(place), channels.values.shape[:2]
        x, y = (at.x() - cell.left()) / cell.width() * width, (at.y() - cell.top()) / cell.height() * height
        return channels.order[place], min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self.viewport()), palette.current()
        if self.channels is None:
            painter.setPen(QColor(colors.quiet))
            painter.drawText(
                self.viewport().rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._text
            )
        else:
            self._paint_cells(painter, self.channels)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colors.focus), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        step = KEYS.get(key, 0) + ROW_KEYS.get(key, 0) * self.columns()
        if step and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.step(step)
        elif key in ENTER:
            self.enlarge_wanted.emit()
        else:
            event.ignore()

    def step(self, by: int) -> None:
        """Move the choice by some positions in the order."""
        if self.channels is None or not self.channels.order:
            return
        order = list(self.channels.order)
        at = order.index(self.channel) + by if self.channel in order else 0
        if 0 <= at < len(order):
            self.chosen.emit(order[at])

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the size of the channels while Ctrl is held; else scroll."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_tile(self._side + (STEP_PX if event.angleDelta().y() > 0 else -STEP_PX))
        else:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.channel_at(event.position())
        if found:
            self.chosen.emit(found[0])
        if found and event.type() == QEvent.Type.MouseButtonDblClick:
            self.enlarge_wanted.emit()

    mouseDoubleClickEvent = mousePressEvent  # noqa: N815 -- Qt's name

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.channel_at(event.position())
        if found:
            self.hovered.emit(*found)
        else:
            self.hover_ended.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        count = len(self.channels.order) if self.channels else 0
        before, self._side = self._side, self._chosen_side or self._fill(count)
        if self._side != before:
            self.tile_changed.emit(self._side)
        side, text = self._cell_size()
        rows, bar = -(-count // self.columns()), self.verticalScrollBar()
        bar.setRange(0, max(rows * (side + text + GAP) - self.viewport().height(), 0))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(side + text + GAP)
        self.viewport().update()

    def _paint_cells(self, painter: QPainter, channels: MosaicData) -> None:
        side, text = self._cell_size()
        high, columns = side + text + GAP, self.columns()
        first = self.verticalScrollBar().value() // high
        last = (self.verticalScrollBar().value() + self.viewport().height()) // high + 1
        for place in range(first * columns, min(last * columns, len(channels.order))):
            channel, cell = channels.order[place], self.cell(place)
            mark, chosen = channels.marks.get(channel, ""), channel == self.channel
            paint_cell(painter, cell, self._image(channels, channel), mark, chosen)
            if text:
                under = QRect(cell.left(), cell.bottom() + 1, cell.width(), TEXT_PX)
                paint_text(painter, under, f"{channel} {mark}".strip(), chosen or bool(mark))

    def _image(self, channels: MosaicData, channel: int) -> QImage:
        if channel not in self._drawn:
            low, high = channels.limits(channel)
            values = np.asarray(channels.values[..., channel])
            self._drawn[channel] = image_of(to_colors(values, low, high, channels.scale))
        return self._drawn[channel]


def paint_cell(painter: QPainter, cell: QRect, image: QImage, mark: str, chosen: bool) -> None:
    """Draw a channel image, with a cross over a dead channel and a frame around a chosen or marked one."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > cell.width())
    painter.drawImage(cell, image)
    if "dead" in mark:
        painter.setPen(QPen(QColor(palette.PICTURE_TEXT), 1))
        painter.drawLine(cell.topLeft(), cell.bottomRight())
        painter.drawLine(cell.topRight(), cell.bottomLeft())
    if chosen:
        painter.setPen(QPen(QColor(palette.PICTURE_MARK), 2))
        painter.drawRoundedRect(QRectF(cell).adjusted(-0.5, -0.5, 0.5, 0.5), 3, 3)
    elif mark:
        painter.setPen(QPen(QColor(palette.current().accent), 1, Qt.PenStyle.DashLine))
        painter.drawRect(cell)


def paint_text(painter: QPainter, under: QRect, text: str, loud: bool) -> None:
    """Draw the text below a channel image."""
    colors, font = palette.current(), painter.font()
    font.setPixelSize(11)
    painter.setFont(font)
    painter.setPen(QColor(colors.text if loud else colors.quiet))
    painter.drawText(under, Qt.AlignmentFlag.AlignHCenter, text)
