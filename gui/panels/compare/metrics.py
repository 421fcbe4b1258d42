"""All metrics of the compared models on all, leaked, deduplicated and unseen-patient test images: loader and dialog."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QHeaderView, QVBoxLayout, QWidget

from engine.messages import EvaluateRun, EvaluateRunReply, RequestFailed, SubsetMetrics
from gui.formatting import format_count, format_fixed, format_number
from gui.loaded_data import CLEAN, LEAKED, PARTS, UNSEEN, LoadedData
from gui.panel import DISCLAIMER
from gui.panels.compare.comparison import ImageSource
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import NoticeBox
from gui.widgets.labels import label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable

MEASURES = "compare-measure"
Metrics = Mapping[str, SubsetMetrics]
Key = tuple[str, int, str]
ASKING = "sheet"
HEIGHT_PX, MARGINS_PX, SCREEN_SHARE = 560, 56, 0.92
SHOWN = ("test", LEAKED, CLEAN, UNSEEN)
NONE = "—"
READING = (
    "Means over images; intensities 0–1. ± = half-width of the 95% CI of the mean over images; ± by patient = the same "
    "from a bootstrap of whole patients, where all are known. Head = inside the head mask. Nats per image and active "
    "latent dimensions (KL > 0.01 nats): VAE only. A model without a bottleneck can score perfectly by copying its "
    "input; judge it in Denoise, on noisy images."
)


class MetricsLoader(QObject):
    """A loader that caches the metrics on the loaded dataset, and requests those that are wanted and not known."""

    found = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._known: dict[Key, Metrics] = {}
        self._failed: dict[Key, str] = {}
        self._lists: dict[str, list[ImageSource]] = {}
        self._requested: Key | None = None

    def request(self, compared: Sequence[ImageSource], by: str = "") -> None:
        """Request the metrics of these, in this order, instead of those that `by` requested before."""
        self._lists[by] = list(compared)
        self._ask()

    @property
    def _wanted(self) -> list[ImageSource]:
        return [each for by in sorted(self._lists, reverse=True) for each in self._lists[by]]

    def get(self, compared: ImageSource) -> Metrics:
        """Return the metrics of each test subset, as far as they are known."""
        return self._known.get(self._key(compared), {})

    def clean_db(self, compared: ImageSource) -> float | None:
        """Return the mean PSNR on deduplicated test images. Returns None if it is not known."""
        part = self.get(compared).get(CLEAN)
        return part.psnr_db if part else None

    def errors(self, compared: ImageSource) -> str:
        """Return that PSNR as text, with its confidence interval."""
        part = self.get(compared).get(CLEAN)
        if part is None or part.psnr_db is None:
            return ""
        interval = part.psnr_db_interval
        ends = f" (95% CI {format_fixed(interval[0], 1)}–{format_fixed(interval[1], 1)})" if interval else ""
        return f"{format_fixed(part.psnr_db, 1)} dB{ends}, {format_count(part.n)} deduplicated test images"

    def is_pending(self, compared: ImageSource) -> bool:
        key = self._key(compared)
        return compared in self._wanted and key not in self._known and key not in self._failed

    def failure(self, compared: ImageSource) -> str:
        """Return why there are no metrics, empty if they did not fail."""
        return self._failed.get(self._key(compared), "")

    def _key(self, compared: ImageSource) -> Key:
        data = self._session.data
        return compared.ref, compared.epoch, data.fingerprint if data else ""

    def _ask(self) -> None:
        data = self._session.data
        if data is None or not data.size("test") or self._requested is not None:
            return
        for compared in filter(self.is_pending, self._wanted):
            self._requested = self._key(compared)
            handle = self._session.request(EvaluateRun(panel=MEASURES, run=compared.ref, data=data.config))
            handle.finished.connect(self._on_evaluated)
            handle.failed.connect(self._on_failed)
            return

    def _on_evaluated(self, reply: EvaluateRunReply) -> None:
        if self._requested:
            self._known[self._requested] = reply.splits
            self._go_on()

    def _on_failed(self, failure: RequestFailed) -> None:
        if self._requested:
            self._failed[self._requested] = failure.sentence
            self._go_on()

    def _go_on(self) -> None:
        self._requested = None
        self._ask()
        self.found.emit()


def _to(places: int) -> Any:
    return lambda value: NONE if value is None else format_fixed(value, places)


COLUMNS = {
    "n": TableColumn("Images", format_number),
    "psnr_db": TableColumn("PSNR (dB)", _to(1)),
    "psnr_db_reach": TableColumn("±", _to(1)),
    "psnr_db_patient_reach": TableColumn("± by patient", _to(1)),
    "patients": TableColumn("Patients", format_number),
    "mse": TableColumn("MSE", _to(5)),
    "mae": TableColumn("MAE", _to(4)),
    "ssim": TableColumn("SSIM", _to(2)),
    "ms_ssim": TableColumn("MS-SSIM", _to(2)),
    "head_psnr_db": TableColumn("Head PSNR (dB)", _to(1)),
    "head_ssim": TableColumn("Head SSIM", _to(2)),
    "nats_per_image": TableColumn("Nats per image", format_number),
    "active_units": TableColumn("Active dims", format_number),
}


class MetricsDialog(QDialog):
    """A table that fills while the metrics are computed."""

    def __init__(
        self, measures: MetricsLoader, compared: Sequence[ImageSource], data: LoadedData, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._measures, self._compared = measures, list(compared)
        self.ask_path = QFileDialog.getSaveFileName
        self.setWindowTitle(f"Test metrics · {data.title}")
        self.table = NumberTable(
            (TableColumn("Model", str, False), TableColumn("Test subset", str, False), *COLUMNS.values()), sortable=True
        )
        self.leakage, self.notice = (
            label(f"{leakage(data)} {data.patients.patient_note}".strip(), wrap=True),
            NoticeBox(),
        )
        # The names scroll with the numbers; a column that gave its room to them would show no name at all.
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self._lay_out()
        measures.found.connect(self.refresh)
        self.finished.connect(self._on_finished)
        measures.request(self._compared, ASKING)
        self.refresh()
        room = self.screen().availableGeometry().size() * SCREEN_SHARE
        self.resize(QSize(self.table.horizontalHeader().length() + MARGINS_PX, HEIGHT_PX).boundedTo(room))

    def _lay_out(self) -> None:
        column, line = QVBoxLayout(self), QHBoxLayout()
        self.export, self.copy, self.shut = Button("Export CSV…"), Button("Copy"), Button("Close")
        for button, do in ((self.export, self.write), (self.copy, self.copy_table), (self.shut, self.accept)):
            button.clicked.connect(do)
            line.addWidget(button)
        line.insertStretch(2)
        for part in (self.leakage, self.table, label(READING, role="caption", wrap=True), self.notice):
            column.addWidget(part, int(part is self.table))
        column.addLayout(line)

    def refresh(self) -> None:
        """Show the metrics that are known by now."""
        rows = []
        for each in self._compared:
            parts = self._measures.get(each)
            for part in (part for part in SHOWN if part in parts):
                values = numbers(parts[part])
                cells = (
                    each.name,
                    PARTS[part].removesuffix(", test").removesuffix(" test") if part != "test" else "all",
                    *(values[key] for key in COLUMNS),
                )
                rows.append(TableRow(f"{each.ref} {part}", cells, each.series))
            if not parts:
                waiting = (
                    "measuring…" if self._measures.is_pending(each) else self._measures.failure(each) or "not measured"
                )
                rows.append(TableRow(each.ref, (each.name, waiting, *[None] * len(COLUMNS)), each.series, {1: "quiet"}))
        self.table.set_rows(rows)

    def text(self, delimiter: str) -> str:
        """Return the table as text, every number in full."""
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(["of", "on", *COLUMNS])
        for each in self._compared:
            for part, found in self._measures.get(each).items():
                values = numbers(found)
                writer.writerow([each.name, part, *("" if values[key] is None else values[key] for key in COLUMNS)])
        return file.getvalue()

    def copy_table(self) -> None:
        """Copy the table to the clipboard, in a form that spreadsheets read."""
        QGuiApplication.clipboard().setText(self.text("\t"))

    def write(self) -> None:
        """Write the table to a file of the user's choice."""
        path = self.ask_path(self, "Export metrics", "numbers.csv", "*.csv")[0]
        if not path:
            return
        try:
            Path(path).write_text(f"# {DISCLAIMER}\n{self.text(',')}", encoding="utf-8")
            self.notice.show_notice("", "info")
        except OSError as error:
            reason = f"Could not write the values to {path} ({error.strerror}). Choose another folder."
            self.notice.show_notice(reason)

    def _on_finished(self) -> None:
        self._measures.request([], ASKING)
        self.deleteLater()


def numbers(part: SubsetMetrics) -> dict[str, Any]:
    """Return the values of the columns, with the half-widths of the confidence intervals."""
    intervals = {"psnr_db_reach": part.psnr_db_interval, "psnr_db_patient_reach": part.psnr_db_patient_interval}
    reach = {name: (each[1] - each[0]) / 2 if each else None for name, each in intervals.items()}
    return {**part.model_dump(), **reach}


def leakage(data: LoadedData) -> str:
    """Say how many test images are also training or validation images."""
    count, leaked = data.size("test"), len(data.leaked)
    if not leaked:
        return f"None of the {format_count(count)} test images is an exact copy of a training or validation image."
    verb = "is an exact copy" if leaked == 1 else "are exact copies"
    share = f"{format_count(leaked)} of the {format_count(count)} test images {verb} of a training or validation image."
    advice = "Report the deduplicated subset; the leaked images overestimate every model."
    return f"{share} {advice}" if leaked < count else share
