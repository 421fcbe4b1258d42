"""Tables of numbers: right-aligned, sorted as numbers, with columns as wide as their cells."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gui.widgets.number_model import DOT_PX, NumberModel, NumberSortProxy, TableColumn, TableRow

# Number of rows that are measured for a column width; all rows of a long table take too long.
MEASURED_ROWS = 40
RESTYLED = (QEvent.Type.StyleChange, QEvent.Type.FontChange)
ROW_PX = 25
SPARED_PX, SPARED_PLAIN_PX = 14, 8
# What stands beside a name: margins, its check box, the gap after its dot.
NAME_MARGIN_PX, BOX_PX, DOT_GAP_PX = 20, 22, 6


def select_rows(view: QAbstractItemView, rows: Iterable[QModelIndex]) -> None:
    """Select these rows of a view and no others; scroll to the first."""
    selection = QItemSelection()
    for index in rows:
        selection.select(index, index)
    flags = QItemSelectionModel.SelectionFlag
    view.selectionModel().select(selection, flags.ClearAndSelect | flags.Rows)
    if not selection.isEmpty():
        view.scrollTo(selection.indexes()[0])
        view.selectionModel().setCurrentIndex(selection.indexes()[0], flags.NoUpdate)


class CachedWidthTable(QTableView):
    """Table view that measures columns as Qt does, by the visible rows and those below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widths: dict[Hashable, int] = {}

    def sizeHintForColumn(self, column: int) -> int:
        """Return the width of the widest cell; each distinct look of a cell is measured once."""
        self.ensurePolished()
        count = self.model().rowCount()
        first = max(min(self.rowAt(0), count - MEASURED_ROWS), 0)
        indices = (self.model().index(row, column) for row in range(first, min(first + MEASURED_ROWS, count)))
        return max((self._width(index) for index in indices), default=0)

    def forget_widths(self) -> None:
        """Clear the measured widths, because the cells have changed."""
        self._widths.clear()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in RESTYLED:
            self.forget_widths()
        super().changeEvent(event)

    def _width(self, index: QModelIndex) -> int:
        order = self.model()
        look = order.look(index) if isinstance(order, NumberSortProxy) else None
        if look not in self._widths:
            self._widths[look] = self.sizeHintForIndex(index).width()
        return self._widths[look]


