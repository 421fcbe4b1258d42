"""Model of a table of numbers: how its rows are formatted, aligned, colored and sorted."""

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from gui import palette
from gui.formatting import format_number
from gui.widgets.labels import plain_tip

Index = QModelIndex | QPersistentModelIndex
DOT_PX = 10
DOT_RATIO = 4


@dataclass(frozen=True)
class TableColumn:
    """Column: its title and how it formats a value; numbers stand at the right."""

    title: str
    write: Callable[[Any], str] = format_number
    numeric: bool = True


@dataclass(frozen=True)
class TableRow:
    """Row: its key, a value for each column, the series whose color it carries, role of its text, its tool tip.

    In a table with check boxes, a row that is not `tickable` has no box.
    """

    key: str
    values: Sequence[Any]
    series: str = ""
    roles: dict[int, str] = field(default_factory=dict)
    tip: str = ""
    tickable: bool = True


class NumberModel(QAbstractTableModel):
    """Table model of the rows; with `checkable` each row has a box in its first column."""

    checked_changed = Signal(list)

    def __init__(self, columns: Sequence[TableColumn], checkable: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.columns = columns
        self.rows: list[TableRow] = []
        self.checkable = checkable
        self._checked: set[str] = set()
        self._lit = ""

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        return int(self._side(section)) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.rows[index.row()], self.columns[index.column()]
        value = row.values[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.write(value)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(self._side(index.column()))
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.tip) or None
        if role == Qt.ItemDataRole.ForegroundRole and index.column() in row.roles:
            return QColor(getattr(palette.current(), row.roles[index.column()]))
        if role == Qt.ItemDataRole.BackgroundRole and row.key == self._lit:
            return QColor(palette.current().hover)
        return self._mark(row, role) if index.column() == 0 else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or not (self.checkable and self.rows[index.row()].tickable):
            return False
        self.set_checked(self._checked ^ {self.rows[index.row()].key})
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        box = self.checkable and index.column() == 0 and self.rows[index.row()].tickable
        return super().flags(index) | (Qt.ItemFlag.ItemIsUserCheckable if box else Qt.ItemFlag.NoItemFlags)

    def checked(self) -> list[str]:
        return [row.key for row in self.rows if row.key in self._checked]

    def set_checked(self, keys: Collection[str]) -> None:
        """Check these rows and no others."""
        if set(keys) != self._checked:
            changed, self._checked = set(keys) ^ self._checked, set(keys)
            self._emit_changed(place for place, row in enumerate(self.rows) if row.key in changed)
            self.checked_changed.emit(self.checked())

    def show(self, rows: Sequence[TableRow]) -> bool:
        """Replace the rows; return whether any differs.

        If the old rows lead the new ones, the model emits only the differences: selection and scroll position stay. A
        first list of rows arrives as one reset, because the proxy sorts in inserted rows one by one.
        """
        before, known = self.rows, len(self.rows)
        if not before or [row.key for row in rows[:known]] != [row.key for row in before]:
            self.beginResetModel()
            self.rows = list(rows)
            self.endResetModel()
            return bool(before or rows)
        self.rows = list(rows[:known])
        changed = [place for place, row in enumerate(before) if row is not rows[place] and row != rows[place]]
        self._emit_changed(changed)
        if len(rows) > known:
            self.beginInsertRows(QModelIndex(), known, len(rows) - 1)
            self.rows = list(rows)
            self.endInsertRows()
        return bool(changed) or len(rows) > known

    def set_columns(self, columns: Sequence[TableColumn]) -> None:
        """Replace the columns and clear the rows."""
        self.beginResetModel()
        self.columns, self.rows = columns, []
        self.endResetModel()

    def highlight(self, key: str) -> None:
        """Highlight one row without selecting it; an empty key removes the highlight."""
        if key != self._lit:
            before, self._lit = self._lit, key
            self._emit_changed(place for place, row in enumerate(self.rows) if row.key in (before, key))

    def _emit_changed(self, places: Iterable[int]) -> None:
        """Emit that these rows have changed; emit as few as possible, because the proxy sorts each one again."""
        for place in places:
            self.dataChanged.emit(self.index(place, 0), self.index(place, len(self.columns) - 1))

    def _mark(self, row: TableRow, role: int) -> Any:
        """Return the row's check state, or the dot in its color."""
        if role == Qt.ItemDataRole.CheckStateRole and self.checkable and row.tickable:
            return Qt.CheckState.Checked if row.key in self._checked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and row.series:
            return dot(palette.find_series_color(row.series), palette.has_second_line(row.series))
        return None

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if self.columns[column].numeric else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter


class NumberSortProxy(QSortFilterProxyModel):
    """Sort proxy that sorts by the values; rows without a value come last in ascending order."""

    def __init__(self, source: NumberModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._source = source
        self.setSourceModel(source)

    def look(self, index: Index) -> Hashable:
        """Return what the width of a cell depends on: its column, its text, and whether a box or a dot leads it."""
        row, column = self._source.rows[self.mapToSource(index).row()], index.column()
        mark = (self._source.checkable and row.tickable, bool(row.series)) if column == 0 else ()
        return column, self._source.columns[column].write(row.values[column]), mark

    def lessThan(self, left: Index, right: Index) -> bool:
        return self._rank(left) < self._rank(right)

    def _rank(self, index: Index) -> tuple[int, float, str]:
        """Return the sort key of a value, read from the rows.

        Reading it through the index takes ten times as long, and a sort reads thousands of them.
        """
        return _rank(self._source.rows[index.row()].values[index.column()])


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return (2, 0.0, "") if value != value else (0, float(value), "")
    return (2, 0.0, "") if value is None else (1, 0.0, str(value).casefold())


@cache
def dot(color: str, is_ring: bool = False) -> QIcon:
    """Return a round dot in one color, or a ring: the sign of the second kind of line."""
    pixmap = QPixmap(DOT_PX * DOT_RATIO, DOT_PX * DOT_RATIO)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(color), 2 * DOT_RATIO) if is_ring else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if is_ring else QColor(color))
    middle = DOT_PX * DOT_RATIO // 2
    radius = middle - (2 if is_ring else 1) * DOT_RATIO
    painter.drawEllipse(QPoint(middle, middle), radius, radius)
    painter.end()
    made = QIcon(pixmap)
    # A selected row must not tint it.
    made.addPixmap(pixmap, QIcon.Mode.Selected)
    return made
