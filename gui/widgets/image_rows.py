"""Rows of images that share window and level: originals above their reconstructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from gui.palette import PICTURE_CHOSEN
from gui.pixmaps import Array, Colormap
from gui.widgets.color_bar import ColorBar
from gui.widgets.image_view import UNKNOWN, ImageView
from gui.widgets.labels import ElidedLabel, label, set_style_property
from gui.widgets.view_state import ViewState

GAP, MARK_PX = 8, 2
TEXT_PX = 18
HEADER_PX, WIDEST_HEADER_PX = 112, 180
LEAST_CELL = 72
STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}


@dataclass(frozen=True)
class ImageRow:
    """One row: a title with a quiet line below it, (n, h, w) images, a caption for each."""

    title: str
    images: Array
    scale: Colormap = Colormap.GRAY
    subtitle: str = ""
    captions: Sequence[str] = ()


class RowHeader(QWidget):
    """Title and quiet line of a row; a row in color always has its color bar."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._title, self._subtitle, self.bar = (
            label(role="title", wrap=True),
            label(role="caption", wrap=True),
            ColorBar(),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(2)
        column.addStretch()
        for part in (self._title, self._subtitle, self.bar):
            column.addWidget(part)
        column.addStretch()

    def add_line(self, text: str) -> None:
        """Append one line to the quiet text."""
        self._subtitle.setText("\n".join(filter(None, (self._subtitle.text(), text))))
        self._subtitle.show()

    def set_row(self, row: ImageRow, state: ViewState) -> None:
        self._title.setText(row.title)
        self._subtitle.setText(row.subtitle)
        self._subtitle.setVisible(bool(row.subtitle))
        self.bar.setVisible(row.scale is not Colormap.GRAY)
        view = state.view
        if row.scale is Colormap.SIGNED:
            self.bar.set_range(row.scale, -view.limit, view.limit)
        elif row.scale is not Colormap.GRAY:
            self.bar.set_range(row.scale, view.level - view.window / 2, view.level + view.window / 2)


@dataclass(frozen=True)
class Grid:
    """Size and position of the cells."""

    cell: QSize
    header: int
    top: int
    captions: tuple[int, ...]

    def at(self, row: int, column: int) -> QRect:
        x = self.header + column * (self.cell.width() + GAP)
        y = self.top + row * (self.cell.height() + GAP) + sum(self.captions[:row])
        return QRect(x, y, self.cell.width(), self.cell.height())

    def size(self, columns: int) -> QSize:
        last = self.at(len(self.captions) - 1, columns - 1)
        return QSize(last.right() + 1, last.bottom() + 1 + self.captions[-1])


def fit_grid(room: QSize, columns: int, aspect: float, grid: Grid) -> Grid:
    """Return the grid whose cells fill the space.

    It shows every column always, and every row unless the cells would be too small to read.
    """
    rows = len(grid.captions)
    by_width = (room.width() - grid.header - GAP * (columns - 1)) // columns
    by_height = (room.height() - grid.top - sum(grid.captions) - GAP * (rows - 1)) / rows / aspect
    width = max(min(by_width, max(int(by_height), LEAST_CELL)), 16)
    return Grid(QSize(width, max(round(width * aspect), 16)), grid.header, grid.top, grid.captions)