class TightHeader(QHeaderView):
    """Header with room for a small sort mark, not for one of the text's height, and not for bold titles."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._sizes: dict[tuple[str, bool], QSize] = {}

    def sectionSizeFromContents(self, logicalIndex: int) -> QSize:  # noqa: N803 - Qt's own name
        """Return the size of a section; each title is measured once."""
        about = str(self.model().headerData(logicalIndex, self.orientation())), self.isSortIndicatorShown()
        if about not in self._sizes:
            spared = SPARED_PX if about[1] else SPARED_PLAIN_PX
            self._sizes[about] = super().sectionSizeFromContents(logicalIndex) - QSize(spared, 0)
        return self._sizes[about]

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in RESTYLED:
            self._sizes.clear()
        super().changeEvent(event)


class NumberTable(CachedWidthTable):
    """Table of rows with keys; Enter or a double-click opens a row, Space checks it."""

    chosen = Signal(list)
    opened = Signal(str)
    checked_changed = Signal(list)
    # Empty when the cursor leaves the rows.
    hovered = Signal(str)
    _fit: Callable[[], None] | None = None

    def __init__(
        self,
        columns: Sequence[TableColumn],
        checkable: bool = False,
        sortable: bool = False,
        parent: QWidget | None = None,
        wrapped: bool = False,
    ) -> None:
        super().__init__(parent)
        self._model = NumberModel(columns, checkable, self)
        self._order = NumberSortProxy(self._model, self)
        self.setModel(self._order)
        self._prepare(sortable)
        if wrapped:
            self._wrap()
        self._model.checked_changed.connect(self.checked_changed)
        self.selectionModel().selectionChanged.connect(lambda: self.chosen.emit(self.chosen_keys()))
        self.doubleClicked.connect(lambda index: self.opened.emit(self._key(index)))
        self.setMouseTracking(True)
        self.entered.connect(lambda index: self.hovered.emit(self._key(index)))
        self.viewportEntered.connect(lambda: self.hovered.emit(""))

    def _prepare(self, sortable: bool) -> None:
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(DOT_PX, DOT_PX))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self._header = header = TightHeader(self)
        self.setHorizontalHeader(header)
        header.setSectionsClickable(sortable)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(40)
        if sortable:
            self.setSortingEnabled(True)
            self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    def _wrap(self) -> None:
        """Break names that do not fit into lines, in rows as high as they need: for short tables."""
        self.setWordWrap(True)
        for changed in (self._order.modelReset, self._order.rowsInserted, self._order.dataChanged):
            changed.connect(self._fit_rows)

    def updateGeometries(self) -> None:
        """Fit the rows to a column that has another width."""
        super().updateGeometries()
        if self.wordWrap():
            self._fit_rows()

    def sizeHintForRow(self, row: int) -> int:
        """Return the height of a row: two lines where its name does not fit, which Qt misses beside a check box."""
        if not self.wordWrap():
            return super().sizeHintForRow(row)
        index = self.model().index(row, 0)
        room = self.columnWidth(0) - NAME_MARGIN_PX - BOX_PX * bool(index.flags() & Qt.ItemFlag.ItemIsUserCheckable)
        room -= (DOT_PX + DOT_GAP_PX) * (index.data(Qt.ItemDataRole.DecorationRole) is not None)
        needed = self.fontMetrics().horizontalAdvance(str(index.data()))
        return ROW_PX + self.fontMetrics().height() * (needed > room)

    def _fit_rows(self) -> None:
        for row in range(self._order.rowCount()):
            if self.rowHeight(row) != (wanted := self.sizeHintForRow(row)):
                self.setRowHeight(row, wanted)
        if self._fit is not None:
            self._fit()

    def set_rows(self, rows: Sequence[TableRow]) -> None:
        """Show these rows and keep the selection."""
        kept = self.chosen_keys()
        if not self._model.show(rows):
            return
        # Qt measures the columns only when all rows are replaced.
        self._header.resizeSections()
        if kept and kept != self.chosen_keys():
            self.select(kept)

    def set_columns(self, columns: Sequence[TableColumn], stretched: int = 0) -> None:
        """Replace the columns and clear the rows; the `stretched` column takes the remaining width."""
        self.forget_widths()
        self._model.set_columns(columns)
        header = self.horizontalHeader()
        for place in range(len(columns)):
            fills = place == stretched % len(columns)
            header.setSectionResizeMode(
                place, QHeaderView.ResizeMode.Stretch if fills else QHeaderView.ResizeMode.ResizeToContents
            )

    def highlight(self, key: str) -> None:
        """Highlight one row and scroll to it, without selecting it; an empty key removes the highlight."""
        self._model.highlight(key)
        for row in range(self._order.rowCount()) if key else ():
            if self._key(self._order.index(row, 0)) == key:
                self.scrollTo(self._order.index(row, 0))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit("")

    def chosen_keys(self) -> list[str]:
        return [self._key(index) for index in self.selectionModel().selectedRows()]

    def select(self, keys: Collection[str]) -> None:
        """Select these rows and no others; scroll to the first."""
        indices = (self._order.index(row, 0) for row in range(self._order.rowCount()))
        select_rows(self, [index for index in indices if self._key(index) in keys])

    def key_at(self, place: QPoint) -> str | None:
        """Return the key of the row at a point of the viewport, or None."""
        index = self.indexAt(place)
        return self._key(index) if index.isValid() else None

    def checked(self) -> list[str]:
        return self._model.checked()

    def set_checked(self, keys: Collection[str]) -> None:
        self._model.set_checked(keys)

    def text(self, row: int, column: int) -> str:
        """Return the text of a cell, in the current sort order."""
        return str(self._order.index(row, column).data())

    def fit_height(self) -> None:
        """Set the height to that of all rows: for short tables that should not scroll."""
        self._fit = self.fit_height
        self.setFixedHeight(self._height_of(self._order.rowCount()))

    def require_height(self, max_rows: int) -> None:
        """Scroll only a table of more rows than these, in whatever holds it."""
        self._fit = partial(self.require_height, max_rows)
        self.setMinimumHeight(self._height_of(min(self._order.rowCount(), max_rows)))

    def changeEvent(self, event: QEvent) -> None:
        """Fit the height again: a new style may have another header."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._fit is not None:
            self._fit()

    def _height_of(self, rows: int) -> int:
        heights = sum(max(self.rowHeight(row), ROW_PX) for row in range(rows))
        return self.horizontalHeader().sizeHint().height() + heights + 6

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.opened.emit(self._key(index))
        elif event.key() == Qt.Key.Key_Space and index.isValid():
            box = index.siblingAtColumn(0)
            self._order.setData(box, None, Qt.ItemDataRole.CheckStateRole)
        else:
            super().keyPressEvent(event)

    def _key(self, index: QModelIndex) -> str:
        return self._model.rows[self._order.mapToSource(index).row()].key
