"""Two images in one view, and their choice by name: the user swipes a border between them, or flickers."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from gui import palette
from gui.pixmaps import Array
from gui.widgets.image_view import ImageView, colorize, draw
from gui.widgets.labels import label
from gui.widgets.view_state import ViewState

STEP = 0.02


class SwipeView(ImageView):
    """The first image left of the border, the second right of it; while F is held, the second everywhere."""

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self.split = 0.5
        self._second: Array | None = None
        self._flickering = False
        self._titles = ("", "")

    def set_pair(self, first: Array | None, second: Array | None, titles: tuple[str, str] = ("", "")) -> None:
        """Show two (h, w) images of one size with the same window and level."""
        self.set_image(first)
        self._second, self._titles = second, titles
        self.setAccessibleName(" and ".join(filter(None, titles)))

    def set_split(self, share: float) -> None:
        """Move the border to a fraction of the width."""
        self.split = min(max(share, 0.0), 1.0)
        self.update()

    def paint_picture(self, painter: QPainter) -> None:
        super().paint_picture(painter)
        border = 0.0 if self._flickering else self.split * self.width()
        if self._second is not None:
            painter.save()
            painter.setClipRect(round(border), 0, self.width(), self.height())
            painter.fillRect(self.rect(), QColor(palette.PICTURE_BACK))
            picture = colorize(self._second, self.scale, self.state.view)
            draw(painter, picture, self.placement(), (self.width(), self.height()))
            painter.restore()
            self._paint_border(painter, border)

    def _paint_border(self, painter: QPainter, border: float) -> None:
        if not self._flickering:
            painter.setPen(QPen(QColor(palette.PICTURE_MARK), 2))
            painter.drawLine(QPointF(border, 0), QPointF(border, self.height()))
        painter.setPen(QColor(palette.PICTURE_TEXT))
        room = self.rect().adjusted(8, 6, -8, -6)
        if not self._flickering:
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, self._titles[0])
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, self._titles[1])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.set_split(event.position().x() / max(self.width(), 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Flicker while F is held; move the border with left and right."""
        step = {Qt.Key.Key_Left: -STEP, Qt.Key.Key_Right: STEP}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_F:
            self._flicker(True)
        elif step is not None:
            self.set_split(self.split + step)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self._flicker(False)
        else:
            super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self._flicker(False)
        return super().event(event)

    def _flicker(self, on: bool) -> None:
        self._flickering = on
        self.update()


class SwipePair(QWidget):
    """Choice of a left and a right image by name; the user swipes or flickers between them."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.view, self.left, self.right = SwipeView(state), QComboBox(), QComboBox()
        self._pictures: Mapping[str, Array] = {}
        line = QHBoxLayout()
        for text, box in (("left", self.left), ("right, and while F is held", self.right)):
            line.addWidget(label(text, role="quiet"))
            line.addWidget(box)
            box.setMinimumWidth(140)
            box.setAccessibleName(text)
            box.activated.connect(self._draw)
        line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(line)
        column.addWidget(self.view, 1)

    def set_pictures(self, pictures: Mapping[str, Array]) -> None:
        """Offer images by name; keep the current two if they are still there."""
        names = list(pictures)
        for box, first in ((self.left, 0), (self.right, 1)):
            kept = box.currentText()
            if names != [box.itemText(at) for at in range(box.count())]:
                box.clear()
                box.addItems(names)
                box.setCurrentText(kept if kept in names else names[min(first, len(names) - 1)])
        self._pictures = pictures
        self._draw()

    def choose(self, name: str) -> None:
        """Choose the image at the right."""
        self.right.setCurrentText(name)
        self._draw()

    def _draw(self) -> None:
        names = self.left.currentText(), self.right.currentText()
        if all(name in self._pictures for name in names):
            self.view.set_pair(self._pictures[names[0]], self._pictures[names[1]], names)
