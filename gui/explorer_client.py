"""The app's end of the explorer process: sends requests and hands every reply to the handle of its request.

The arrays of a reply cross in files of the scratch folder. The app takes a reply whole as it arrives: it loads the
arrays and deletes their files. What it keeps for later therefore names no file that could be gone by then, and no map
keeps a file open, which Windows would not delete.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.messages import Event, Ready, Reply, Request, RequestFailed, RequestProgress, Response, Stop
from engine.runs import default_root
from gui.engine_process import EngineProcess, ProcessExit, make_trace


def take_arrays(content: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """Return an answer's content with arrays in the place of their files, which are deleted.

    Args:
        content: JSON; a string that names an `.npy` file within the scratch folder stands for an array.
        scratch: the folder.

    Raises:
        OSError, ValueError, EOFError: a file is gone, or holds no array.
    """
    files = list(_files(content, scratch))
    try:
        arrays = {file: np.load(file, allow_pickle=False) for file in files}
    finally:
        _delete(files)
    return {name: _filled(part, arrays) for name, part in content.items()}


def discard_arrays(content: dict[str, Any], scratch: Path) -> None:
    """Delete the files of an answer that comes too late."""
    _delete(_files(content, scratch))


def count_bytes(content: Any) -> int:
    """Return how much memory the arrays within some content take."""
    if isinstance(content, np.ndarray):
        return content.nbytes
    return sum(map(count_bytes, _parts(content)))


def _delete(files: Iterable[str]) -> None:
    for file in files:
        Path(file).unlink(missing_ok=True)


def _parts(content: Any) -> Iterable[Any]:
    if isinstance(content, Reply):
        return [part for _, part in content]
    if isinstance(content, dict):
        return list(content.values())
    return content if isinstance(content, (list, tuple)) else ()


def _files(content: Any, scratch: Path) -> Iterator[str]:
    if isinstance(content, str) and content.endswith(".npy") and Path(content).is_relative_to(scratch):
        yield content
    for part in _parts(content):
        yield from _files(part, scratch)


def _filled(content: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(content, dict):
        return {name: _filled(part, arrays) for name, part in content.items()}
    if isinstance(content, list):
        return [_filled(part, arrays) for part in content]
    return arrays.get(content, content) if isinstance(content, str) else content


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

    def is_pending(self, *kinds: type[Request]) -> bool:
        """Return whether a request of one of these kinds is on its way."""
        return any(isinstance(handle.request, kinds) for handle in self._pending.values())

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
