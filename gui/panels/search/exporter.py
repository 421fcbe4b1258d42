"""What leaves the panel: the lines as a picture or as vectors, the trials as a table."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from gui.panel import DISCLAIMER
from gui.panels.search.snapshot import SearchSnapshot, progress_text
from gui.panels.search.trial_rows import write_csv
from gui.widgets.parallel.view import ParallelView, write_pdf, write_png

KINDS = {"png": "PNG image (*.png)", "pdf": "PDF, vector graphics (*.pdf)", "csv": "CSV table of all trials (*.csv)"}


class SearchExporter(QObject):
    """Asks where to, and writes in the kind that the name ends with; what goes wrong is a sentence."""

    failed = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.ask_path: Callable[..., tuple[str, str]] = QFileDialog.getSaveFileName

    def export(self, found: SearchSnapshot | None, view: ParallelView) -> None:
        """Write the shown search."""
        if found is None or not view.model.lines.keys:
            self.failed.emit("Nothing to export yet. Wait until a trial has finished.")
            return
        kinds = ";;".join(KINDS.values())
        path, kind = self.ask_path(self._window, "Export search", f"{found.name}.png", kinds)
        if not path:
            return
        named = Path(path)
        chosen = next((end for end, title in KINDS.items() if title == kind), "png")
        ending = named.suffix.lstrip(".").lower()
        if ending not in KINDS:
            named, ending = named.with_name(f"{named.name}.{chosen}"), chosen
        heading = f"Search {found.name} · {progress_text(found)}"
        try:
            if ending == "csv":
                write_csv(found, named, f"{heading} · {DISCLAIMER}")
            else:
                (write_pdf if ending == "pdf" else write_png)(view, named, heading, f"Engram · {DISCLAIMER}")
        except OSError as error:
            self.failed.emit(f"Could not write {named} ({error.strerror or error}). Choose another folder.")
