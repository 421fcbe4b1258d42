"""The app's end of the explorer process: sends requests and hands every reply to the handle of its request.

The arrays of a reply cross in files of the scratch folder. The app takes a reply whole as it arrives: it loads the
arrays and deletes their files. What it keeps for later therefore names no file that could be gone by then, and no map
keeps a file open, which Windows would not delete.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.messages import (
    Event,
    PartialResponse,
    Ready,
    Reply,
    Request,
    RequestFailed,
    RequestProgress,
    Response,
    Stop,
)
from engine.runs import default_root
from gui.engine_process import EngineProcess, ProcessExit, make_trace


def read_reply(kind: type[Reply], content: dict[str, Any], scratch: Path) -> Reply:
    """Return the reply that a response contains, and delete the files of its arrays; an array may occur twice.

    Raises:
        OSError, ValueError, EOFError: it is no such reply, or a file is gone, or holds no array.
    """
    arrays: dict[str, NDArray[Any]] = {}

    def load(file: str) -> NDArray[Any]:
        if file not in arrays:
            if not Path(file).is_relative_to(scratch):
                raise ValueError(f"{file} is not in the scratch folder")
            arrays[file] = np.load(file, allow_pickle=False)
        return arrays[file]

    try:
        reply = kind.from_content(content, load)
    except (OSError, ValueError, EOFError):
        discard_arrays(content, scratch)
        raise
    for file in arrays:
        Path(file).unlink(missing_ok=True)
    return reply


def discard_arrays(content: Any, scratch: Path) -> None:
    """Delete the files of a response that is not read."""
    if isinstance(content, str) and content.endswith(".npy") and Path(content).is_relative_to(scratch):
        Path(content).unlink(missing_ok=True)
    for part in _parts(content):
        discard_arrays(part, scratch)


def count_bytes(content: Any) -> int:
    """Return how much memory the arrays within some content take."""
    if isinstance(content, np.ndarray):
        return content.nbytes
    return sum(map(count_bytes, _parts(content)))


def _parts(content: Any) -> Iterable[Any]:
    if isinstance(content, Reply):
        return [part for _, part in content]
    if isinstance(content, dict):
        return list(content.values())
    return content if isinstance(content, (list, tuple)) else ()


class RequestHandle(QObject):
    """One request: it finishes with a reply, fails, is canceled, or is replaced by a newer request of its panel.

    finished carries the reply, of the request's `reply_type`; partly_finished the first part of it; failed the
    `RequestFailed`; progressed how much is done and how much there is. None of them is emitted after `cancel`, or once
    a newer request of the panel was sent.

    Args:
        request: what was sent.
        cancel: cancels it.
        parent: what owns the handle.
    """

    finished = Signal(object)
    partly_finished = Signal(object)
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


class ExplorerClient(QObject):
    """Sends requests; a response older than its panel's newest request is dropped.

    A reply arrives with its arrays in memory. A request whose response cannot be read is sent once more.
    """

    ready = Signal(object)
    pending_changed = Signal()

    def __init__(self, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine: EngineProcess | None = None
        # The app closes: a request that fails now, or is still made, starts no other explorer.
        self.is_closing = False
        self._scratch = scratch
        self.find_runs_folder: Callable[[], Path] = default_root
        self._number = 0
        self._pending: dict[str, RequestHandle] = {}
        self._retried: dict[str, int] = {}

    def warm_up(self, backend: str) -> None:
        """Have an explorer ready; replace one that computes with another backend, whose requests are void."""
        if self.is_closing or (self.engine and self.engine.is_running() and self.engine.backend == backend):
            return
        self.close()
        engine = EngineProcess("explorer", self._scratch, backend, parent=self)
        self._use(engine)
        engine.start()

    def adopt(self, engine: EngineProcess) -> None:
        """Use an explorer that was started before; one that has ended since is replaced with the first request."""
        engine.setParent(self)
        self._use(engine)

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

    def pending_kinds(self) -> set[type[Request]]:
        """Return the kinds of the requests that are on their way."""
        return {type(handle.request) for handle in self._pending.values()}

    def close(self) -> None:
        """Detach the explorer."""
        if self.engine:
            self.engine.detach()
            self.engine = None

    def _use(self, engine: EngineProcess) -> None:
        self.engine = engine
        engine.trace = make_trace("explorer", self.find_runs_folder)
        engine.event_received.connect(self._on_event)
        engine.ended.connect(self._on_ended)

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
        elif isinstance(event, (Response, PartialResponse, RequestProgress, RequestFailed)):
            self._on_reply(event)

    def _on_reply(self, event: Response | PartialResponse | RequestProgress | RequestFailed) -> None:
        handle = self._pending.get(event.panel or "")
        if handle is None or handle.request.number != event.number:
            if isinstance(event, (Response, PartialResponse)):
                discard_arrays(event.content, self._scratch)
        elif isinstance(event, RequestProgress):
            handle.report_progress(event)
        elif isinstance(event, RequestFailed):
            self._close(handle, event)
        else:
            self._take(event, handle)

    def _take(self, response: Response | PartialResponse, handle: RequestHandle) -> None:
        """Hand a reply, or the first part of one, to the handle."""
        outcome = self._read(response, handle.request)
        if isinstance(response, PartialResponse) and isinstance(outcome, Reply):
            handle.partly_finished.emit(outcome)
        elif outcome is not None:
            self._close(handle, outcome)

    def _read(self, response: Response | PartialResponse, request: Request) -> Reply | RequestFailed | None:
        """Return the reply, or why there is none; None if it cannot be read and the request was sent once more."""
        try:
            return read_reply(request.reply_type, response.content, self._scratch)
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
