"""Table whose columns are as wide as their cells; equal cells are measured once."""

from collections.abc import Hashable

from PySide6.QtCore import QEvent, QModelIndex
from PySide6.QtWidgets import QTableView, QWidget

from gui.widgets.number_model import NumberSortProxy

# Number of rows that are measured for a column width; all rows of a long table take too long.
MEASURED_ROWS = 40
RESTYLED = (QEvent.Type.StyleChange, QEvent.Type.FontChange)


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
