"""The Compare panel: originals, reconstructions of several runs, signed differences, under one light."""

from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog

from gui.loaded_data import SPLITS
from gui.panel import Desk, Panel, column_of
from gui.panels.compare.board import Board
from gui.panels.compare.figure import figure
from gui.panels.compare.gallery import NO_SCANS, Gallery
from gui.panels.compare.runs_card import RunsCard
from gui.panels.compare.scan_card import OpenedScan, ScanCard
from gui.panels.compare.shown import Shown
from gui.panels.compare.view_card import ViewCard
from gui.scripts import changed_data, script
from gui.widgets.view_state import ViewState

SOON_MS = 60
FIRST_RUNS = 2


class ComparePanel(Panel):
    """Choice at the left, pictures at the right."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.state = ViewState(parent=self)
        self.gallery, self.board = Gallery(self.session, self), Board(self.state)
        self.runs, self.view, self.scan = RunsCard(self.session), ViewCard(self.state), ScanCard()
        self.ask_path = QFileDialog.getSaveFileName
        self._wanted: list[str] = []
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self.place(column_of(self.runs, self.scan, self.view, stretched=self.runs), self.board)
        self._connect()
        self.board.say(NO_SCANS)
        self.refresh()

    def _connect(self) -> None:
        session, view = self.session, self.view
        for changed in (session.runs_changed, session.run_changed, session.data_loaded, self.shown):
            changed.connect(self._wake)
        self.runs.changed.connect(self._on_choice_changed)
        view.changed.connect(self._on_choice_changed)
        view.linked_changed.connect(self.board.rows.set_linked)
        view.figure_wanted.connect(self.export)
        view.copy_wanted.connect(self.copy_python)
        self.gallery.found.connect(self._on_found)
        self.gallery.failed.connect(self.board.say)
        self.gallery.sorted_anew.connect(self.refresh)
        self.gallery.scan_opened.connect(self.show_scan)
        self.board.turned.connect(self._on_turned)
        self.board.resized.connect(self._wake)
        self.board.maximised.connect(self._on_maximised)
        self.board.pointed.connect(self.pointed)
        self.scan.slice_changed.connect(self.gallery.show_scan)
        self.scan.closed.connect(lambda: self.show_scan(None))

    def refresh(self) -> None:
        """Bring lists and pictures in line with the session."""
        self.runs.refresh()
        data, known = self.session.data, self.session.book.records
        if self._wanted and all(name in known for name in self._wanted):
            self.runs.choose([name for name in self._wanted if known[name].epochs])
            self._wanted = []
        self.view.show_splits({split: data.size(split) for split in SPLITS} if data else {}, "test")
        self.view.show_for(self.view.values()["layout"], self.gallery.scan is not None)
        records, values = self.runs.records(), self.view.values()
        columns = values["columns"] or self.board.fitting(len(records))
        self.gallery.look(records, values | {"columns": columns})

    def show_scan(self, scan: OpenedScan | None) -> None:
        """Look at one scan, or at the data set again."""
        self.scan.show_scan(scan)
        if scan is not None and self.view.values()["layout"] == "grid":
            self.view.set_values({"layout": "closer"})
        self.gallery.show_scan(scan)
        self.refresh()

    def show_wish(self, what: Any) -> None:
        """Look at an image of the data set, compare runs, or open a scan."""
        kind, wanted = what
        if kind == "scan":
            self.gallery.open_scan(wanted)
        elif kind == "runs":
            self._wanted = list(wanted)
            self.refresh()
        elif kind == "image":
            split, index = wanted
            self.show_scan(None)
            self.view.set_values({"split": split, "order": "file", "layout": "closer"})
            self.refresh()
            self.gallery.go_to(index)

    def memory(self) -> dict[str, Any]:
        return {"runs": [record.name for record in self.runs.records()] or self._wanted, "view": self.view.values()}

    def recall(self, kept: dict[str, Any]) -> None:
        view, names = kept.get("view"), kept.get("runs")
        if isinstance(view, dict):
            self.view.set_values(view)
        ready = [record.name for record in self.session.book.records.values() if record.epochs]
        named = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        self._wanted = named or ready[-FIRST_RUNS:]
        self.refresh()

    def export(self) -> None:
        """Write a figure of what is seen."""
        picture = self.board.picture()
        path = self.ask_path(self, "Export a figure", "compare.png", "*.png")[0] if picture else ""
        if picture and path and not figure(picture, self.gallery.title()).save(path):
            self.board.say(f"The figure could not be written to {path}. Choose another folder.")

    def python(self) -> str:
        """A script that makes the same reconstructions and measures them."""
        return compare_script(
            self.gallery, changed_data(self.session.data.config if self.session.data else self.session.wanted)
        )

    def _wake(self, *_: object) -> None:
        """Refresh soon; what no one sees waits until it is shown."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _on_choice_changed(self) -> None:
        self.refresh()
        self.remembered.emit()

    def _on_turned(self, step: int) -> None:
        """Turn a page of the data set, or go to the next slice of a scan."""
        if self.gallery.scan is None:
            self.gallery.turn(step)
        else:
            self.scan.slider.setValue(self.scan.slider.value() + step)

    def _on_maximised(self, column: int) -> None:
        """Look closer at one image of the grid, or go back to the grid."""
        grid = self.view.values()["layout"] == "grid"
        index = self.gallery.pages.indices[column] if grid and self.gallery.scan is None else None
        self.view.set_values({"layout": "closer" if grid else "grid"})
        self._on_choice_changed()
        if index is not None:
            self.gallery.go_to(index)

    def _on_found(self, shown: Shown) -> None:
        scan, pages, values = self.gallery.scan, self.gallery.pages, self.view.values()
        layout = "closer" if scan is not None and values["layout"] == "grid" else values["layout"]
        self.board.show_pictures(shown, layout, scan.orientation if scan else None)
        self.board.set_subtitle(
            " · ".join(
                filter(None, (self.gallery.title(), shown.titles[0] if layout != "grid" and scan is None else ""))
            )
        )
        at, count = (scan.slice + 1, scan.slices) if scan else (pages.page, pages.count)
        self.board.show_turning(at > 1, at < count)


def compare_script(gallery: Gallery, data: str) -> str:
    """Return a script that reconstructs and measures what a gallery shows."""
    runs = [str(record.run.path) for record in gallery.records]
    imports = ("import engine", "from engine import evaluation, quality, scoring")
    if gallery.scan is not None:
        source = [
            f"scan = engine.data.open_scan({gallery.scan.path!r})",
            f"image = engine.data.prepare(scan, {data}, {gallery.scan.slice})",
            "originals = image[None, ..., None]",
        ]
    else:
        source = [
            f"images = engine.data.load(config={data})",
            f"originals = images.splits[{gallery.split!r}].read({list(gallery.pages.indices)})",
        ]
    return script(
        *source,
        f"for path in {runs}:",
        "    model = evaluation.load_model(engine.runs.open(path))",
        "    reconstructed = scoring.reconstruct(model, originals)",
        "    print(path, quality.psnr_db(originals, reconstructed), quality.ssim(originals, reconstructed))",
        imports=imports,
    )
