"""Requests for the test metrics of runs and baselines, one after the other, when no other request is pending."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Signal

from engine.messages import EvaluateRun, EvaluateRunReply, RequestFailed, SubsetMetrics
from gui.formatting import format_count, format_fixed
from gui.loaded_data import CLEAN
from gui.panels.compare.sources import ImageSource
from gui.session import Session

MEASURES = "compare-measure"
Metrics = Mapping[str, SubsetMetrics]
Key = tuple[str, int, str]


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
