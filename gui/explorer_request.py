"""The newest request of one kind that a panel has: debounced, cached, and never sent twice."""

from PySide6.QtCore import QObject, Signal

from engine.lru_cache import LRUCache
from engine.messages import Reply, Request, RequestFailed
from gui.explorer_client import RequestHandle, count_bytes
from gui.session import Session
from gui.widgets.timers import make_timer

CACHE_BYTES = 64 * 2**20


class ExplorerRequest(QObject):
    """Sends what is wanted now and forgets what was wanted before.

    finished carries the reply to the newest message, failed one text with reason and advice.

    Args:
        session: what sends requests.
        parent: what owns this.
        debounce_ms: how long a message has to stand before it is sent.
        cache_size: how many replies to keep; a message whose reply is kept finishes at once.
        retry: whether a message that failed is sent again when it is wanted again.
    """

    finished = Signal(object)
    failed = Signal(str)
    progressed = Signal(int, int)

    def __init__(
        self, session: Session, parent: QObject, *, debounce_ms: int = 0, cache_size: int = 0, retry: bool = True
    ) -> None:
        super().__init__(parent)
        self._session, self._debounce_ms, self._retry = session, debounce_ms, retry
        self._message: Request | None = None
        self._failed: Request | None = None
        self._handle: RequestHandle | None = None
        self._sent: tuple[Request, RequestHandle] | None = None
        self._cache: LRUCache[Request, Reply] | None = None
        if cache_size:
            self._cache = LRUCache(cache_size, CACHE_BYTES, count_bytes)
        self._timer = make_timer(self, debounce_ms)
        self._timer.timeout.connect(self._send)

    def send(self, message: Request) -> bool:
        """Want the reply to a message; return False if it is pending or was just answered, and nothing was done."""
        known = self._cache.get(message) if self._cache is not None else None
        if known is None and message in (self._message, self._failed):
            return False
        self._timer.stop()
        self._message, self._handle, self._failed = message, None, None
        if known is not None:
            self.finished.emit(known)
        elif self._sent is not None and self._sent[0] == message and self._sent[1].is_pending():
            self._handle = self._sent[1]
        elif self._debounce_ms:
            self._timer.start()
        else:
            self._send()
        return True

    def reset(self) -> None:
        """Forget the message, so that it is sent again when it is wanted again; a reply on its way is dropped."""
        self._timer.stop()
        self._message = self._handle = self._failed = self._sent = None

    def cancel(self) -> None:
        """Forget the message, and have the explorer stop working on it, or on the one before that it replaced."""
        if self._sent is not None:
            self._sent[1].cancel()
        self.reset()

    def allow_retry(self) -> None:
        """Send a message that failed again when it is wanted again."""
        self._failed = None

    def is_pending(self) -> bool:
        """Return whether the reply to the newest message is still to come."""
        return self._timer.isActive() or (self._handle is not None and self._handle.is_pending())

    def _send(self) -> None:
        if self._message is None:
            return
        message, handle = self._message, self._session.request(self._message)
        self._sent, self._handle = (message, handle), handle
        handle.finished.connect(lambda reply: self._on_finished(handle, message, reply))
        handle.failed.connect(lambda failure: self._on_failed(handle, failure))
        handle.progressed.connect(lambda done, total: self._on_progressed(handle, done, total))

    def _on_progressed(self, handle: RequestHandle, done: int, total: int) -> None:
        if handle is self._handle:
            self.progressed.emit(done, total)

    def _on_finished(self, handle: RequestHandle, message: Request, reply: Reply) -> None:
        """Cache the reply, also that of a message that was replaced while the newer one is debounced."""
        if not self._take_sent(handle):
            return
        if self._cache is not None:
            self._cache.put(message, reply)
        if handle is not self._handle:
            return
        self._handle = None
        try:
            self.finished.emit(reply)
        except ValueError as error:
            self._fail(f"The results could not be read ({error}).")

    def _on_failed(self, handle: RequestHandle, failure: RequestFailed) -> None:
        if self._take_sent(handle) and handle is self._handle:
            self._handle = None
            self._fail(failure.sentence)

    def _take_sent(self, handle: RequestHandle) -> bool:
        """Return whether the handle is that of the message sent last, which is thereby settled."""
        is_sent = self._sent is not None and self._sent[1] is handle
        if is_sent:
            self._sent = None
        return is_sent

    def _fail(self, sentence: str) -> None:
        self._message, self._failed = None, None if self._retry else self._message
        self.failed.emit(sentence)
