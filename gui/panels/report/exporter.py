"""Export of the Reproduce panel: one table or figure, or everything in an archive."""

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.study_folder import StudyFolder
from gui.panels.report.contents import ContentsItem

KINDS = {"png": "PNG image (*.png)", "pdf": "PDF (*.pdf)", "csv": "CSV table (*.csv)", "md": "Markdown (*.md)"}


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
    """Write the contents of a study into one archive. Raises OSError."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _shown(study):
            archive.write(file, f"{study.path.name}/{file.relative_to(study.path)}")


def _shown(study: StudyFolder) -> Iterator[Path]:
    yield from (study.page, study.record)
    for folder in (study.tables, study.figures):
        yield from sorted(folder.iterdir())
