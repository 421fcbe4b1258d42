"""A table whose columns are as wide as their cells, of which equal ones are measured once."""

from collections.abc import Hashable

from PySide6.QtCore import QEvent, QModelIndex
from PySide6.QtWidgets import QTableView, QWidget

from gui.widgets.number_model import NumberSortProxy

MEASURED_ROWS = 40  # how many rows a column is measured by: all of a long table's take too long
RESTYLED = (QEvent.Type.StyleChange, QEvent.Type.FontChange)


class CachedWidthTable(QTableView):
    """Measures columns as Qt does, by the rows in sight and those below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widths: dict[Hashable, int] = {}

    def sizeHintForColumn(self, column: int) -> int:
        """The widest cell; each look of a cell is measured once."""
        self.ensurePolished()
        count = self.model().rowCount()
        first = max(min(self.rowAt(0), count - MEASURED_ROWS), 0)
        indices = (self.model().index(row, column) for row in range(first, min(first + MEASURED_ROWS, count)))
        return max((self._width(index) for index in indices), default=0)

    def forget_widths(self) -> None:
        """Measure anew: the cells are others."""
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
