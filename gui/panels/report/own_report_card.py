"""Report on one's own work: runs, the current image, or a search, as an HTML page or as PDF."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QListWidget, QListWidgetItem

from engine.config import DenoiseConfig, list_fields, validate
from engine.denoising.baselines import BASELINES
from engine.messages import WriteReport
from engine.search import folder
from gui.export import ExportBox
from gui.form import LABEL_PX, Form
from gui.lesion_regions import format_region
from gui.panel import AppContext, ReportImage
from gui.widgets.buttons import Button
from gui.widgets.card import ScrollingCard
from gui.widgets.combo_boxes import FocusComboBox
from gui.widgets.labels import label

SUBJECTS = {"runs": "Runs", "image": "Current image", "search": "Search"}
ABOUT = {
    "runs": "Images, audit, learning curves, reconstructions, metrics beside the baselines, lesions, settings and how "
    "to repeat it. Several runs make a comparison.",
    "image": "The image with noise and as the current run and the filters denoise it, the lesion contrast that each "
    "retains, and the warnings. The name of the file is left out.",
    "search": "The best trial, all trials with their settings, and which settings mattered.",
}
NO_IMAGE = "Open an image first (Ctrl+O). A report on one image needs a file."
DEFAULT_NAME = "engram-report.pdf"
FILTERS = "PDF (*.pdf);;Web page (*.html)"
ROW_PX, FEWEST_ROWS, MOST_ROWS = 24, 2, 7
AGAINST = ("nlm", "tv", "wavelet")
NOISE_FIELDS = ("noise", "sigma")
KEY = Qt.ItemDataRole.UserRole


class OwnReportCard(ScrollingCard):
    """Card that asks what to report on and writes the report."""

    changed = Signal()
    copy_wanted = Signal()

    def __init__(self, desk: AppContext) -> None:
        super().__init__("Report on my work")
        self._session = desk.session
        self.subject, self.runs, self.search = FocusComboBox(), QListWidget(), FocusComboBox()
        specs = [spec for spec in list_fields(DenoiseConfig) if spec.name in NOISE_FIELDS]
        self.noise = Form(specs, desk.undo, lambda values: validate(DenoiseConfig, values))
        self.about, self.image = label(role="caption", wrap=True), label(wrap=True)
        self.write, self.copy = Button("Write report…"), Button("Copy as Python")
        self.box = ExportBox("Measuring… {done} of {total}")
        self.ask_path = QFileDialog.getSaveFileName
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        for key, title in SUBJECTS.items():
            self.subject.addItem(title, key)
        top = QFormLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setHorizontalSpacing(8)
        caption = label("Report on", role="quiet")
        caption.setFixedWidth(LABEL_PX)
        top.addRow(caption, self.subject)
        self.subject.setAccessibleName("Report on")
        self.runs.setAccessibleName("Runs of the report")
        self.search.setAccessibleName("Search of the report")
        self.runs.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        for part in (top, self.runs, self.search, self.image, self.noise, self.about):
            self.add(part)
        buttons = QHBoxLayout()
        buttons.addWidget(self.write)
        buttons.addWidget(self.copy)
        buttons.addStretch()
        self.footer.addLayout(buttons)
        self.footer.addWidget(self.box)

    def _connect(self) -> None:
        session = self._session
        self.subject.currentIndexChanged.connect(lambda _: self.refresh())
        self.subject.activated.connect(self.changed)
        self.runs.itemChanged.connect(lambda _: self._show_state())
        self.noise.changed.connect(self._show_state)
        self.write.clicked.connect(self.save)
        self.copy.clicked.connect(self.copy_wanted)
        self.box.ended.connect(self._show_state)
        for signal in (session.runs_changed, session.selection.run_changed, session.selection.image_changed):
            signal.connect(self.refresh)

    def kind(self) -> str:
        """Return the subject: 'runs', 'image' or 'search'."""
        return str(self.subject.currentData())

    def choose(self, kind: str) -> None:
        """Choose the subject."""
        self.subject.setCurrentIndex(max(self.subject.findData(kind), 0))

    def choose_image(self, wanted: ReportImage) -> None:
        """Choose the current image, with a run and the noise that is added."""
        self._session.selection.set_run(wanted.run)
        self.noise.set_values({"noise": wanted.noise, "sigma": wanted.sigma})
        self.choose("image")
        self.write.setFocus()

    def refresh(self) -> None:
        """Show the fields of the subject, and what can be reported on now."""
        kind = self.kind()
        self.runs.setVisible(kind == "runs")
        self.search.setVisible(kind == "search")
        self.image.setVisible(kind == "image")
        self.noise.setVisible(kind == "image")
        self.about.setText(ABOUT[kind])
        self._list_runs()
        self._list_searches()
        image = self._session.selection.image
        self.image.setText(image.title if image is not None and self._find_file() else NO_IMAGE)
        self._show_state()

    def order(self, path: str) -> WriteReport:
        """Return the request for the report."""
        root, kind = str(self._session.runs.root), self.kind()
        if kind == "search":
            return WriteReport(panel="report", path=path, search=str(self.search.currentData()), root=root)
        if kind == "runs":
            return WriteReport(panel="report", path=path, runs=tuple(self._chosen()), root=root)
        run, image = self._session.current_run(), self._session.selection.image
        fields: dict[str, Any] = {"runs": (str(run.run.path),) if run else (), "scan": self._find_file()}
        if image is not None and image.opened is not None:
            fields["slice"] = image.opened.slice
        if image is not None and run and run.config:
            region = self._session.selection.lesions.regions.get(image.key)
            fields["roi"] = format_region(region, run.config.data.size) if region else ""
        against = tuple(name for name in AGAINST if BASELINES[name].is_installed())
        settings = validate(DenoiseConfig, self.noise.values())
        return WriteReport(panel="report", path=path, against=against, settings=settings, **fields)

    def save(self) -> None:
        """Ask for a file and have the explorer write the report."""
        path, chosen = self.ask_path(self, "Save the report", DEFAULT_NAME, FILTERS)
        if not path:
            return
        if Path(path).suffix.casefold() not in (".pdf", ".html"):
            path += ".html" if "html" in chosen else ".pdf"
        self.box.follow(self._session.request(self.order(path)), "Reading images and models…")
        self._show_state()

    def is_ready(self) -> bool:
        """Return whether there is something to report on."""
        kind = self.kind()
        if kind == "runs":
            return bool(self._chosen())
        if kind == "search":
            return self.search.count() > 0
        return bool(self._find_file()) and self._session.current_run() is not None and self.noise.is_valid()

    def _show_state(self) -> None:
        is_ready = self.is_ready()
        self.write.setEnabled(is_ready and not self.box.is_busy())
        self.copy.setEnabled(is_ready)

    def _find_file(self) -> str:
        """Return the path of the current image; empty if it is generated or a row of a table."""
        image = self._session.selection.image
        if image is None:
            return ""
        if image.opened is not None:
            return image.opened.path
        path = Path(image.data.source).expanduser() / image.name
        return str(path) if path.is_file() else ""

    def _chosen(self) -> list[str]:
        """Return the paths of the checked runs."""
        rows = [self.runs.item(row) for row in range(self.runs.count())]
        return [row.data(KEY) for row in rows if row.checkState() == Qt.CheckState.Checked]

    def _list_runs(self) -> None:
        """List the runs that have a model; the current one is checked until the user has checked others."""
        ready, current = self._session.ready_runs(), self._session.current_run()
        before = {self.runs.item(row).data(KEY) for row in range(self.runs.count())}
        paths = [str(record.run.path) for record in ready]
        checked = set(self._chosen()) & set(paths) or ({str(current.run.path)} if current else set())
        if before == set(paths):
            return
        self.runs.blockSignals(True)
        self.runs.clear()
        for record, path in zip(ready, paths, strict=True):
            item = QListWidgetItem(record.name)
            item.setData(KEY, path)
            item.setToolTip(record.name)
            item.setSizeHint(QSize(0, ROW_PX))
            item.setCheckState(Qt.CheckState.Checked if path in checked else Qt.CheckState.Unchecked)
            self.runs.addItem(item)
        self.runs.blockSignals(False)
        rows = min(max(self.runs.count(), FEWEST_ROWS), MOST_ROWS)
        self.runs.setFixedHeight(rows * ROW_PX + 2 * self.runs.frameWidth())

    def _list_searches(self) -> None:
        names: Sequence[str] = [each.name for each in folder.list_searches(self._session.runs.root)]
        if names == [self.search.itemData(row) for row in range(self.search.count())]:
            return
        chosen = self.search.currentData()
        self.search.clear()
        for name in names:
            self.search.addItem(name, name)
        self.search.setCurrentIndex(max(self.search.findData(chosen), 0) if names else -1)
