"""Grid of thousands of thumbnails; it draws only the visible ones."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    QStringListModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from gui import palette
from gui.pixmaps import Array, image_of
from gui.widgets.labels import plain_tip

Index = QModelIndex | QPersistentModelIndex
GAP = 6
CAPTION_PX = 18


class ThumbnailModel(QStringListModel):
    """List model: the images of the grid in their order, with captions and border colors.

    Qt asks for the number of rows once for each row that it places. Its own list answers at once; a method of Python
    would take a third of a second for 100,000 images.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.images: Array = np.zeros((0, 1, 1), np.uint8)
        self.captions: Sequence[str] = ()
        self.borders: dict[int, str] = {}
        self.shown: Array = np.zeros(0, np.intp)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return that an image can be chosen, not edited or dragged."""
        flags = Qt.ItemFlag
        return flags.ItemIsEnabled | flags.ItemIsSelectable | flags.ItemNeverHasChildren

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        at = int(self.shown[index.row()])
        caption = self.captions[at] if self.captions else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return caption
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            shown = caption or f"image {at + 1}"
            return plain_tip(shown) if role == Qt.ItemDataRole.ToolTipRole else shown
        if role == Qt.ItemDataRole.UserRole:
            return at
        return None

    def show(self, shown: Array) -> None:
        self.shown = np.asarray(shown, np.intp)
        self.setStringList([""] * len(self.shown))


class ThumbnailDelegate(QStyledItemDelegate):
    """Painter of one thumbnail, its caption, its border and its selection."""

    def __init__(self, model: ThumbnailModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.cell = QSize(96, 96)
        self.caption_height = 0
        self.thumbnail = lru_cache(maxsize=1024)(self._thumbnail)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.cell

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        at = int(self._model.shown[index.row()])
        room = QRect(option.rect.topLeft(), self.cell - QSize(GAP, GAP))
        picture = room.adjusted(0, 0, 0, -self.caption_height)
        painter.drawPixmap(picture, self.thumbnail(at, picture.width(), painter.device().devicePixelRatio()))
        if self.caption_height:
            self._paint_caption(painter, QRect(picture.bottomLeft(), room.bottomRight()), self._model.captions[at])
        if at in self._model.borders:
            self._frame(painter, picture, self._model.borders[at], 2)
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            self._frame(painter, picture, palette.PICTURE_CHOSEN, 3)
        if state & QStyle.StateFlag.State_HasFocus:
            self._frame(painter, picture.adjusted(4, 4, -4, -4), palette.PICTURE_TEXT, 1)
        elif state & QStyle.StateFlag.State_MouseOver:
            self._frame(painter, picture, palette.PICTURE_TEXT, 1)

    def _thumbnail(self, at: int, side: int, ratio: float) -> QPixmap:
        """Return the image fitted into a black square."""
        pixels = max(round(side * ratio), 1)
        fitted = image_of(np.asarray(self._model.images[at])).scaled(
            pixels, pixels, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        made = QPixmap(pixels, pixels)
        made.fill(QColor(palette.PICTURE_BACK))
        painter = QPainter(made)
        painter.drawImage((pixels - fitted.width()) // 2, (pixels - fitted.height()) // 2, fitted)
        painter.end()
        made.setDevicePixelRatio(ratio)
        return made

    def _paint_caption(self, painter: QPainter, room: QRect, text: str) -> None:
        painter.setPen(QColor(palette.current().quiet))
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)

    def _frame(self, painter: QPainter, room: QRect, color: str, width: int) -> None:
        painter.setPen(QPen(QColor(color), width, j=Qt.PenJoinStyle.MiterJoin))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = width // 2
        painter.drawRect(room.adjusted(half, half, -half - (width % 2), -half - (width % 2)))


class ImageGrid(QListView):
    """Grid of (n, h, w) uint8 images, from memory or a memory map; numbers in signals index that array."""

    hovered = Signal(int)
    hover_ended = Signal()
    opened = Signal(int)
    selection_changed = Signal(list)

    def __init__(self, cell: int = 96, captioned: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least_cell, self._captioned = cell, captioned
        self._model = ThumbnailModel(self)
        self._delegate = ThumbnailDelegate(self._model, self)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setMouseTracking(True)
        self.entered.connect(lambda index: self.hovered.emit(self._number(index)))
        self.viewportEntered.connect(self.hover_ended)
        self.doubleClicked.connect(lambda index: self.opened.emit(self._number(index)))
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)

    def set_images(self, images: Array, captions: Sequence[str] = (), borders: dict[int, str] | None = None) -> None:
        """Show all of an (n, h, w) uint8 array, with a border color for some images and a caption for each.

        A grid without captions shows them only on hover.
        """
        self._model.images, self._model.captions, self._model.borders = images, captions, borders or {}
        self._delegate.caption_height = CAPTION_PX if captions and self._captioned else 0
        self._delegate.thumbnail.cache_clear()
        self.show_only(np.arange(len(images)))
        self._fit_cells()

    def show_only(self, indices: Array) -> None:
        """Show these images in this order; panels filter and sort with it."""
        self._model.show(indices)
        self.selection_changed.emit([])

    def shown(self) -> list[int]:
        return [int(at) for at in self._model.shown]

    def selected(self) -> list[int]:
        return sorted(self._number(index) for index in self.selectedIndexes())

    def select(self, number: int) -> None:
        """Select one image, if it is shown, and scroll to it."""
        rows = np.flatnonzero(self._model.shown == number)
        if rows.size:
            index = self._model.index(int(rows[0]))
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.scrollTo(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self._number(self.currentIndex()))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit_cells()
        super().resizeEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.hover_ended.emit()
        super().leaveEvent(event)

    def _fit_cells(self) -> None:
        """Divide the width among as many columns as fit, so that none is cut off and little space remains."""
        width = self.viewport().width() - 2
        side = width // max(width // (self._least_cell + GAP), 1)
        self._delegate.cell = QSize(side, side + self._delegate.caption_height)
        self.setGridSize(self._delegate.cell)

    def _number(self, index: Index) -> int:
        return int(self._model.shown[index.row()])

    def _on_selection_changed(self) -> None:
        self.selection_changed.emit(self.selected())