class ImageRows(QScrollArea):
    """Rows and columns of images that share one ViewState.

    No column is ever cut off; the rows scroll if they must.
    """

    hovered = Signal(int, int, int, int)  # row, column, x, y
    hover_ended = Signal()
    maximized = Signal(int, int)
    chosen = Signal(int)  # column of an image that was clicked

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state or ViewState(parent=self)
        self._rows: list[ImageRow] = []
        self._views: list[list[ImageView]] = []
        self._headers: list[RowHeader] = []
        self._titles: list[ElidedLabel] = []
        self._captions: list[list[ElidedLabel]] = []
        self._board = QWidget()
        self._board.setProperty("kind", "plain")
        self._orientation: str | None = None
        self._linked, self._marked = True, -1
        self._own_states: list[ViewState] = []
        self.setWidget(self._board)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.state.changed.connect(self._on_state_changed)

    def set_rows(self, rows: Sequence[ImageRow], titles: Sequence[str] = ()) -> None:
        """Show rows of equally many images, with titles above the columns.

        The views are reused if the shape is the same.
        """
        shape = (len(rows), len(rows[0].images) if rows else 0)
        if shape != (len(self._views), len(self._views[0]) if self._views else 0):
            self._build(*shape)
        self._rows = list(rows)
        for row, views, captions in zip(rows, self._views, self._captions, strict=True):
            for column, view in enumerate(views):
                view.set_image(row.images[column], row.scale)
                view.setAccessibleName(", ".join(filter(None, (row.title, *titles[column : column + 1]))))
                captions[column].setText(row.captions[column] if row.captions else "")
        for column, title in enumerate(self._titles):
            title.setText(titles[column] if titles else "")
        self._show_headers()
        self._arrange()

    def set_linked(self, linked: bool) -> None:
        """Link zoom and contrast of all columns, or make each column independent.

        The rows of a column always stay linked, and so does the scale of all differences.
        """
        self._linked = linked
        self._own_states = [] if linked else [self.state.copy() for _ in self._titles]
        for state in self._own_states:
            state.changed.connect(lambda state=state: self.state.update(limit=state.view.limit))
        for views in self._views:
            for column, view in enumerate(views):
                view.set_state(self.state if linked else self._own_states[column])

    def set_orientation(self, letters: str | None) -> None:
        """Set the letters at the left, right, top and bottom ("RLAP"), or None if the orientation is unknown.

        The first row says that it is unknown.
        """
        if letters == self._orientation:
            return
        self._orientation = letters
        for views in self._views:
            for view in views:
                view.set_orientation(letters or "")
        self._show_headers()

    def mark_column(self, column: int) -> None:
        """Frame the first image of a column, and say so; -1 marks none."""
        self._marked = column
        for place, title in enumerate(self._titles):
            title.setProperty("role", "title" if place == column else "caption")
            set_style_property(title)
        for place, view in enumerate(self._views[0] if self._views else ()):
            view.setAccessibleDescription("current image" if place == column else "")
            view.update()

    def view(self, row: int, column: int) -> ImageView:
        return self._views[row][column]

    def sizeHint(self) -> QSize:
        return QSize(HEADER_PX + 8 * 110, max(len(self._rows), 1) * 118)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the focus from image to image with the arrow keys."""
        found = [(r, c) for r, views in enumerate(self._views) for c, view in enumerate(views) if view.hasFocus()]
        step = STEPS.get(Qt.Key(event.key()))
        if not found or step is None:
            super().keyPressEvent(event)
            return
        at = found[0]
        row = min(max(at[0] + step[0], 0), len(self._views) - 1)
        column = min(max(at[1] + step[1], 0), len(self._titles) - 1)
        self._views[at[0]][at[1]].setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        target = self._views[row][column]
        target.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self.ensureWidgetVisible(target)

    def _build(self, rows: int, columns: int) -> None:
        for child in self._board.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            child.hide()
            child.deleteLater()
        self._headers = [RowHeader(self._board) for _ in range(rows)]
        self._titles = [ElidedLabel("", Qt.TextElideMode.ElideMiddle, self._board) for _ in range(columns)]
        self._views = [[self._make_view(row, column) for column in range(columns)] for row in range(rows)]
        self._captions = [[ElidedLabel(parent=self._board) for _ in range(columns)] for _ in range(rows)]
        for text in [*self._titles, *(caption for captions in self._captions for caption in captions)]:
            text.setProperty("role", "caption")
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.set_linked(self._linked)

    def _make_view(self, row: int, column: int) -> ImageView:
        view = ImageView(self.state, self._board)
        view.set_orientation(self._orientation or "")
        view.setFocusPolicy(Qt.FocusPolicy.StrongFocus if row == column == 0 else Qt.FocusPolicy.ClickFocus)
        view.hovered.connect(partial(self.hovered.emit, row, column))
        view.hover_ended.connect(self.hover_ended)
        view.maximized.connect(partial(self.maximized.emit, row, column))
        view.clicked.connect(lambda *_: self.chosen.emit(column))
        if row == 0:
            view.add_overlay(lambda painter: self._paint_mark(painter, view) if column == self._marked else None)
        return view

    def _paint_mark(self, painter: QPainter, view: ImageView) -> None:
        painter.setPen(QPen(QColor(PICTURE_CHOSEN), MARK_PX))
        painter.drawRect(view.rect().adjusted(1, 1, -1, -1))

    def _on_state_changed(self) -> None:
        self._show_headers()
        for state in self._own_states:
            state.update(limit=self.state.view.limit)

    def _show_headers(self) -> None:
        for header, row in zip(self._headers, self._rows, strict=False):
            header.set_row(row, self.state)
        if self._headers and self._orientation is None:
            self._headers[0].add_line(UNKNOWN)

    def _arrange(self) -> None:
        if not self._rows or not self._titles:
            self._board.resize(0, 0)
            return
        images = self._rows[0].images
        aspect = images[0].shape[0] / images[0].shape[1]
        top = TEXT_PX if any(title.text() for title in self._titles) else 0
        # The scroll bar's width is always reserved: the cells must not move when it appears.
        bar = self.verticalScrollBar().sizeHint().width()
        room = QSize(self.width() - bar - 2, self.height() - 2)
        captions = tuple(TEXT_PX if row.captions else 0 for row in self._rows)
        grid = fit_grid(room, len(self._titles), aspect, Grid(QSize(), self._header_width(), top, captions))
        self._board.resize(grid.size(len(self._titles)))
        for column, title in enumerate(self._titles):
            title.setGeometry(grid.at(0, column).adjusted(0, -top, 0, 0).adjusted(0, 0, 0, -grid.cell.height()))
            title.setVisible(bool(title.text()))
        for row, views in enumerate(self._views):
            self._place_row(row, views, grid)

    def _header_width(self) -> int:
        """Return room for the longest word beside the rows: a wide font needs more than the usual one."""
        needed = max(header.minimumSizeHint().width() for header in self._headers)
        return min(max(needed, HEADER_PX), WIDEST_HEADER_PX)

    def _place_row(self, row: int, views: list[ImageView], grid: Grid) -> None:
        first = grid.at(row, 0)
        # Beside the captions and the gaps there is room for the words of a low row.
        room = first.height() + grid.captions[row] + GAP
        self._headers[row].setGeometry(0, first.top() - GAP // 2, grid.header, room)
        self._headers[row].show()
        for column, view in enumerate(views):
            cell = grid.at(row, column)
            view.setGeometry(cell)
            view.show()
            caption = self._captions[row][column]
            caption.setGeometry(cell.left(), cell.bottom() + 1, cell.width(), TEXT_PX)
            caption.setVisible(bool(caption.text()))
