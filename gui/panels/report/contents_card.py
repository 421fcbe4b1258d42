"""Contents of a study: a list, the chosen item (a figure to zoom, or a table to read), and their export."""

import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QListWidget, QListWidgetItem, QStackedWidget, QWidget

from engine.study_folder import StudyFolder
from gui.widgets.buttons import Button, IconButton
from gui.widgets.card import Card
from gui.widgets.figure_view import FigureView
from gui.widgets.labels import label
from gui.widgets.text_table import TextTable

RUNS_HEAD = ("Run", "Model", "State", "Epochs", "Best", "Validation loss", "Learning rate", "Batch", "Latent")
LEFT = 3
# Minimum height.
LIST_PX = 150
TITLE = "Tables and figures"
EMPTY = "Tables and figures appear here when the study has finished."
KEY = Qt.ItemDataRole.UserRole
KINDS = {"png": "PNG image (*.png)", "pdf": "PDF (*.pdf)", "csv": "CSV table (*.csv)", "md": "Markdown (*.md)"}


@dataclass(frozen=True)
class ContentsItem:
    """One item to show.

    Args:
        key: its key.
        title: its title.
        kind: 'table' or 'figure'.
        caption: a sentence or more below it.
        head: titles of a table's columns.
        rows: texts of a table.
        left: how many of its columns are words.
        files: kind of file -> path, such as 'png' and 'pdf'.
    """

    key: str
    title: str
    kind: str
    caption: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    left: int = 1
    files: Mapping[str, Path] = field(default_factory=dict)


def items(record: Mapping[str, Any], folder: Path) -> list[ContentsItem]:
    """List the contents of a study: the numbers first, then the current state of its runs, then tables and figures.

    Invalid entries are skipped: the file may be of another version, or damaged.
    """
    found = [item for entry in record.get("contents") or [] if (item := _item(entry, folder))]
    runs = [run for run in record.get("runs") or [] if isinstance(run, Mapping)]
    numbers = [item for item in found if item.key == "numbers"]
    others = [item for item in found if item.key not in ("numbers", "runs")]
    now = (
        [ContentsItem("runs", "Runs", "table", head=RUNS_HEAD, rows=[_run(run) for run in runs], left=LEFT)]
        if runs
        else []
    )
    return [*numbers, *now, *others]


def _item(entry: Any, folder: Path) -> ContentsItem | None:
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(key), str) for key in ("key", "title", "kind")):
        return None
    files = {str(kind): folder / str(path) for kind, path in dict(entry.get("files") or {}).items()}
    rows = [[str(cell) for cell in row] for row in entry.get("rows") or []]
    head = [str(title) for title in entry.get("head") or []]
    if entry["kind"] == "table" and any(len(row) != len(head) for row in rows):
        return None
    left = entry.get("left")
    return ContentsItem(
        entry["key"],
        entry["title"],
        entry["kind"],
        str(entry.get("caption") or ""),
        head,
        rows,
        left if isinstance(left, int) else 1,
        files,
    )


def _run(run: Mapping[str, Any]) -> list[str]:
    done, goal = run.get("epochs_done"), run.get("epochs")
    loss = run.get("best_loss")
    shown = "–" if not isinstance(loss, int | float) else f"{loss:,.1f} nats per image" if loss > 1 else f"{loss:.6f}"
    settings = [_number(run.get(name)) for name in ("learning_rate", "batch_size", "latent")]
    words = [str(run.get("name", "")), str(run.get("model", "")).upper(), str(run.get("state", ""))]
    return [*words, f"{_number(done)} of {_number(goal)}", _number(run.get("best_epoch")), shown, *settings]


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "–"


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


class ReportExporter(QObject):
    """Exporter that asks for a path and writes; `failed` carries the reason as a sentence."""

    failed = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.ask_path: Callable[..., tuple[str, str]] = QFileDialog.getSaveFileName

    def save(self, item: ContentsItem) -> None:
        """Write a table or figure in one of its file formats."""
        filters = {KINDS[kind]: path for kind, path in item.files.items() if kind in KINDS}
        first = next(iter(item.files.values()), Path(item.key))
        path, kind = self.ask_path(self._window, f"Save {item.title}", first.name, ";;".join(filters))
        if path:
            source = item.files.get(Path(path).suffix.lstrip("."), filters.get(kind, first))
            self._write(lambda: shutil.copyfile(source, path), path)

    def export(self, study: StudyFolder) -> None:
        """Write page, tables, figures and numbers of a study into one archive, without its runs."""
        if not study.page.exists():
            self.failed.emit("Nothing to export yet. Wait until the study has finished.")
            return
        path, _ = self.ask_path(self._window, "Export study", f"{study.path.name}.zip", "Archive (*.zip)")
        if path:
            self._write(lambda: write_archive(study, Path(path)), path)

    def _write(self, do: Callable[[], object], path: str) -> None:
        try:
            do()
        except OSError as error:
            self.failed.emit(f"Could not write {path} ({error.strerror}). Choose another folder.")


def write_archive(study: StudyFolder, path: Path) -> None:
    """Write the contents of a study into one archive, times before 1980 as 1980. Raises OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for file in _shown(study):
            archive.write(file, f"{study.path.name}/{file.relative_to(study.path)}")


def _shown(study: StudyFolder) -> Iterator[Path]:
    yield from (study.page, study.record)
    for folder in (study.tables, study.figures):
        yield from sorted(folder.iterdir())
