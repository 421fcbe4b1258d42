"""What is asked beside the channels themselves: one question at a time, its answer kept."""

from collections.abc import Hashable
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import Request, RequestFailed, RequestProgress
from gui.answer_arrays import count_bytes
from gui.recent import Recent
from gui.session import Session
from gui.widgets.timer import make_timer

REST_MS = 180
KEPT, KEPT_BYTES = 64, 64 * 2**20


class DebouncedRequest(QObject):
    """Asks when the wish has stood for a moment; a later wish makes an earlier one void."""

    found = Signal(object)
    failed = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, session: Session, panel: str, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._panel = session, panel
        self._kept: Recent[Hashable, dict[str, Any]] = Recent(KEPT, KEPT_BYTES, count_bytes)
        self._wanted: tuple[Hashable, type[Request], dict[str, Any]] | None = None
        self._asked: Hashable = None
        self._rest = make_timer(self, REST_MS)
        self._rest.timeout.connect(self._ask)
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)
        session.progressed.connect(self._on_progressed)

    def request(self, key: Hashable, kind: type[Request], **fields: Any) -> bool:
        """Want this; whether it is known already, and then `found` tells it at once."""
        self._wanted = key, kind, fields
        known = self._kept.get(key)
        if known is not None:
            self._rest.stop()
            self.found.emit(known)
            return True
        if not self.is_working(key):
            self._rest.start()
        return False

    def is_working(self, key: Hashable) -> bool:
        return self._asked == key and self._session.explorer.is_waiting(self._panel)

    def cancel(self) -> None:
        """Want nothing any more."""
        self._rest.stop()
        self._wanted = None
        if self._session.explorer.is_waiting(self._panel):
            self._session.explorer.cancel(self._panel)

    def _ask(self) -> None:
        if self._wanted is not None:
            self._asked, kind, fields = self._wanted
            self._session.ask(kind, self._panel, **fields)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel != self._panel or self._asked is None:
            return
        self._kept.put(self._asked, content)
        if self._wanted is not None and self._wanted[0] == self._asked:
            self.found.emit(content)

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == self._panel:
            self.failed.emit(f"{refused.reason} {refused.advice}".strip())

    def _on_progressed(self, progress: RequestProgress) -> None:
        if progress.panel == self._panel:
            self.progressed.emit(progress.done, progress.total)
