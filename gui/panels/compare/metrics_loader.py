"""Asking for the numbers of runs and yardsticks, one after the other, while nobody waits for anything else."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import EvaluateRun, RequestFailed
from gui.loaded_data import CLEAN
from gui.panels.compare.sources import ImageSource
from gui.session import Session
from gui.widgets.labels import fixed, grouped

MEASURES = "compare-measure"
Numbers = dict[str, dict[str, Any]]
Key = tuple[str, int, str]


class MetricsLoader(QObject):
    """Knows what has been measured on the scans that are loaded; what is wanted and not known is asked for."""

    found = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._known: dict[Key, Numbers] = {}
        self._failed: dict[Key, str] = {}
        self._lists: dict[str, list[ImageSource]] = {}
        self._asked: Key | None = None
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)

    def request(self, compared: Sequence[ImageSource], by: str = "") -> None:
        """Find the numbers of these, the first one first, instead of those that were wanted by the same one before."""
        self._lists[by] = list(compared)
        self._ask()

    @property
    def _wanted(self) -> list[ImageSource]:
        return [each for by in sorted(self._lists, reverse=True) for each in self._lists[by]]

    def get(self, compared: ImageSource) -> Numbers:
        """Return the numbers of each part of the test scans, as far as they are known."""
        return self._known.get(self._key(compared), {})

    def clean_db(self, compared: ImageSource) -> float | None:
        """Return the mean peak signal-to-noise ratio on clean test scans, as far as it is known."""
        value = self.get(compared).get(CLEAN, {}).get("psnr_db")
        return None if value is None else float(value)

    def errors(self, compared: ImageSource) -> str:
        """Return that number in words, with its uncertainty."""
        part = self.get(compared).get(CLEAN)
        if not part or part["psnr_db"] is None:
            return ""
        interval = part["psnr_db_interval"]
        ends = f" (95% CI {fixed(interval[0], 1)}–{fixed(interval[1], 1)})" if interval else ""
        return f"{fixed(part['psnr_db'], 1)} dB{ends}, {grouped(part['n'])} deduplicated test images"

    def is_pending(self, compared: ImageSource) -> bool:
        key = self._key(compared)
        return compared in self._wanted and key not in self._known and key not in self._failed

    def failure(self, compared: ImageSource) -> str:
        """Return why there are no numbers, in words."""
        return self._failed.get(self._key(compared), "")

    def _key(self, compared: ImageSource) -> Key:
        data = self._session.data
        return compared.ref, compared.epoch, data.fingerprint if data else ""

    def _ask(self) -> None:
        data = self._session.data
        if data is None or not data.size("test") or self._session.explorer.is_waiting(MEASURES):
            return
        for compared in filter(self.is_pending, self._wanted):
            self._asked = self._key(compared)
            self._session.ask(EvaluateRun, MEASURES, run=compared.ref, data=data.config)
            return

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == MEASURES and self._asked:
            self._known[self._asked] = content["splits"]
            self._go_on()

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == MEASURES and self._asked:
            self._failed[self._asked] = f"{refused.reason} {refused.advice}".strip()
            self._go_on()

    def _go_on(self) -> None:
        self._asked = None
        self._ask()
        self.found.emit()
