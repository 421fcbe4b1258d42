"""A box that follows a request that writes a file: progress with Cancel, then where the file is, or why it is not."""

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices

from engine.messages import RequestFailed
from gui.explorer_client import RequestHandle
from gui.widgets.card import NoticeBox

CANCEL, SHOW = "Cancel", "Show in folder"


class WrittenReply(Protocol):
    """A reply that names the file that was written."""

    path: str


class ExportBox(NoticeBox):
    """A notice with the progress of one request at a time.

    Args:
        progress: text of the progress, with {done} and {total}.
    """

    ended = Signal()

    def __init__(self, progress: str) -> None:
        super().__init__(kind="info")
        self.open_url = QDesktopServices.openUrl
        self._progress, self._saved = progress, ""
        self._handle: RequestHandle | None = None
        self.action_requested.connect(self._on_action)

    def is_busy(self) -> bool:
        """Return whether a file is being written."""
        return self._handle is not None

    def follow(self, handle: RequestHandle, text: str) -> None:
        """Follow a request that has just been sent, and show a text until it progresses."""
        self._handle = handle
        handle.finished.connect(self._on_saved)
        handle.failed.connect(self._on_failed)
        handle.progressed.connect(self._on_progressed)
        self.show_notice(text, "info", CANCEL)

    def _on_progressed(self, done: int, total: int) -> None:
        self.show_notice(self._progress.format(done=done, total=total), "info", CANCEL)

    def _on_saved(self, reply: WrittenReply) -> None:
        self._saved = reply.path
        self._end(f"Saved to {reply.path}", SHOW)

    def _on_failed(self, failure: RequestFailed) -> None:
        self._handle = None
        self.show_notice(failure.sentence)
        self.ended.emit()

    def _on_action(self) -> None:
        """Cancel what is being written, or show what was saved."""
        if self._handle is None:
            self.open_url(QUrl.fromLocalFile(str(Path(self._saved).parent)))
            return
        self._handle.cancel()
        self._end("Canceled; nothing was saved.")

    def _end(self, text: str, action: str = "") -> None:
        self._handle = None
        self.show_notice(text, "info", action)
        self.ended.emit()
