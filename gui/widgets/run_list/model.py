"""Model of a list of runs: rows below groups, the eye of each, how they are filtered and sorted."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor

from gui import palette
from gui.theme import icon
from gui.widgets.labels import plain_tip
from gui.widgets.number_model import TableColumn, TableRow, dot

Index = QModelIndex | QPersistentModelIndex
EYE_TITLE = ""
NO_GROUP = 0
NAME_PX, ROW_PX = 90, 25


@dataclass(frozen=True)
class RunRow(TableRow):
    """Row of a run: the group that it belongs to, if any, and further words that the filter finds it by.

    A pinned row comes first in every order. Lists of models leave out a row that is not ready.
    """

    group: str = ""
    words: str = ""
    is_pinned: bool = False
    is_ready: bool = True


@dataclass(frozen=True)
class Branch:
    """A top-level row, with those below it if it is a group."""

    row: RunRow
    children: tuple[RunRow, ...] = ()


MakeGroup = Callable[[str, list[RunRow]], RunRow]


def arrange_rows(rows: Sequence[RunRow], make_group: MakeGroup) -> list[Branch]:
    """Return the rows as branches; a group stands where its first row would stand."""
    members: dict[str, list[RunRow]] = {}
    for row in rows:
        members.setdefault(row.group or row.key, []).append(row)
    return [
        Branch(make_group(name, group), tuple(group)) if group[0].group else Branch(group[0])
        for name, group in members.items()
    ]


def group_name_row(name: str, rows: list[RunRow]) -> RunRow:
    """Return the row of a group: its name and the number of its rows."""
    return RunRow(f"group {name}", (f"{name} ({len(rows)})", *rows[0].values[1:]))


class RunListModel(QAbstractItemModel):
    """Tree of two levels that all lists share; its last column is the eye, which shows a run in the plots.

    An eye is open by itself if its row is one of the `chosen` ones, or because the user opened it.
    """

    eyes_changed = Signal()

    def __init__(
        self, columns: Sequence[TableColumn], make_group: MakeGroup = group_name_row, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.columns = columns
        self.branches: list[Branch] = []
        self._make_group = make_group
        # An eye that differs from the choice, by key.
        self._eyes: dict[str, bool] = {}
        self._chosen: list[str] = []

    def rows(self) -> list[RunRow]:
        """Return the rows of all runs."""
        return [row for branch in self.branches for row in branch.children or (branch.row,)]

    def is_shown(self, key: str) -> bool:
        """Return whether a row's eye is open."""
        return self._eyes.get(key, key in self._chosen)

    def shown_keys(self) -> list[str]:
        """Return the keys of all rows with an open eye, the chosen ones first."""
        others = [key for key, is_open in self._eyes.items() if is_open and key not in self._chosen]
        known = {row.key for row in self.rows()}
        return [key for key in self._chosen if self._eyes.get(key, True)] + [key for key in others if key in known]

    def set_chosen(self, keys: Sequence[str]) -> None:
        """Open the eyes of these rows; forget the closed eyes of others, which have nothing to hide."""
        self._chosen = list(keys)
        self._eyes = {key: is_open for key, is_open in self._eyes.items() if is_open or key in self._chosen}
        self.eyes_changed.emit()

    def set_eyes(self, keys: Collection[str]) -> None:
        """Open the eyes of these rows, whether they are chosen or not."""
        self._eyes = dict.fromkeys(keys, True)
        self.eyes_changed.emit()

    def opened_eyes(self) -> list[str]:
        """Return the keys whose eye the user has opened."""
        return [key for key, is_open in self._eyes.items() if is_open]

    def toggle_eye(self, key: str) -> None:
        """Open or close the eye of a row."""
        is_open = not self.is_shown(key)
        self._eyes.pop(key, None)
        if self.is_shown(key) != is_open:
            self._eyes[key] = is_open
        self.eyes_changed.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        if not parent.isValid():
            return len(self.branches)
        is_top = parent.internalId() == NO_GROUP and parent.column() == 0
        return len(self.branches[parent.row()].children) if is_top else 0

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return len(self.columns) + 1

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008 - Qt's own
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else NO_GROUP)

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]
        branch = index.internalId() if index.isValid() else NO_GROUP
        return QModelIndex() if branch == NO_GROUP else self.createIndex(branch - 1, 0, NO_GROUP)

    def row_at(self, index: Index) -> RunRow:
        """Return the row of an index."""
        if index.internalId() == NO_GROUP:
            return self.branches[index.row()].row
        return self.branches[index.internalId() - 1].children[index.row()]

    def is_group(self, index: Index) -> bool:
        return index.internalId() == NO_GROUP and bool(self.branches[index.row()].children)

    def flags(self, index: Index) -> Qt.ItemFlag:
        wanted = Qt.ItemFlag.ItemIsEnabled
        return wanted if self.is_group(index) else wanted | Qt.ItemFlag.ItemIsSelectable

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if section == len(self.columns):
            return {Qt.ItemDataRole.DisplayRole: EYE_TITLE, Qt.ItemDataRole.ToolTipRole: "Show in the plots"}.get(role)  # type: ignore[call-overload]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        return int(self._side(section)) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = self.row_at(index), index.column()
        if column == len(self.columns):
            return None if self.is_group(index) else self._eye(row.key, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[column].write(row.values[column])
        if role == Qt.ItemDataRole.SizeHintRole and column == 0:
            return QSize(NAME_PX, ROW_PX)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(self._side(column))
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(row.tip) or None
        if role == Qt.ItemDataRole.ForegroundRole and column in row.roles:
            return QColor(getattr(palette.current(), row.roles[column]))
        if role == Qt.ItemDataRole.DecorationRole and column == 0 and row.series:
            return dot(palette.find_series_color(row.series), palette.has_second_line(row.series))
        return None

    def show(self, rows: Sequence[RunRow]) -> None:
        """Replace the rows; every index changes if their places do."""
        before, found = self.branches, arrange_rows(rows, self._make_group)
        if [_keys(branch) for branch in found] != [_keys(branch) for branch in before]:
            self.beginResetModel()
            self.branches = found
            self.endResetModel()
            return
        self.branches = found
        for place, (old, new) in enumerate(zip(before, found, strict=True)):
            self._emit_changed(QModelIndex(), [place] if old.row != new.row else [])
            pairs = enumerate(zip(old.children, new.children, strict=True))
            self._emit_changed(self.index(place, 0), [at for at, (one, other) in pairs if one != other])

    def _emit_changed(self, parent: QModelIndex, places: Sequence[int]) -> None:
        for place in places:
            self.dataChanged.emit(self.index(place, 0, parent), self.index(place, len(self.columns), parent), [])

    def _eye(self, key: str, role: int) -> Any:
        shown = self.is_shown(key)
        if role == Qt.ItemDataRole.DecorationRole:
            colors = palette.current()
            return icon("eye", colors.accent) if shown else icon("eye-off", colors.quiet)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return "shown in the plots" if shown else "not shown in the plots"
        return None

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if self.columns[column].numeric else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter


def _keys(branch: Branch) -> tuple[str, ...]:
    return (branch.row.key, *(row.key for row in branch.children))


class RunListProxy(QSortFilterProxyModel):
    """Sort by values and filter by words: a row stays if each word, a regular expression, is found in it.

    Args:
        source: the rows, which other lists share.
        is_kept: returns whether the row of a key stays whatever the words.
        checkable: whether each run has a box.
        only_ready: whether to leave out runs that are not ready.
    """

    checked_changed = Signal(list)

    def __init__(
        self, source: RunListModel, is_kept: Callable[[str], bool], checkable: bool = False, only_ready: bool = False
    ) -> None:
        super().__init__()
        self.source, self._is_kept = source, is_kept
        self._checkable, self._only_ready = checkable, only_ready
        self._checked: set[str] = set()
        self._patterns: list[re.Pattern[str]] = []
        self.setRecursiveFilteringEnabled(True)
        self.setAutoAcceptChildRows(False)
        self.setSourceModel(source)

    def set_filter(self, text: str) -> None:
        """Keep the rows in which every word of a text is found."""
        self._patterns = [_compile(word) for word in text.split()]
        self.invalidate()

    def checked(self) -> list[str]:
        """Return the keys of the checked rows, in the order of the rows."""
        return [row.key for row in self.source.rows() if row.key in self._checked]

    def set_checked(self, keys: Collection[str]) -> None:
        """Check these rows and no others."""
        if set(keys) != self._checked:
            self._checked = set(keys)
            if self.rowCount():  # a filter may leave none
                self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 0), [])
            self.checked_changed.emit(self.checked())

    def row_at(self, index: Index) -> RunRow | None:
        """Return the row of a run. Returns None for a group, and for no index."""
        found = self.mapToSource(index)
        return None if not found.isValid() or self.source.is_group(found) else self.source.row_at(found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.CheckStateRole and self._checkable and not index.column():
            row = self.row_at(index)
            if row is not None:
                return Qt.CheckState.Checked if row.key in self._checked else Qt.CheckState.Unchecked
        return super().data(index, role)

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        index = self.source.index(row, 0, parent)
        if not self._patterns and not self._only_ready:
            return True
        found = self.source.row_at(index)
        if self.source.is_group(index) or (self._only_ready and not found.is_ready):
            return False
        text = f"{found.key} {found.words}".strip()
        return self._is_kept(found.key) or all(pattern.search(text) for pattern in self._patterns)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = self.source.row_at(left), self.source.row_at(right)
        if one.is_pinned != other.is_pinned:
            return one.is_pinned == (self.sortOrder() == Qt.SortOrder.AscendingOrder)
        column = min(left.column(), len(self.source.columns) - 1)
        return rank(one.values[column]) < rank(other.values[column])


def _compile(word: str) -> re.Pattern[str]:
    try:
        return re.compile(word, re.IGNORECASE)
    except re.error:
        return re.compile(re.escape(word), re.IGNORECASE)


def rank(value: Any) -> tuple[int, str, float]:
    """Return the sort key of a value: texts by letters, numbers by unit and size, what is missing last.

    Example:
        >>> sorted([("nats", 3.0), ("MSE", 0.2), ("MSE", 0.1)], key=rank)
        [('MSE', 0.1), ('MSE', 0.2), ('nats', 3.0)]
    """
    unit, number = value if isinstance(value, tuple) else ("", value)
    if isinstance(number, int | float):
        return (1, "", 0.0) if number != number else (0, unit, float(number))
    return (1, "", 0.0) if number is None else (0, str(number).casefold(), 0.0)
