"""The list of runs as a widget: a filter box above a tree with sortable columns."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QMenu, QTreeView, QVBoxLayout, QWidget

from gui.widgets.number_model import TableColumn
from gui.widgets.number_table import select_rows
from gui.widgets.run_list.model import MakeGroup, RunListModel, RunListProxy, RunRow

EYE_PX, ICON_PX, INDENT_PX = 28, 14, 14
TITLE_MARGIN_PX, ARROW_PX = 19, 14
FILTER = "Filter: name, tag, model, state"
FILTER_TIP = "Keep the runs in which every word is found. A word may be a regular expression, such as vae.*64."


def group_name_row(name: str, rows: list[RunRow]) -> RunRow:
    """Return the row of a group: its name and the number of its rows."""
    return RunRow(f"group {name}", (f"{name} ({len(rows)})", *rows[0].values[1:]))


class RunListHeader(QHeaderView):
    """Header whose sections are as narrow as their titles, with room for an arrow only where there is one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.sortIndicatorChanged.connect(lambda *_: self.resizeSections())

    def sectionSizeFromContents(self, logicalIndex: int) -> QSize:  # noqa: N803 - Qt's own name
        size = super().sectionSizeFromContents(logicalIndex)
        title = str(self.model().headerData(logicalIndex, self.orientation()) or "")
        arrow = ARROW_PX * (logicalIndex == self.sortIndicatorSection())
        return QSize(self.fontMetrics().horizontalAdvance(title) + TITLE_MARGIN_PX + arrow, size.height())

    def fit_columns(self) -> None:
        """Let the first column take the remaining width; the last one, with the eyes, has one of its own."""
        last, mode = self.model().columnCount() - 1, QHeaderView.ResizeMode
        self.setStretchLastSection(False)
        for place in range(last):
            self.setSectionResizeMode(place, mode.Stretch if place == 0 else mode.ResizeToContents)
        self.setSectionResizeMode(last, mode.Fixed)
        self.resizeSection(last, EYE_PX)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the columns; the first one always stays."""
        menu = QMenu(self)
        for place in range(1, self.model().columnCount() - 1):
            action = menu.addAction(str(self.model().headerData(place, self.orientation())))
            action.setCheckable(True)
            action.setChecked(not self.isSectionHidden(place))
            action.toggled.connect(lambda shown, place=place: self.setSectionHidden(place, not shown))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(event.globalPos())


class RunTree(QTreeView):
    """Tree of runs; Enter or a double-click opens a run, V opens or closes its eye."""

    chosen = Signal(list)
    opened = Signal(str)
    hovered = Signal(str)
    eyes_changed = Signal()

    def __init__(self, columns: Sequence[TableColumn], make_group: MakeGroup = group_name_row) -> None:
        super().__init__()
        self._make_group = make_group
        # An eye that differs from the selection, by key.
        self._eyes: dict[str, bool] = {}
        self._chosen: set[str] = set()
        self._listed = RunListModel(columns, self.is_shown, self)
        self._order = RunListProxy(self._listed, lambda key: key in self._chosen)
        self.setModel(self._order)
        self._prepare()
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.doubleClicked.connect(self._on_opened)
        self.entered.connect(lambda index: self.hovered.emit(self._key(index)))
        self.viewportEntered.connect(lambda: self.hovered.emit(""))

    def _prepare(self) -> None:
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setIndentation(INDENT_PX)
        self.setRootIsDecorated(False)
        self.setIconSize(QSize(ICON_PX, ICON_PX))
        self.setSortingEnabled(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = RunListHeader(self)
        self.setHeader(header)
        header.setMinimumSectionSize(EYE_PX)
        header.setSectionsClickable(True)
        header.setSectionsMovable(False)
        header.fit_columns()
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)

    def set_rows(self, rows: Sequence[RunRow]) -> None:
        """Show these rows; keep the selection, and which groups are open."""
        chosen, opened = self.chosen_keys(), self.open_groups()
        if self._listed.show(rows, self._make_group):
            self.setRootIsDecorated(any(branch.children for branch in self._listed.branches))
            self.set_open_groups(opened)
            if chosen and chosen != self.chosen_keys():
                self.select(chosen)
            self._chosen = set(self.chosen_keys())

    def set_filter(self, text: str) -> None:
        """Keep the rows in which every word of a text is found, and the selected ones; open the groups."""
        self._order.set_filter(text)
        if text:
            self.expandAll()

    def is_shown(self, key: str) -> bool:
        """Return whether a row's eye is open: by itself if the row is selected, or because the user opened it."""
        return self._eyes.get(key, key in self._chosen)

    def shown_keys(self) -> list[str]:
        """Return the keys of all rows with an open eye, the selected ones first, in the order of the list."""
        chosen = self.chosen_keys()
        others = [key for key, is_open in self._eyes.items() if is_open and key not in chosen]
        known = {row.key for row in self._rows()}
        return [key for key in chosen if self._eyes.get(key, True)] + [key for key in others if key in known]

    def set_eyes(self, keys: Collection[str]) -> None:
        """Open the eyes of these rows, whether they are selected or not."""
        self._eyes = dict.fromkeys(keys, True)
        self.viewport().update()

    def opened_eyes(self) -> list[str]:
        """Return the keys whose eye the user has opened."""
        return [key for key, is_open in self._eyes.items() if is_open]

    def toggle_eye(self, key: str) -> None:
        """Open or close the eye of a row."""
        is_open = not self.is_shown(key)
        self._eyes.pop(key, None)
        if self.is_shown(key) != is_open:
            self._eyes[key] = is_open
        self.viewport().update()
        self.eyes_changed.emit()

    def open_groups(self) -> list[str]:
        """Return the keys of the groups that are open."""
        return [self._key(index) for index in self._top_indices() if self.isExpanded(index)]

    def set_open_groups(self, keys: Collection[str]) -> None:
        for index in self._top_indices():
            self.setExpanded(index, self._key(index) in keys)

    def chosen_keys(self) -> list[str]:
        return [self._key(index) for index in self.selectionModel().selectedRows()]

    def select(self, keys: Collection[str]) -> None:
        """Select these rows and no others, open their groups, and scroll to the first."""
        select_rows(self, [index for index in self._indices() if self._key(index) in keys])

    def key_at(self, place: QPoint) -> str | None:
        """Return the key of the run at a point of the viewport, or None."""
        index = self.indexAt(place)
        return self._key(index) or None if index.isValid() and not self._is_group(index) else None

    def text(self, row: int, column: int) -> str:
        """Return the text of a cell of a top-level row, in the current order."""
        return str(self._order.index(row, column).data())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Toggle an eye without selecting its row; open or close a group with a click anywhere on it."""
        index = self.indexAt(event.position().toPoint())
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
        elif self._is_group(index):
            top = index.siblingAtColumn(0)
            self.setExpanded(top, not self.isExpanded(top))
        elif index.column() == len(self._listed.columns):
            self.toggle_eye(self._key(index))
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        is_run = index.isValid() and not self._is_group(index)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self._on_opened(index)
        elif event.key() == Qt.Key.Key_V and is_run:
            self.toggle_eye(self._key(index))
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit("")

    def _on_selection_changed(self) -> None:
        """Forget the closed eyes of rows that are not selected any more: there is nothing to hide."""
        chosen = self.chosen_keys()
        self._chosen = set(chosen)
        self._eyes = {key: is_open for key, is_open in self._eyes.items() if is_open or key in chosen}
        self.viewport().update()
        self.chosen.emit(chosen)

    def _on_opened(self, index: QModelIndex) -> None:
        if self._is_group(index):
            self.setExpanded(index.siblingAtColumn(0), not self.isExpanded(index.siblingAtColumn(0)))
        else:
            self.opened.emit(self._key(index))

    def _is_group(self, index: QModelIndex) -> bool:
        return self._listed.is_group(self._order.mapToSource(index))

    def _key(self, index: QModelIndex) -> str:
        return self._listed.row_at(self._order.mapToSource(index)).key

    def _rows(self) -> Iterator[RunRow]:
        for branch in self._listed.branches:
            yield from branch.children or (branch.row,)

    def _top_indices(self) -> list[QModelIndex]:
        tops = [self._order.index(row, 0) for row in range(self._order.rowCount())]
        return [index for index in tops if self._is_group(index)]

    def _indices(self) -> Iterator[QModelIndex]:
        """Yield the indices of all runs that the filter leaves."""
        for row in range(self._order.rowCount()):
            top = self._order.index(row, 0)
            if self._is_group(top):
                yield from (self._order.index(child, 0, top) for child in range(self._order.rowCount(top)))
            else:
                yield top


class RunList(QWidget):
    """A filter box and the tree of runs below it."""

    state_changed = Signal()

    def __init__(self, tree: RunTree) -> None:
        super().__init__()
        self.tree, self.filter = tree, QLineEdit()
        self.filter.setPlaceholderText(FILTER)
        self.filter.setToolTip(FILTER_TIP)
        self.filter.setAccessibleName("filter of the runs")
        self.filter.setClearButtonEnabled(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.filter)
        column.addWidget(tree, 1)
        self.filter.textChanged.connect(tree.set_filter)
        for signal in (tree.eyes_changed, tree.expanded, tree.collapsed, tree.header().sortIndicatorChanged):
            signal.connect(lambda *_: self.state_changed.emit())

    def save_state(self) -> dict[str, Any]:
        header, columns = self.tree.header(), range(1, self.tree.model().columnCount() - 1)
        return {
            "eyes": self.tree.opened_eyes(),
            "groups": self.tree.open_groups(),
            "hidden": [place for place in columns if self.tree.isColumnHidden(place)],
            "sort": [header.sortIndicatorSection(), header.sortIndicatorOrder().value],
        }

    def restore_state(self, kept: dict[str, Any]) -> None:
        """Restore what `save_state` returned; any part of it may be missing or invalid."""
        texts = {
            name: [key for key in kept.get(name) or () if isinstance(key, str)]
            for name in ("eyes", "groups")
            if isinstance(kept.get(name), list)
        }
        self.tree.set_eyes(texts.get("eyes", ()))
        self.tree.set_open_groups(texts.get("groups", ()))
        hidden, sort = kept.get("hidden"), kept.get("sort")
        if isinstance(hidden, list):
            for place in range(1, self.tree.model().columnCount() - 1):
                self.tree.setColumnHidden(place, place in hidden)
        if isinstance(sort, list) and len(sort) == 2 and all(isinstance(each, int) for each in sort):
            order = Qt.SortOrder.DescendingOrder if sort[1] else Qt.SortOrder.AscendingOrder
            self.tree.sortByColumn(sort[0] if sort[0] < self.tree.model().columnCount() else -1, order)
