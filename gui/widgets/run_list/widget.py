"""The list of runs as a widget: a filter box above a tree with sortable columns."""

from collections.abc import Collection, Iterator
from enum import Enum
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QMenu, QTreeView, QVBoxLayout, QWidget

from gui.widgets.number_table import select_rows
from gui.widgets.run_list.model import RunListModel, RunListProxy

EYE_PX, ICON_PX, INDENT_PX = 28, 14, 14
TITLE_MARGIN_PX, ARROW_PX = 19, 14
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
TREE_KEYS = (*ENTER, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
FILTER = "Filter: name, tag, model, state"
FILTER_TIP = "Keep the runs in which every word is found. A word may be a regular expression, such as vae.*64."


class ListMode(Enum):
    """What a list is for: to select runs, to check several, or to pick one."""

    SELECT = "select"
    CHECK = "check"
    PICK = "pick"


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
    """View of the shared runs, with a filter, an order, open groups and a choice of its own.

    Enter, or a double-click, opens a run in a list to select; it checks or picks in others, as a click does there. V
    opens or closes an eye.
    """

    chosen = Signal(list)
    opened = Signal(str)
    checked_changed = Signal(list)
    hovered = Signal(str)

    def __init__(self, runs: RunListModel, mode: ListMode = ListMode.SELECT) -> None:
        super().__init__()
        self.runs, self.mode = runs, mode
        self._chosen: list[str] = []
        self._kept: tuple[list[str], list[str]] = [], []
        self._groups_before: list[str] | None = None
        is_select = mode is ListMode.SELECT
        self._order = RunListProxy(
            runs, lambda key: is_select and key in self._chosen, mode is ListMode.CHECK, only_ready=not is_select
        )
        self._order.setParent(self)
        self.setModel(self._order)
        self._prepare()
        self._order.checked_changed.connect(self.checked_changed)
        self._order.modelAboutToBeReset.connect(self._on_reset_begins)
        self._order.modelReset.connect(self._on_reset)
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)
        runs.eyes_changed.connect(self.viewport().update)
        if is_select:
            self.doubleClicked.connect(self._on_opened)
        self.entered.connect(lambda index: self.hovered.emit(self._key(index)))
        self.viewportEntered.connect(lambda: self.hovered.emit(""))

    def _prepare(self) -> None:
        kinds, several = QAbstractItemView.SelectionMode, self.mode is ListMode.SELECT
        self.setSelectionMode(kinds.ExtendedSelection if several else kinds.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setIndentation(INDENT_PX)
        self.setRootIsDecorated(any(branch.children for branch in self.runs.branches))
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

    def set_filter(self, text: str) -> None:
        """Keep the rows in which every word of a text is found, and selected ones; open groups while there is a text.

        In a list to check or to pick, the first run found becomes the current one, so that Enter takes it.
        """
        if text and self._groups_before is None:
            self._groups_before = self.open_groups()
        self._order.set_filter(text)
        if text:
            self.expandAll()
        elif self._groups_before is not None:
            self.set_open_groups(self._groups_before)
            self._groups_before = None
        if text and self.mode is not ListMode.SELECT and (first := next(self._indices(), None)) is not None:
            self.setCurrentIndex(first)

    def checked(self) -> list[str]:
        return self._order.checked()

    def set_checked(self, keys: Collection[str]) -> None:
        self._order.set_checked(keys)

    def marked_keys(self) -> list[str]:
        """Return the keys that an action on several runs applies to: the checked ones, or the selected ones."""
        return self.checked() if self.mode is ListMode.CHECK else self.chosen_keys()

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
        elif index.column() == len(self.runs.columns):
            self.runs.toggle_eye(self._key(index))
        else:
            super().mousePressEvent(event)
            if self.mode is not ListMode.SELECT:
                self._on_opened(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        is_run = index.isValid() and not self._is_group(index)
        keys = (*ENTER, Qt.Key.Key_Space) if is_run and self.mode is ListMode.CHECK else ENTER
        if event.key() in keys and index.isValid():
            self._on_opened(index)
        elif event.key() == Qt.Key.Key_V and is_run:
            self.runs.toggle_eye(self._key(index))
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit("")

    def _on_selection_changed(self) -> None:
        self._chosen = self.chosen_keys()
        if self.mode is ListMode.SELECT:
            self.runs.set_chosen(self._chosen)
        self.chosen.emit(self._chosen)

    def _on_opened(self, index: QModelIndex) -> None:
        """Open or close a group; check, pick or open a run."""
        key = self._key(index)
        if self._is_group(index):
            self.setExpanded(index.siblingAtColumn(0), not self.isExpanded(index.siblingAtColumn(0)))
        elif self.mode is ListMode.CHECK:
            checked = self.checked()
            self.set_checked([each for each in checked if each != key] if key in checked else [*checked, key])
        else:
            self.opened.emit(key)

    def _on_reset_begins(self) -> None:
        self._kept = self.chosen_keys(), self.open_groups()

    def _on_reset(self) -> None:
        """Keep the selection, and which groups are open."""
        chosen, opened = self._kept
        self.setRootIsDecorated(any(branch.children for branch in self.runs.branches))
        self.set_open_groups(opened)
        if self._groups_before is not None:
            self.expandAll()
        if chosen and chosen != self.chosen_keys():
            self.select(chosen)
        if self.chosen_keys() != self._chosen:
            self._on_selection_changed()

    def _is_group(self, index: QModelIndex) -> bool:
        return self.runs.is_group(self._order.mapToSource(index))

    def _key(self, index: QModelIndex) -> str:
        return self.runs.row_at(self._order.mapToSource(index)).key

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
    """A filter box and the tree of runs below it: in the box, the arrow keys move in the tree and Enter chooses."""

    state_changed = Signal()

    def __init__(self, tree: RunTree) -> None:
        super().__init__()
        self.tree, self.filter = tree, QLineEdit()
        self.filter.setPlaceholderText(FILTER)
        self.filter.setToolTip(FILTER_TIP)
        self.filter.setAccessibleName("filter of the runs")
        self.filter.setClearButtonEnabled(True)
        self.filter.installEventFilter(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.filter)
        column.addWidget(tree, 1)
        self.filter.textChanged.connect(tree.set_filter)
        for signal in (tree.expanded, tree.collapsed, tree.header().sortIndicatorChanged):
            signal.connect(lambda *_: self.state_changed.emit())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass the keys that move and choose from the box to the tree."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in TREE_KEYS:
            self.tree.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def save_state(self) -> dict[str, Any]:
        header, columns = self.tree.header(), range(1, self.tree.model().columnCount() - 1)
        return {
            "groups": self.tree.open_groups(),
            "hidden": [place for place in columns if self.tree.isColumnHidden(place)],
            "sort": [header.sortIndicatorSection(), header.sortIndicatorOrder().value],
        }

    def restore_state(self, kept: dict[str, Any]) -> None:
        """Restore what `save_state` returned; any part of it may be missing or invalid."""
        groups, hidden, sort = kept.get("groups"), kept.get("hidden"), kept.get("sort")
        self.tree.set_open_groups([key for key in groups if isinstance(key, str)] if isinstance(groups, list) else ())
        if isinstance(hidden, list):
            for place in range(1, self.tree.model().columnCount() - 1):
                self.tree.setColumnHidden(place, place in hidden)
        if isinstance(sort, list) and len(sort) == 2 and all(isinstance(each, int) for each in sort):
            order = Qt.SortOrder.DescendingOrder if sort[1] else Qt.SortOrder.AscendingOrder
            self.tree.sortByColumn(sort[0] if sort[0] < self.tree.model().columnCount() else -1, order)
