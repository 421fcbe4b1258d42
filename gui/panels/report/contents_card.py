"""Contents of a study: a list, and the chosen item: a figure to zoom, or a table to read."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStackedWidget, QWidget

from gui.panels.report.contents import ContentsItem
from gui.widgets.buttons import Button, IconButton
from gui.widgets.card import Card
from gui.widgets.figure_view import FigureView
from gui.widgets.labels import label
from gui.widgets.text_table import TextTable

# Minimum height.
LIST_PX = 150
TITLE = "Tables and figures"
EMPTY = "Tables and figures appear here when the study has finished."
KEY = Qt.ItemDataRole.UserRole


class ContentsCard(Card):
    """Card of one item; the choice survives while the study continues. `index` is the list, placed elsewhere."""

    chosen = Signal(str)
    save_wanted = Signal(object)
    export_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(TITLE)
        self.index = Card(TITLE)
        self.list, self.figure, self.table = QListWidget(), FigureView(), TextTable()
        self.empty = label(EMPTY, role="quiet", wrap=True)
        self.caption = label(role="caption", wrap=True)
        self.smaller, self.larger = IconButton("minus", "Zoom out"), IconButton("plus", "Zoom in")
        self.fit = IconButton("maximise", "Fit the figure")
        self.save, self.export = Button("Save…"), Button("Export all…", icon_name="export")
        self._stack = QStackedWidget()
        self._items: dict[str, ContentsItem] = {}
        self._shown: ContentsItem | None = None
        self._lay_out()
        self._connect()
        self.show_items([])

    def _lay_out(self) -> None:
        self.list.setMinimumHeight(LIST_PX)
        self.list.setProperty("kind", "contents")
        self.list.setAccessibleName("tables and figures")
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setAccessibleName("table")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for part in (self.empty, self.figure, self.table):
            self._stack.addWidget(part)
        self.add(self._stack, 1)
        self.add(self.caption)
        self.index.add(self.list, 1)
        for action in (self.smaller, self.larger, self.fit, self.save, self.export):
            self.add_action(action)

    def _connect(self) -> None:
        self.list.currentItemChanged.connect(self._on_current_changed)
        self.smaller.clicked.connect(lambda: self.figure.zoom(-1))
        self.larger.clicked.connect(lambda: self.figure.zoom(1))
        self.fit.clicked.connect(self.figure.fit)
        self.save.clicked.connect(lambda: self.save_wanted.emit(self._shown))
        self.export.clicked.connect(self.export_wanted)

    def show_items(self, items: Sequence[ContentsItem], key: str = "") -> None:
        """List these; show the item with that key, else the current one, else the first."""
        before = key or (self._shown.key if self._shown else "")
        self._items = {item.key: item for item in items}
        self.list.blockSignals(True)
        self.list.clear()
        for item in items:
            entry = QListWidgetItem(item.title)
            entry.setData(KEY, item.key)
            entry.setToolTip(item.title)
            self.list.addItem(entry)
        self.list.blockSignals(False)
        self.index.setVisible(bool(items))
        self.export.setEnabled(any(item.files for item in items))
        self.choose(before if before in self._items else next(iter(self._items), ""))

    def choose(self, key: str) -> None:
        """Show one of the items."""
        for row in range(self.list.count()):
            if self.list.item(row).data(KEY) == key:
                self.list.setCurrentRow(row)
        self._show(self._items.get(key))

    def shown(self) -> ContentsItem | None:
        return self._shown

    def _on_current_changed(self, now: QListWidgetItem | None, before: QListWidgetItem | None) -> None:
        if now is not None:
            self._show(self._items.get(now.data(KEY)))
            self.chosen.emit(now.data(KEY))

    def _show(self, item: ContentsItem | None) -> None:
        same = item == self._shown and item is not None
        self._shown = item
        is_figure = item is not None and item.kind == "figure"
        for button in (self.smaller, self.larger, self.fit):
            button.setVisible(is_figure)
        self.save.setVisible(item is not None and bool(item.files))
        self.set_title(item.title if item else TITLE)
        self.caption.setText(item.caption if item else "")
        self.caption.setVisible(bool(item and item.caption))
        page: QWidget = self.empty
        if item and is_figure:
            page = self.figure
            if not same and not self.figure.show_figure(item.files.get("png")):
                self.empty.setText(f"{item.title} could not be read. Start the study again to recreate it.")
                page = self.empty
        elif item:
            page = self.table
            self.table.show_rows(item.head, item.rows, item.left)
        else:
            self.empty.setText(EMPTY)
        self._stack.setCurrentWidget(page)
