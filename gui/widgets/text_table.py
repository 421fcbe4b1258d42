"""Read-only table of texts: words at the left, numbers at the right, sentences wrapped."""

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from gui.widgets.timers import make_timer

SENTENCE = 40
NARROW_PX, SPARE_PX = 116, 10
MARGINS_PX, TALL_PX = 20, 10_000
AT_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
AT_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TextTable(QTableWidget):
    """Read-only table; a column with sentences takes the remaining width."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spare_px = 0
        self._soon = make_timer(self, 0)
        self._soon.timeout.connect(self._fit_rows)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionsClickable(False)

    def show_rows(self, head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
        """Show a table whose first `left` columns, and those with sentences, are words."""
        self.clear()
        self.setColumnCount(len(head))
        self.setRowCount(len(rows))
        wordy = {column for row in rows for column, text in enumerate(row) if len(text) > SENTENCE}
        words = wordy | set(range(left))
        for column, title in enumerate(head):
            self.setHorizontalHeaderItem(column, _cell(title, column in words))
            for line, row in enumerate(rows):
                self.setItem(line, column, _cell(row[column], column in words))
        self._spare_px = SPARE_PX if wordy else 0
        self._share_room(max(wordy, default=0), bool(wordy))
        self._soon.start()

    def _share_room(self, stretched: int, narrow: bool) -> None:
        """Stretch one column over the remaining width; if it holds sentences, the others wrap rather than shrink it."""
        header, mode = self.horizontalHeader(), QHeaderView.ResizeMode
        for column in range(self.columnCount()):
            header.setSectionResizeMode(column, mode.Interactive if narrow else mode.ResizeToContents)
            if narrow:
                self.resizeColumnToContents(column)
                header.resizeSection(column, min(header.sectionSize(column), NARROW_PX))
        if narrow:
            header.setSectionResizeMode(stretched, mode.Stretch)

    def _fit_rows(self) -> None:
        """Set the height of every row to that of its texts, with some space added in tables with sentences."""
        self.resizeRowsToContents()
        for row in range(self.rowCount()):
            if self._spare_px:
                texts = max((self._text_height(row, column) for column in range(self.columnCount())), default=0)
                self.setRowHeight(row, max(self.rowHeight(row), texts) + self._spare_px)

    def _text_height(self, row: int, column: int) -> int:
        """Return the height of a cell's text between its margins, which Qt forgets when it wraps."""
        item = self.item(row, column)
        room = QRect(0, 0, max(self.columnWidth(column) - MARGINS_PX, 1), TALL_PX)
        return self.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, item.text()).height() if item else 0

    def texts(self) -> list[list[str]]:
        """Return the texts of all cells."""
        return [
            [item.text() if (item := self.item(row, column)) else "" for column in range(self.columnCount())]
            for row in range(self.rowCount())
        ]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._soon.start()


def _cell(text: str, is_word: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(AT_LEFT if is_word else AT_RIGHT)
    return item
