"""Questions to the explorer process: numbered, and of each panel only the newest counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import Event, Ready, Request, RequestFailed, RequestProgress, Response, Stop
from engine.runs import default_root
from gui.answer_arrays import discard_arrays, take_arrays
from gui.engine_process import EngineProcess, ProcessExit, make_trace


class ExplorerClient(QObject):
    """Asks for panels; an answer older than a panel's newest question is dropped.

    An answer is passed on with its arrays in memory. One whose arrays cannot be read is asked for once more.
    """

    responded = Signal(object)
    progressed = Signal(object)
    failed = Signal(object)
    ready = Signal(object)
    pending_changed = Signal(str)

    def __init__(self, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine: EngineProcess | None = None
        self._scratch = scratch
        self.find_runs_folder: Callable[[], Path] = default_root
        self._number = 0
        self._waiting: dict[str, Request] = {}
        self._unread: dict[str, int] = {}

    def warm_up(self, backend: str) -> None:
        """Have an explorer ready; one that computes with another backend is replaced, and its questions are void."""
        if self.engine and self.engine.is_running() and self.engine.backend == backend:
            return
        self.close()
        self.engine = EngineProcess("explorer", self._scratch, backend, parent=self)
        self.engine.trace = make_trace("explorer", self.find_runs_folder)
        self.engine.event_received.connect(self._on_event)
        self.engine.ended.connect(self._on_ended)
        self.engine.start()

    def request(self, kind: type[Request], panel: str, **fields: Any) -> int:
        """Ask a question for a panel; return its number. The explorer has to be warmed up before."""
        self._number += 1
        self._waiting[panel] = request = kind(number=self._number, panel=panel, **fields)
        if self.engine:
            self.engine.send(request)
        self.pending_changed.emit(panel)
        return self._number

    def cancel(self, panel: str) -> None:
        """Want no answer any more."""
        if self._waiting.pop(panel, None) is not None:
            if self.engine:
                self.engine.send(Stop())
            self.pending_changed.emit(panel)

    def is_waiting(self, panel: str) -> bool:
        return panel in self._waiting

    def close(self) -> None:
        """Let go of the explorer."""
        if self.engine:
            self.engine.detach()
            self.engine = None

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Ready):
            self.ready.emit(event)
        elif isinstance(event, (Response, RequestProgress, RequestFailed)):
            self._on_reply(event)

    def _on_reply(self, reply: Response | RequestProgress | RequestFailed) -> None:
        request = self._waiting.get(reply.panel or "")
        if request is None or request.number != reply.number:
            if isinstance(reply, Response):
                discard_arrays(reply.content, self._scratch)
            return
        if isinstance(reply, RequestProgress):
            self.progressed.emit(reply)
            return
        outcome = self._taken(reply, request) if isinstance(reply, Response) else reply
        if outcome is None:
            return
        del self._waiting[request.panel]
        self.pending_changed.emit(request.panel)
        (self.responded if isinstance(outcome, Response) else self.failed).emit(outcome)

    def _taken(self, answer: Response, request: Request) -> Response | RequestFailed | None:
        """Return the answer with its arrays; None if they cannot be read and the request was sent once more."""
        try:
            return answer.model_copy(update={"content": take_arrays(answer.content, self._scratch)})
        except (OSError, ValueError, EOFError) as error:
            if self.engine and self._unread.get(request.panel) != request.number:
                self._unread[request.panel] = request.number
                self.engine.send(request)
                return None
            reason = f"The answer cannot be read ({error})."
            return RequestFailed(reason=reason, advice="Try again.", panel=request.panel, number=request.number)

    def _on_ended(self, ending: ProcessExit) -> None:
        """Tell every panel that waits; the next question starts a new explorer."""
        self.engine = None
        for panel, request in list(self._waiting.items()):
            reason = RequestFailed(reason=ending.sentence, advice="Try again.", panel=panel, number=request.number)
            self._on_reply(reason)
