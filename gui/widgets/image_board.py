"""Grid of a few images, as large as they fit, each with its name and numbers below it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from gui.pixmaps import Array, Colormap
from gui.widgets.image_view import ImageView
from gui.widgets.labels import label
from gui.widgets.view_state import ViewState

GAP, TEXT_PX = 12, 22
# Places where a name and its numbers may break into lines.
NAME_BREAK, NUMBERS_BREAK = re.compile(r"[-_ ]"), re.compile(r" · ")
# Height of a line, where the numbers stand below the name.
LINE_PX = 17
BESIDE_PX = 12
LEAST_CELL = 64
MIDDLE = Qt.TextElideMode.ElideMiddle
STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}


@dataclass(frozen=True, eq=False)
class BoardImage:
    """One (h, w) image: its key, its name, and the numbers next to the name.

    The board shows `under` while it flickers. `light` is a view state of its own, for an image that does not share the
    board's. `short_title` replaces a title that does not fit.
    """

    key: str
    title: str
    image: Array
    scale: Colormap = Colormap.GRAY
    caption: str = ""
    under: Array | None = None
    light: ViewState | None = None
    short_title: str = ""


class ImageCell(QWidget):
    """Image above its name and its numbers."""

    def __init__(self, state: ViewState, parent: QWidget) -> None:
        super().__init__(parent)
        self._light = state
        self._text_px, self._is_short = TEXT_PX, False
        self.view, self._title, self._caption = ImageView(state, self), label(parent=self), label(parent=self)
        self.view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._caption.setProperty("role", "caption")
        self.picture: BoardImage | None = None

    def show_picture(self, picture: BoardImage, flickering: bool) -> None:
        self.picture = picture
        under = picture.under if flickering else None
        if self.view.state is not (light := picture.light or self._light):
            self.view.set_state(light)
        self.view.set_image(picture.image if under is None else under, picture.scale)
        self.view.setAccessibleName(f"{picture.title} {picture.caption}".strip())
        self._place_text()

    def needs_short_title(self, width: int) -> bool:
        """Return whether there is a short title, and the other one does not fit."""
        return self.picture is not None and bool(self.picture.short_title) and not self._fits_one_line(width)

    def set_short(self, is_short: bool) -> None:
        """Show the short title, if there is one."""
        self._is_short = is_short

    def text_height(self, width: int) -> int:
        """Return the height that name and numbers need: one line for both, or a line for each."""
        if self.picture is None or self._fits_one_line(width):
            return TEXT_PX
        title, caption = self._lines(width)
        return self._line_px() * (len(title) + len(caption)) + 4

    def set_text_height(self, pixels: int) -> None:
        self._text_px = pixels
        self._place_text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_text()

    def _place_text(self) -> None:
        """Put the numbers at the right of the name, or below it where the board has lines for them."""
        if self.picture is None:
            return
        width, top = self.width(), self.height() - self._text_px
        self.view.setGeometry(0, 0, width, top)
        vertical, side = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignLeft
        if self._text_px == TEXT_PX:
            wide = min(self._measure(self._caption, self.picture.caption), width)
            self._title.setText(elide(self._title, self._name(), width - wide - (BESIDE_PX if wide else 0)))
            self._caption.setText(self.picture.caption)
            self._title.setGeometry(0, top, width, TEXT_PX)
            self._caption.setGeometry(width - wide, top, wide, TEXT_PX)
            side = Qt.AlignmentFlag.AlignRight
        else:
            title, caption = self._lines(width)
            self._title.setText("\n".join(title))
            self._caption.setText("\n".join(caption))
            line = self._line_px()
            low = top + 2 + line * len(title)
            self._title.setGeometry(0, top + 2, width, line * len(title))
            self._caption.setGeometry(0, low, width, line * len(caption))
        self._caption.setAlignment(side | vertical)
        self.setToolTip(self.picture.title if "…" in self._title.text() else "")

    def _fits_one_line(self, width: int) -> bool:
        assert self.picture
        title, caption = self._measure(self._title, self._name()), self.picture.caption
        return title + (BESIDE_PX + self._measure(self._caption, caption) if caption else 0) <= width

    def _name(self) -> str:
        assert self.picture
        return (self.picture.short_title if self._is_short else "") or self.picture.title

    def _lines(self, width: int) -> tuple[list[str], list[str]]:
        """Return the name and the numbers in lines of a width."""
        assert self.picture
        caption = self.picture.caption
        lines = break_lines(self._name(), NAME_BREAK, lambda text: self._measure(self._title, text) <= width)
        lines = [elide(self._title, line, width) for line in lines]
        numbers = break_lines(caption, NUMBERS_BREAK, lambda text: self._measure(self._caption, text) <= width)
        return lines, [number.removesuffix(" · ") for number in numbers]

    def _line_px(self) -> int:
        """Return the height of a line, which a large font needs more of."""
        return max(LINE_PX, self._title.fontMetrics().height())

    def _measure(self, line: QLabel, text: str) -> int:
        line.ensurePolished()
        return line.fontMetrics().horizontalAdvance(text)


def elide(line: QLabel, text: str, width: int) -> str:
    """Return a text without its middle where it does not fit."""
    return line.fontMetrics().elidedText(text, MIDDLE, max(width, 0))


def break_lines(text: str, pattern: re.Pattern[str], fits: Callable[[str], bool]) -> list[str]:
    """Return a text in two lines at most, broken at the last place where the first line fits.

    Example:
        >>> break_lines("demo-denoiser", NAME_BREAK, lambda line: len(line) < 10)
        ['demo-', 'denoiser']
    """
    if not text or fits(text):
        return [text] if text else []
    ends = [found.end() for found in pattern.finditer(text) if found.end() < len(text)]
    fitting = [end for end in ends if fits(text[:end])]
    end = max(fitting, default=0)
    return [text[:end], text[end:]] if end else [text]


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
        self._arrange()

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
        return [picture.key for row in self._rows for picture in row if picture is not None]

    def fitting_height(self, width: int) -> int:
        """Return the height of the board when its columns fill a width."""
        columns = max((len(row) for row in self._rows), default=1)
        cell = (width - GAP * (columns - 1)) / max(columns, 1)
        rows = max(len(self._rows), 1)
        return round(rows * cell + sum(self._text_heights(int(cell))) + GAP * (rows - 1) * 0.5)

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
        self._arrange()

    def _text_heights(self, width: int) -> list[int]:
        """Return the height of the text below each row of images of a width; one short title shortens the others."""
        for cells in self._cells:
            for cell in cells:
                cell.set_short(False)
            is_short = any(cell.needs_short_title(width) for cell in cells)
            for cell in cells:
                cell.set_short(is_short)
        return [max((cell.text_height(width) for cell in cells), default=TEXT_PX) for cells in self._cells]

    def _arrange(self) -> None:
        """Make the cells as large as the space allows for all of them, and keep them square."""
        if not self._cells or not self._cells[0]:
            return
        rows, columns = len(self._cells), len(self._cells[0])
        by_width = (self.width() - GAP * (columns - 1)) // columns
        side = by_width
        # The text may need a second line in the smaller cells that its first line leaves.
        for _ in range(2):
            texts = self._text_heights(side)
            by_height = (self.height() - sum(texts) - GAP // 2 * (rows - 1)) // rows
            side = max(min(by_width, by_height), LEAST_CELL)
        top = 0
        for cells, text_px in zip(self._cells, texts, strict=True):
            for column, cell in enumerate(cells):
                cell.set_text_height(text_px)
                cell.setGeometry(QRect(column * (side + GAP), top, side, side + text_px))
            top += side + text_px + GAP // 2
