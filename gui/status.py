"""Status bar: current activity and its rate, the values under the cursor, the memory of the engines."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStatusBar, QWidget

from engine.messages import (
    Audit,
    CalibrateSpread,
    ComputeChannelStatistics,
    DenoiseIntervals,
    EmbeddingErrors,
    EmbedLatents,
    EvaluateRun,
    Event,
    LoadData,
    MaximizeActivation,
    OpenScan,
    PerImageErrors,
    Progress,
    Reconstruct,
    Request,
    SearchState,
    StudyProgress,
    TopActivations,
    TraceLesion,
)
from gui.engine_process import resident_bytes
from gui.formatting import format_count, format_duration
from gui.run_record import RunRecord
from gui.session import Session
from gui.theme import GAP
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.timers import make_timer

STEPS = 1000
BAR_WIDTH = 220
MEMORY_MS = 2000


class ProgressLine(QWidget):
    """Current activity, its progress and its rate: the left half of the status bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self.bar, self._rate = ElidedLabel(), QProgressBar(), label(role="quiet")
        self._text.setProperty("role", "quiet")
        self.bar.setTextVisible(False)
        self.bar.setRange(0, STEPS)
        self.bar.setFixedWidth(BAR_WIDTH)
        self._said: tuple[str, float | None, str] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(16)
        for part in (self._text, self.bar, self._rate):
            row.addWidget(part)
        row.addStretch()

    def show_progress(self, text: str, share: float | None = 0.0, rate: str = "") -> None:
        """Show `text` and a share from 0 to 1; None means that the duration is unknown."""
        if self._said == (text, share, rate):
            return
        self._said = text, share, rate
        self._text.setText(text)
        self._rate.setText(rate)
        self.bar.setRange(0, 0 if share is None else STEPS)
        if share is not None:
            self.bar.setValue(round(min(max(share, 0), 1) * STEPS))
        self.bar.setAccessibleName(text)


