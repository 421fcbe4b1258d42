"""The card with the number of images by class and set, notes, and skipped files."""

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from gui.formatting import format_count
from gui.loaded_data import SPLITS, LoadedData, class_title
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable

COLUMNS = (TableColumn("Class", str, False), TableColumn("Train"), TableColumn("Val."), TableColumn("Test"))


class SummaryCard(Card):
    """A small table and a few sentences about the dataset."""

    def __init__(self) -> None:
        super().__init__("Dataset summary")
        self.table = NumberTable(COLUMNS)
        self.table.setAccessibleName("images by class and set")
        self.notes, self.skipped = label(role="caption", wrap=True), label(role="caption", wrap=True)
        self.show_skipped = Button("Show skipped files…", "link")
        self._data: LoadedData | None = None
        for part in (self.table, self.notes, self.skipped, self.show_skipped):
            self.add(part)
        self.show_skipped.clicked.connect(self._on_show_skipped_clicked)
        self.hide()

    def show_data(self, data: LoadedData) -> None:
        self._data = data
        rows = [
            TableRow(name, (class_title(name), *(counts[split] for split in SPLITS)))
            for name, counts in data.counts.items()
        ]
        if len(rows) > 1:
            rows.append(TableRow("", ("All", *(data.size(split) for split in SPLITS)), roles={0: "quiet"}))
        self.table.set_rows(rows)
        self.table.fit_height()
        self.notes.setText("\n".join(data.notes))
        self.notes.setVisible(bool(data.notes))
        count = len(data.skipped)
        self.skipped.setText(f"{format_count(count)} {'file was' if count == 1 else 'files were'} skipped.")
        self.skipped.setVisible(bool(count))
        self.show_skipped.setVisible(bool(count))
        self.show()

    def _on_show_skipped_clicked(self) -> None:
        if self._data:
            SkippedFilesDialog(self._data, self.window()).open()


class SkippedFilesDialog(QDialog):
    """The files that could not be used, with the reasons."""

    def __init__(self, data: LoadedData, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Skipped files in {data.title}")
        self.resize(760, 420)
        self.table = NumberTable((TableColumn("File", str, False), TableColumn("Reason", str, False)), sortable=True)
        self.table.set_rows(
            [TableRow(f"{at} {name}", (name, why), tip=f"{name}: {why}") for at, (name, why) in enumerate(data.skipped)]
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.finished.connect(self.deleteLater)
        column = QVBoxLayout(self)
        column.addWidget(self.table, 1)
        column.addWidget(buttons)
