"""The Data panel: choose a source, see what is in it."""

import csv
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog

from engine.config import DataConfig
from gui.export import changed_data, join_script
from gui.loaded_data import SPLITS, LoadedData
from gui.panel import AppContext, LoadSource, Panel, ShowImage, Target, fixed_column, scroll_column
from gui.panels.data.audit_card import AuditCard
from gui.panels.data.scans_card import DataScansCard
from gui.panels.data.source_card import SourceCard
from gui.panels.data.summary_card import SummaryCard


class DataPanel(Panel):
    """The panel with source, audit and summary at the left, thumbnails at the right."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.source, self.inside, self.scans = SourceCard(desk), SummaryCard(), DataScansCard()
        self.audit, self.start_button = AuditCard(self.session), self.source.use
        self.ask_path = QFileDialog.getSaveFileName
        facts = scroll_column(self.audit, self.inside)
        self.lay_out(fixed_column(self.source, facts, stretched=facts), self.scans)
        self.session.data_loaded.connect(self._on_data_loaded)
        self.scans.opened.connect(
            lambda split, index: self.navigation_requested.emit("compare", ShowImage(split, index))
        )
        self.scans.pointed.connect(self.status_changed)
        self.source.changed.connect(self.state_changed)
        if self.session.data:
            self._on_data_loaded(self.session.data)

    def navigate(self, target: Target) -> None:
        """Load a folder that was dropped or chosen, or a source used before."""
        if isinstance(target, LoadSource):
            self.source.load_source(target.source)

    def save_state(self) -> dict[str, Any]:
        return {"form": self.source.form.values()}

    def restore_state(self, kept: dict[str, Any]) -> None:
        form = kept.get("form")
        if isinstance(form, dict):
            self.source.form.set_values(form)

    def export(self) -> None:
        """Write the list of the images that are shown."""
        path = self.ask_path(self, "Export the list of images", "images.csv", "*.csv")[0]
        if path and self.scans.data:
            try:
                write_list(self.scans.data, self.scans.chosen().tolist(), Path(path))
            except OSError as error:
                reason = f"Could not write the list to {path} ({error.strerror})."
                self.source.notice.show_notice(f"{reason} Choose another folder.")

    def as_python(self) -> str:
        """Return a script that loads the same dataset, counts its images and finds its duplicates."""
        chosen = self.session.data.config if self.session.data else DataConfig()
        return join_script(
            f"data = {changed_data(chosen)}",
            "images = engine.data.load(config=data)",
            "for name, counts in images.counts().items():",
            "    print(name, counts)",
            "found = audit(data)",
            "print('exact duplicates:', found['splits'], found['warning'])",
            "print('near-duplicates:', found['near']['splits'])",
            imports=("import engine", "from engine.data.audit import audit"),
        )

    def _on_data_loaded(self, data: LoadedData) -> None:
        self.inside.show_data(data)
        self.audit.show_data(data)
        self.scans.show_data(data)


def write_list(data: LoadedData, rows: list[int], path: Path) -> None:
    """Write file, class and set of some images, and whether they are leaked test images. Raises OSError."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "class", "split", "leaked"])
        marked = data.leaked_rows()
        for row in rows:
            leaked = "yes" if marked[row] else "no"
            writer.writerow([data.names[row], data.class_name(row), SPLITS[data.splits[row]], leaked])
