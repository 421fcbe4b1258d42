"""The process that answers the app's requests about images and models.

python -m engine.processes.explorer_worker --scratch DIR [--backend NAME] [--threads N]
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from engine.data.scan_scratch import remove_abandoned
from engine.errors import EngramError
from engine.explorer.context import make_job_context
from engine.explorer.explorer import Explorer, answer_audit
from engine.job_context import Cancelled
from engine.messages import (
    ApplyFilter,
    Audit,
    ComputeImportances,
    LoadData,
    Message,
    OpenScan,
    OpenVolume,
    PartialResponse,
    Reply,
    Request,
    RequestFailed,
    Response,
    SaveArray,
    ShouldStop,
    Stop,
    WriteReport,
)
from engine.processes.json_lines import FailureGuard, JsonLinesServer, run_server
from engine.search import statistics

# How long no request came in before deferred work continues: long work started between two keys would be in the way.
QUIET_S = 0.5
# The app asks for its first images as soon as its window is shown. They come before the import of the backend.
FIRST_REQUEST_S, FIRST_REPLIES_S = 2.0, 3.0
# How long after a reply the app may ask for more of the first images.
MORE_S = 0.3
CANCELED = "The request was canceled."


class BackgroundTask:
    """Handles one long request at a time in a thread, so that short ones need not wait; a newer one cancels it.

    Args:
        handle: handles a request; its second argument returns whether the request was canceled.
    """

    def __init__(self, handle: Callable[[Any, ShouldStop], object]) -> None:
        self._handle = handle
        self._canceled = threading.Event()

    def start(self, request: Request) -> None:
        """Cancel the request before, and start with this one."""
        self.cancel()
        self._canceled = canceled = threading.Event()
        threading.Thread(target=self._handle, args=(request, canceled.is_set), daemon=True).start()

    def cancel(self) -> None:
        """Cancel the running request."""
        self._canceled.set()


class ExplorerWorker(JsonLinesServer):
    """Answers requests: the latest of a panel wins, and one that can wait is deferred while others come in.

    Args:
        commands: lines of commands.
        events: takes lines of events.
        scratch: folder for the arrays of replies.
    """

    def __init__(self, commands: Iterable[bytes], events: IO[bytes], scratch: Path) -> None:
        super().__init__(commands, events)
        remove_abandoned()
        self.explorer = Explorer(scratch, self.emit, self._should_stop)
        self._deferred: list[Request] = []
        self._newest: dict[str, int] = {}
        self._current: Request | None = None
        self._canceled = threading.Event()
        # What came in and what was answered, counted for the wait of the backend.
        self._asked, self._answered = threading.Semaphore(0), threading.Semaphore(0)
        self._audits = BackgroundTask(
            lambda audit, should_stop: self._reply(
                audit, lambda: answer_audit(audit, make_job_context(audit, self.emit, should_stop))
            )
        )
        kinds = ApplyFilter, OpenScan, OpenVolume
        self._threads = {kind: BackgroundTask(self._answer_in_turn) for kind in kinds}
        self._turns: dict[type[Request], threading.Lock] = {kind: threading.Lock() for kind in kinds}
        self._importances = BackgroundTask(
            lambda request, _: self._reply(request, lambda: statistics.compute_importances(request))
        )

    def _receive(self, command: Message) -> None:
        if isinstance(command, Stop):
            self._canceled.set()
            return
        if not isinstance(command, Request):
            raise EngramError("The explorer does not run jobs.", "Send them to the training process.")
        self._newest[command.panel] = command.number
        self._asked.release()
        if isinstance(command, LoadData):
            self._audits.cancel()
        if isinstance(command, ComputeImportances):
            # At once, whatever request is being answered.
            self._importances.start(command)
        elif isinstance(command, (OpenScan, OpenVolume)):
            # A scan is shown while the images of a large dataset are still read.
            self._threads[type(command)].start(command)
        else:
            super()._receive(command)

    def wait_until_free(self) -> None:
        """Wait for the replies to the first requests, if they come at once and do not take long."""
        if not self._asked.acquire(timeout=FIRST_REQUEST_S):
            return
        end = time.monotonic() + FIRST_REPLIES_S
        while self._answered.acquire(timeout=max(end - time.monotonic(), 0)):
            if not self._asked.acquire(timeout=MORE_S):
                return

    def _next(self) -> Message:
        """Return the next request; a deferred one only when none came in for a while."""
        if not self._deferred:
            return super()._next()
        with suppress(queue.Empty):
            return self._queue.get(timeout=QUIET_S)
        return self._deferred.pop()

    def _handle(self, command: Message) -> None:
        if isinstance(command, Audit):
            self._audits.start(command)
        elif isinstance(command, ApplyFilter):
            self._threads[ApplyFilter].start(command)
        elif isinstance(command, Request):
            self._answer(command)

    def _answer_in_turn(self, request: Request, should_stop: ShouldStop) -> None:
        """Wait for the request before, so that never two of them are answered at a time; skip a canceled one."""
        with self._turns[type(request)]:
            if should_stop():
                return
            if isinstance(request, OpenScan) and request.runs is not None:
                self._answer_in_parts(request)
            else:
                self._reply(request, lambda: self.explorer.answer(request))

    def _answer_in_parts(self, request: OpenScan) -> None:
        """Send the slice at once, and queue the request for the main thread, where the models are."""
        first = request.model_copy(update={"runs": None})
        if self._reply(first, lambda: self.explorer.answer(first), PartialResponse):
            super()._receive(request)

    def _answer(self, request: Request) -> None:
        self._canceled.clear()
        self._current = request
        if self._is_stale(request) or self._canceled.is_set():
            return
        if request.is_patient and any(not each.is_patient for each in self._deferred):
            self._deferred.insert(0, request)
            return
        self._reply(request, lambda: None if self._should_yield(request) else self._compute(request))

    def _compute(self, request: Request) -> Reply | None:
        if not isinstance(request, WriteReport):
            return self.explorer.answer(request)
        from engine.reports.writer import answer_report

        return answer_report(request, make_job_context(request, self.emit, self._should_stop))

    def _should_stop(self) -> bool:
        """Return whether the current request was canceled, replaced by a newer one of its panel, or has to wait."""
        current = self._current
        if self._canceled.is_set():
            return True
        return current is not None and (self._is_stale(current) or self._should_yield(current))

    def _is_stale(self, request: Request) -> bool:
        return request.number < self._newest[request.panel]

    def _should_yield(self, request: Request) -> bool:
        """Return whether a request that can wait has to, since another has come in."""
        return request.can_wait and not self._queue.empty()

    def _reply(
        self,
        request: Request,
        handle: Callable[[], Reply | None],
        response: type[Response | PartialResponse] = Response,
    ) -> bool:
        """Send the response to a request, or the reason why there is none; defer a request that has to wait.

        Returns whether the response was sent.
        """
        number, panel, is_sent = request.number, request.panel, False

        def refuse(error: EngramError) -> None:
            self.emit(RequestFailed(reason=error.what, advice=error.advice, number=number, panel=panel))

        with FailureGuard(refuse):
            try:
                reply = handle()
            except Cancelled:
                raise EngramError(CANCELED) from None
            if reply is not None:
                content = reply.to_content(self._save_once())
                self.emit(response(number=number, panel=panel, content=content))
                is_sent = True
            elif not self._is_stale(request):
                self._deferred.append(request)
        self._answered.release()
        return is_sent

    def _save_once(self) -> SaveArray:
        """Return a function that saves the arrays of one reply; an array that occurs twice goes into one file."""
        paths: dict[int, str] = {}

        def save(array: NDArray[Any]) -> str:
            if id(array) not in paths:
                paths[id(array)] = self.explorer.save_array(array)
            return paths[id(array)]

        return save


if __name__ == "__main__":
    run_server(ExplorerWorker)