class StatusBar(QStatusBar):
    """Status bar that follows the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._study: StudyProgress | None = None
        self._search: SearchState | None = None
        self._rate = 0.0
        self.line, self.numbers, self.ram = ProgressLine(), ElidedLabel(), label(role="quiet")
        self.numbers.setProperty("role", "quiet")
        self.setSizeGripEnabled(False)
        self.addWidget(self.line, 1)
        self.addPermanentWidget(self.numbers)
        self.addPermanentWidget(self.ram)
        # Apart from the values before it.
        self.ram.setContentsMargins(GAP, 0, 0, 0)
        self.setContentsMargins(6, 0, 14, 0)
        self._timer = make_timer(self, MEMORY_MS, single_shot=False)
        self._timer.timeout.connect(self.show_memory)
        self._timer.start()
        session.job_changed.connect(self.refresh)
        session.study_event.connect(self._on_study_event)
        session.search_event.connect(self._on_search_event)
        session.run_changed.connect(self._on_run_changed)
        session.runs_changed.connect(self.refresh)
        session.explorer.pending_changed.connect(self.refresh)
        session.request_progressed.connect(self._on_progressed)
        self.refresh()

    def show_numbers(self, text: str) -> None:
        self.numbers.setText(text)

    def refresh(self) -> None:
        """Show the current activity; a job has precedence over a request."""
        session = self._session
        record = session.record(session.job.run)
        if record:
            self.line.show_progress(*job_line(session.job.state, record))
        elif session.job.study:
            self.line.show_progress(*study_line(session.job.state, self._study))
        elif session.job.search:
            at = self._search if self._search and self._search.search == session.job.search else None
            self.line.show_progress(*search_line(session.job.state, at, self._rate))
        elif not session.job.is_busy() and (behind := self._background_run()):
            self.line.show_progress(*background_line(behind))
        else:
            pending = session.explorer.pending_kinds()
            text = next((text for kind, text in WAITS.items() if kind in pending), "")
            self.line.show_progress(text or "Ready", None if text else 0.0)

    def _background_run(self) -> RunRecord | None:
        """Return the newest run that another process trains, or None."""
        return next((record for record in reversed(self._session.runs.records.values()) if record.busy), None)

    def _on_run_changed(self, run: str) -> None:
        """Follow the run of the job, or one that another process trains while there is no job."""
        job = self._session.job
        if run == job.run or not job.is_busy():
            self.refresh()

    def show_memory(self) -> None:
        engines = (self._session.job.engine, self._session.explorer.engine)
        found = [resident_bytes(engine.pid) for engine in engines if engine and engine.pid]
        known = [size for size in found if size is not None]
        self.ram.setVisible(bool(known))
        self.ram.setText(f"RAM {sum(known) / 1e9:.1f} GB")
        self.ram.setToolTip("Memory used by the engine processes")

    def _on_study_event(self, event: Event) -> None:
        if isinstance(event, StudyProgress):
            self._study = event
            self.refresh()

    def _on_search_event(self, event: Event) -> None:
        if isinstance(event, SearchState):
            self._search = event
            self.refresh()
        elif isinstance(event, Progress):
            self._rate = event.images_per_s

    def _on_progressed(self, request: Request, done: int, total: int) -> None:
        if not self._session.job.is_busy():
            what = REQUESTS.get(type(request), "Working")
            self.line.show_progress(f"{what} · {format_count(done)} of {format_count(total)}", done / total)


WAITS: dict[type[Request], str] = {
    LoadData: "Reading images",
    OpenScan: "Opening the image",
    Reconstruct: "Reconstructing images",
}
REQUESTS: dict[type[Request], str] = {
    LoadData: WAITS[LoadData],
    Audit: "Searching for near-duplicates",
    EvaluateRun: "Measuring test images",
    PerImageErrors: "Sorting images by error",
    ComputeChannelStatistics: "Computing channel statistics",
    TopActivations: "Searching for top-activating images",
    MaximizeActivation: "Activation maximization",
    TraceLesion: "Tracing the lesion",
    EmbedLatents: "Encoding images",
    EmbeddingErrors: "Computing reconstruction errors",
    CalibrateSpread: "Checking calibration",
    DenoiseIntervals: "Computing 90% intervals",
}


def job_line(state: str, record: RunRecord) -> tuple[str, float | None, str]:
    """Return text, progress and rate of a run in training."""
    at = record.progress
    if state == "stopping":
        return f"{record.name} · stopping", None, ""
    if at is None:
        done = f"epoch {record.last_epoch} / {record.target_epochs}" if state != "starting" else "starting"
        return f"{record.name} · {done}", None, ""
    place = f"{record.name} · epoch {at.epoch} / {at.epochs}"
    if state in ("paused", "pausing"):
        return f"{place} · {state}", progress_of(at), ""
    return f"{place} · {format_duration(at.left_s)} left", progress_of(at), f"{at.images_per_s:.0f} img/s"


def background_line(record: RunRecord) -> tuple[str, float | None, str]:
    """Return text, progress and rate of a run that another process trains; it reports whole epochs."""
    done = f"epoch {record.last_epoch} / {record.target_epochs} complete"
    return f"{record.name} · {done} · in another process", record.last_epoch / max(record.target_epochs, 1), ""


def study_line(state: str, at: StudyProgress | None) -> tuple[str, float | None, str]:
    """Return text, progress and rate of a study."""
    if state == "stopping":
        return "Study · stopping", None, ""
    if at is None or state == "starting":
        return "Study · starting", None, ""
    if state in ("paused", "pausing"):
        return f"Study · {state}", at.share, ""
    return f"Study · {at.text}", at.share, ""


def search_line(state: str, at: SearchState | None, images_per_s: float) -> tuple[str, float | None, str]:
    """Return text, progress and rate of a search."""
    if state == "stopping":
        return "Search · stopping", None, ""
    if at is None or state == "starting":
        return "Search · starting", None, ""
    done = at.done / at.trials if at.trials else None
    place = f"{at.search} · trial {min(at.done + 1, at.trials)} of {at.trials}"
    if state in ("paused", "pausing"):
        return f"{place} · {state}", done, ""
    left = "" if at.left_s is None else f" · {format_duration(at.left_s)} left"
    return place + left, done, f"{images_per_s:.0f} img/s" if images_per_s else ""


def progress_of(at: Progress) -> float:
    """Return the completed fraction of the whole run."""
    return (at.epoch - 1 + at.batch / max(at.batches, 1)) / max(at.epochs, 1)
