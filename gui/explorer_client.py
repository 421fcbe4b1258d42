"""The app's end of the explorer process: sends requests and hands every reply to the handle of its request."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.messages import Event, Ready, Reply, Request, RequestFailed, RequestProgress, Response, Stop
from engine.runs import default_root
from gui.answer_arrays import discard_arrays, take_arrays
from gui.engine_process import EngineProcess, ProcessExit, make_trace
from gui.request_handle import RequestHandle


class ExplorerClient(QObject):
    """Sends requests; a response older than its panel's newest request is dropped.

    A reply arrives with its arrays in memory. A request whose response cannot be read is sent once more.
    """

    ready = Signal(object)
    pending_changed = Signal()

    def __init__(self, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine: EngineProcess | None = None
        self._scratch = scratch
        self.find_runs_folder: Callable[[], Path] = default_root
        self._number = 0
        self._pending: dict[str, RequestHandle] = {}
        self._retried: dict[str, int] = {}

    def warm_up(self, backend: str) -> None:
        """Have an explorer ready; replace one that computes with another backend, whose requests are void."""
        if self.engine and self.engine.is_running() and self.engine.backend == backend:
            return
        self.close()
        self.engine = EngineProcess("explorer", self._scratch, backend, parent=self)
        self.engine.trace = make_trace("explorer", self.find_runs_folder)
        self.engine.event_received.connect(self._on_event)
        self.engine.ended.connect(self._on_ended)
        self.engine.start()

    def send(self, message: Request) -> RequestHandle:
        """Send a request; the explorer has to be warmed up before. A pending request of the same panel is replaced."""
        self._number += 1
        request = message.model_copy(update={"number": self._number})
        replaced = self._pending.get(request.panel)
        self._pending[request.panel] = handle = RequestHandle(request, self._cancel, self)
        if replaced:
            replaced.close()
        if self.engine:
            self.engine.send(request)
        self.pending_changed.emit()
        return handle

    def is_pending(self, *kinds: type[Request]) -> bool:
        """Return whether a request of one of these kinds is on its way."""
        return any(isinstance(handle.request, kinds) for handle in self._pending.values())

    def close(self) -> None:
        """Detach the explorer."""
        if self.engine:
            self.engine.detach()
            self.engine = None

    def _cancel(self, handle: RequestHandle) -> None:
        if self.engine:
            self.engine.send(Stop())
        self._close(handle)

    def _close(self, handle: RequestHandle, outcome: Reply | RequestFailed | None = None) -> None:
        del self._pending[handle.request.panel]
        self.pending_changed.emit()
        handle.close(outcome)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Ready):
            self.ready.emit(event)
        elif isinstance(event, (Response, RequestProgress, RequestFailed)):
            self._on_reply(event)

    def _on_reply(self, event: Response | RequestProgress | RequestFailed) -> None:
        handle = self._pending.get(event.panel or "")
        if handle is None or handle.request.number != event.number:
            if isinstance(event, Response):
                discard_arrays(event.content, self._scratch)
        elif isinstance(event, RequestProgress):
            handle.report_progress(event)
        else:
            outcome = self._read(event, handle.request) if isinstance(event, Response) else event
            if outcome is not None:
                self._close(handle, outcome)

    def _read(self, response: Response, request: Request) -> Reply | RequestFailed | None:
        """Return the reply, or why there is none; None if it cannot be read and the request was sent once more."""
        try:
            content = take_arrays(response.content, self._scratch)
            return request.reply_type.model_validate(content)
        except (OSError, ValueError, EOFError) as error:
            if self.engine and self._retried.get(request.panel) != request.number:
                self._retried[request.panel] = request.number
                self.engine.send(request)
                return None
            reason = f"The answer cannot be read ({error})."
            return RequestFailed(reason=reason, advice="Try again.", panel=request.panel, number=request.number)

    def _on_ended(self, exit_: ProcessExit) -> None:
        """Fail every pending request; the next one starts a new explorer."""
        self.engine = None
        for panel, handle in list(self._pending.items()):
            number = handle.request.number
            self._close(handle, RequestFailed(reason=exit_.sentence, advice="Try again.", panel=panel, number=number))
