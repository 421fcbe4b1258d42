"""A request to the explorer that was sent, as its sender sees it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.messages import Reply, Request, RequestFailed, RequestProgress


class RequestHandle(QObject):
    """One request: it finishes with a reply, fails, is canceled, or is replaced by a newer request of its panel.

    finished carries the reply, of the request's `reply_type`; failed the `RequestFailed`; progressed how much is done
    and how much there is. None of them is emitted after `cancel`, or once a newer request of the panel was sent.

    Args:
        request: what was sent.
        cancel: cancels it.
        parent: what owns the handle.
    """

    finished = Signal(object)
    failed = Signal(object)
    progressed = Signal(int, int)

    def __init__(self, request: Request, cancel: Callable[["RequestHandle"], None], parent: QObject) -> None:
        super().__init__(parent)
        self.request, self._cancel, self._is_pending = request, cancel, True

    def is_pending(self) -> bool:
        """Return whether a reply is still to come."""
        return self._is_pending

    def cancel(self) -> None:
        """Discard the request; the explorer stops working on it."""
        if self._is_pending:
            self._cancel(self)

    def report_progress(self, progress: RequestProgress) -> None:
        """Pass the explorer's progress on."""
        self.progressed.emit(progress.done, progress.total)

    def close(self, outcome: Reply | RequestFailed | None = None) -> None:
        """End the request with its outcome; None after it was canceled or replaced."""
        self._is_pending = False
        if isinstance(outcome, RequestFailed):
            self.failed.emit(outcome)
        elif outcome is not None:
            self.finished.emit(outcome)
        self.deleteLater()
