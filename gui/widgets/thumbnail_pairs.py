"""Small images in pairs, side by side: input and output, with one pair selected."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.pixmaps import Array, Colormap, gray_image, image_of, to_colors
from gui.widgets.labels import plain_tip

SIDE, GAP, TEXT_PX = 68, 6, 15
STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -2, Qt.Key.Key_Down: 2}


@dataclass(frozen=True, eq=False)
class ThumbnailPair:
    """Gray image in [0, 1] with its name, and the output image with its color map; None until the output arrives."""

    title: str
    image: Array | None
    answer: Array | None = None
    limits: tuple[float, float] = (0.0, 1.0)
    scale: Colormap = Colormap.HEAT
    caption: str = ""


class ThumbnailPairs(QWidget):
    """Grid with two pairs a row; arrow keys select, Delete requests the removal of the selected pair."""

    chosen = Signal(int)
    remove_wanted = Signal()

    def __init__(self, side: int = SIDE) -> None:
        super().__init__()
        self.side = side
        self.pairs: tuple[ThumbnailPair, ...] = ()
        self.at = 0
        self._drawn: dict[tuple[int, int], QImage] = {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("images")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(2 * side)

    def set_pairs(self, pairs: Sequence[ThumbnailPair], at: int) -> None:
        """Show these pairs and select one."""
        self.pairs, self.at = tuple(pairs), at
        self._drawn.clear()
        name = f"images: {pairs[at].title}, {at + 1} of {len(pairs)}" if 0 <= at < len(pairs) else "images"
        self.setAccessibleName(name)
        self.updateGeometry()
        self.update()

    def columns(self) -> int:
        return max((self.width() + GAP) // (2 * self.side + GAP), 1)

    def text_px(self) -> int:
        """Return the height of the captions, 0 if there are none."""
        return TEXT_PX if any(pair.caption for pair in self.pairs) else 0

    def cell(self, at: int) -> QRect:
        """Return the rectangle of a pair."""
        row, column = divmod(at, self.columns())
        high = self.side + self.text_px() + GAP
        return QRect(column * (2 * self.side + GAP) + 1, row * high + 1, 2 * self.side, self.side)

    def pair_at(self, place: QPoint) -> int | None:
        return next((at for at in range(len(self.pairs)) if self.cell(at).contains(place)), None)

    def sizeHint(self) -> QSize:
        rows = -(-max(len(self.pairs), 1) // self.columns())
        high = rows * (self.side + self.text_px() + GAP) - GAP
        return QSize(4 * self.side + GAP + 2, high + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(2 * self.side, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for at, pair in enumerate(self.pairs):
            cell = self.cell(at)
            for half, values in enumerate((pair.image, pair.answer)):
                room = QRect(cell.left() + half * self.side, cell.top(), self.side, self.side)
                painter.fillRect(room, QColor(palette.PICTURE_BACK))
                if values is not None:
                    painter.drawImage(room, self._image(at, half, pair))
            if pair.caption:
                painter.setPen(QColor(palette.current().quiet))
                under = QRect(cell.left(), cell.bottom() + 1, cell.width(), TEXT_PX)
                painter.drawText(under, Qt.AlignmentFlag.AlignHCenter, pair.caption)
            if at == self.at:
                painter.setPen(QPen(QColor(palette.PICTURE_CHOSEN), 2))
                painter.drawRect(cell.adjusted(0, 0, -1, -1))
        if self.hasFocus():
            painter.setPen(QPen(QColor(palette.current().focus), 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self.pair_at(event.position().toPoint())
        if at is not None:
            self.chosen.emit(at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self.pair_at(event.position().toPoint())
        self.setToolTip("" if at is None else plain_tip(self.pairs[at].title))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = STEPS.get(Qt.Key(event.key()))
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.remove_wanted.emit()
        elif step is not None:
            if 0 <= self.at + step < len(self.pairs):
                self.chosen.emit(self.at + step)
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def _image(self, at: int, half: int, pair: ThumbnailPair) -> QImage:
        if (at, half) not in self._drawn:
            if half == 0 and pair.image is not None:
                self._drawn[at, half] = gray_image(np.asarray(pair.image))
            elif pair.answer is not None:
                self._drawn[at, half] = image_of(to_colors(np.asarray(pair.answer), *pair.limits, pair.scale))
        return self._drawn[at, half]
