"""Grid of a few images, as large as they fit, each with its name and numbers below it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.pixmaps import Array, Colormap
from gui.widgets.image_view import ImageView
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.view_state import ViewState

GAP, TEXT_PX = 12, 22
LEAST_CELL = 64
# Part of the width that a long title gets before the numbers beside it.
TITLE_PART = 0.6
MIDDLE = Qt.TextElideMode.ElideMiddle
STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}


@dataclass(frozen=True, eq=False)
class BoardImage:
    """One (h, w) image: its key, its name, and the numbers next to the name.

    The board shows `under` while it flickers. `light` is a view state of its own, for an image that does not share the
    board's.
    """

    key: str
    title: str
    image: Array
    scale: Colormap = Colormap.GRAY
    caption: str = ""
    under: Array | None = None
    light: ViewState | None = None


class ImageCell(QWidget):
    """Image above its name and its numbers."""

    def __init__(self, state: ViewState, parent: QWidget) -> None:
        super().__init__(parent)
        self._light = state
        self.view, self._title, self._caption = (
            ImageView(state, self),
            ElidedLabel("", MIDDLE, self),
            label(parent=self),
        )
        self.view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._caption.setProperty("role", "caption")
        self._caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.picture: BoardImage | None = None

    def show_picture(self, picture: BoardImage, flickering: bool) -> None:
        self.picture = picture
        under = picture.under if flickering else None
        if self.view.state is not (light := picture.light or self._light):
            self.view.set_state(light)
        self.view.set_image(picture.image if under is None else under, picture.scale)
        self.view.setAccessibleName(f"{picture.title} {picture.caption}".strip())
        self._title.setText(picture.title)
        self._caption.setText(picture.caption)
        self._place_text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view.setGeometry(0, 0, self.width(), self.height() - TEXT_PX)
        self._place_text()

    def _place_text(self) -> None:
        """Give the title its room: of numbers that do not fit beside it, only the first is shown, or none."""
        numbers = self.picture.caption if self.picture else ""
        measure = self._caption.fontMetrics().horizontalAdvance
        title = self._title.fontMetrics().horizontalAdvance(self._title.text())
        room = self.width() - 12 - min(title, TITLE_PART * self.width())
        first = numbers.split(" · ")[0]
        fitting = (
            text
            for text in (numbers if measure(numbers) + title <= self.width() - 12 else first, first)
            if measure(text) <= room
        )
        self._caption.setText(next(fitting, ""))
        top, wide = self.height() - TEXT_PX, self._caption.sizeHint().width() if self._caption.text() else 0
        self._title.setGeometry(0, top, max(self.width() - wide - 6, 0), TEXT_PX)
        self._caption.setGeometry(self.width() - wide, top, wide, TEXT_PX)


class ImageBoard(QWidget):
    """Rows of images that share window and level; `None` leaves a cell empty.

    While F is held, the board shows the image under each image.
    """

    hovered = Signal(str, int, int)  # key, x, y
    hover_ended = Signal()
    maximized = Signal(str)

    def __init__(self, state: ViewState, prepare: Callable[[ImageView], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state, self._prepare = state, prepare
        self._rows: list[list[BoardImage | None]] = []
        self._cells: list[list[ImageCell]] = []
        self._orientation: str | None = ""
        self._flickering = False

    def set_pictures(self, rows: Sequence[Sequence[BoardImage | None]]) -> None:
        """Show these rows, all of one length; the cells are reused if the shape is the same."""
        self._rows = [list(row) for row in rows]
        if [len(row) for row in self._rows] != [len(cells) for cells in self._cells]:
            self._build()
        self._show()

    def replace(self, picture: BoardImage) -> None:
        """Replace the image that has the same key."""
        for row, cells in zip(self._rows, self._cells, strict=True):
            for column, (old, cell) in enumerate(zip(row, cells, strict=True)):
                if old is not None and old.key == picture.key:
                    row[column] = picture
                    cell.show_picture(picture, self._flickering)

    def set_orientation(self, letters: str | None) -> None:
        """Set the letters at the left, right, top and bottom, or None if the orientation is unknown.

        The first image says that it is unknown.
        """
        self._orientation = letters
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                cell.view.set_orientation(letters if letters or row == column == 0 else "")

    def view(self, key: str) -> ImageView:
        """Return the view of an image. Raises StopIteration."""
        return next(cell.view for cell in self._all() if cell.picture and cell.picture.key == key)

    def shown(self) -> list[str]:
        """Return the keys of the visible images, row by row."""
        return [cell.picture.key for cell in self._all() if cell.picture]

    def fitting_height(self, width: int) -> int:
        """Return the height of the board when its columns fill a width."""
        columns = max((len(row) for row in self._rows), default=1)
        cell = (width - GAP * (columns - 1)) / max(columns, 1)
        rows = max(len(self._rows), 1)
        return round(rows * (cell + TEXT_PX) + GAP * (rows - 1) * 0.5)

    def set_flickering(self, on: bool) -> None:
        """Show the images that lie under the others, or stop."""
        if on != self._flickering:
            self._flickering = on
            self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the focus from image to image with the arrow keys."""
        step = STEPS.get(Qt.Key(event.key()))
        found = [(r, c) for r, cells in enumerate(self._cells) for c, cell in enumerate(cells) if cell.view.hasFocus()]
        if step is None or not found:
            super().keyPressEvent(event)
            return
        row = min(max(found[0][0] + step[0], 0), len(self._cells) - 1)
        column = min(max(found[0][1] + step[1], 0), len(self._cells[row]) - 1)
        if self._rows[row][column] is not None:
            self._cells[row][column].view.setFocus(Qt.FocusReason.TabFocusReason)

    def _all(self) -> list[ImageCell]:
        return [cell for cells in self._cells for cell in cells]

    def _build(self) -> None:
        for cell in self._all():
            cell.hide()
            cell.deleteLater()
        self._cells = [[self._make() for _ in row] for row in self._rows]
        if self._cells and self._cells[0]:
            self._cells[0][0].view.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_orientation(self._orientation)
        self._arrange()

    def _make(self) -> ImageCell:
        cell = ImageCell(self.state, self)
        cell.view.hovered.connect(lambda x, y: self.hovered.emit(cell.picture.key, x, y) if cell.picture else None)
        cell.view.hover_ended.connect(self.hover_ended)
        cell.view.maximized.connect(lambda: self.maximized.emit(cell.picture.key) if cell.picture else None)
        self._prepare(cell.view)
        return cell

    def _show(self) -> None:
        for row, cells in zip(self._rows, self._cells, strict=True):
            for picture, cell in zip(row, cells, strict=True):
                cell.setVisible(picture is not None)
                if picture is not None:
                    cell.show_picture(picture, self._flickering)

    def _arrange(self) -> None:
        """Make the cells as large as the space allows for all of them, and keep them square."""
        if not self._cells or not self._cells[0]:
            return
        rows, columns = len(self._cells), len(self._cells[0])
        by_width = (self.width() - GAP * (columns - 1)) // columns
        by_height = (self.height() - TEXT_PX * rows - GAP // 2 * (rows - 1)) // rows
        side = max(min(by_width, by_height), LEAST_CELL)
        for row, cells in enumerate(self._cells):
            for column, cell in enumerate(cells):
                top = row * (side + TEXT_PX + GAP // 2)
                cell.setGeometry(QRect(column * (side + GAP), top, side, side + TEXT_PX))
