"""The engine process: commands come in on stdin, events go out on stdout, one JSON object a line.

    python -m engine.processes.worker --scratch DIR [--backend NAME] [--threads N]

Stdout belongs to the events alone: everything that a framework prints goes to stderr. When stdin closes, the window is
gone and the process ends at once.
"""

import argparse
import io
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from engine import backend
from engine.config import TrainingConfig
from engine.errors import EngramError
from engine.explorer.explorer import Explorer, answer_audit
from engine.job_control import JobControl
from engine.messages import (
    ApplyFilter,
    Audit,
    ComputeImportances,
    Continued,
    Event,
    JobEnded,
    JobStarted,
    LoadData,
    Message,
    Paused,
    Ready,
    Reply,
    Request,
    RequestFailed,
    Response,
    Resume,
    RunStudy,
    SaveArray,
    Search,
    SearchCommand,
    SearchEnded,
    SearchStarted,
    ShouldStop,
    StudyEnded,
    Train,
    read_command,
)
from engine.reproduction import job as study
from engine.search import commands, importance
from engine.search import job as searching
from engine.training import job

QUIET_S = 0.5  # how long nothing was asked before work that gave way goes on


class PendingJobs:
    """Counts the jobs that are asked for, so that a wish counts from then on, even before its job has begun."""

    def __init__(self, control: JobControl) -> None:
        self._control, self._count, self._lock = control, 0, threading.Lock()

    def expect(self, command: Message) -> None:
        """A job has been asked for: wishes from before it are none of its own."""
        if isinstance(command, Request):
            return
        with self._lock:
            if self._count == 0:
                self._control.reset()
            self._count += 1

    def done(self) -> None:
        """A job is over; the wishes that ended it are not for the next one."""
        with self._lock:
            self._count -= 1
            self._control.reset()


class BackgroundTask:
    """Carries out one long request at a time in a thread, so that small ones need not wait; a newer one ends it.

    Args:
        carry_out: what to do with a request; its second argument says whether it is still wanted.
    """

    def __init__(self, carry_out: Callable[[Any, ShouldStop], None]) -> None:
        self._dispatch = carry_out
        self._unwanted = threading.Event()

    def begin(self, request: Request) -> None:
        """Begin with a request, and give up the one before."""
        self.end()
        self._unwanted = unwanted = threading.Event()
        threading.Thread(target=self._dispatch, args=(request, unwanted.is_set), daemon=True).start()

    def end(self) -> None:
        """Give up the request in hand."""
        self._unwanted.set()


class Worker:
    """Reads commands in a thread, carries them out in the main one."""

    def __init__(self, commands: Iterable[bytes], events: IO[bytes], scratch: Path) -> None:
        self.commands, self.events = commands, events
        self.control = JobControl(
            on_paused=lambda: self.emit(Paused(run=self._run)), on_resumed=lambda: self.emit(Continued(run=self._run))
        )
        self.explorer = Explorer(scratch, self.emit, self._is_unwanted)
        self._queue: queue.Queue[Message] = queue.Queue()
        self._deferred: list[Request] = []
        self._jobs = PendingJobs(self.control)
        self._audits = BackgroundTask(
            lambda audit, should_stop: self._reply(audit, lambda: answer_audit(audit, self.emit, should_stop))
        )
        self._filters, self._filtering = BackgroundTask(self._filter), threading.Lock()
        self._weighings = BackgroundTask(lambda weigh, _: self._reply(weigh, lambda: importance.handle_request(weigh)))
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}
        self._asked: Request | None = None
        self._run = ""
        self._search: Path | None = None
        self._end_emitted = False

    def emit(self, event: Event) -> None:
        """Write one event line."""
        if isinstance(event, JobStarted):
            self._run = event.run
        if isinstance(event, SearchStarted):
            self._search = Path(event.path)
        self._end_emitted = self._end_emitted or isinstance(event, (JobEnded, SearchEnded, StudyEnded))
        with self._lock:
            self.events.write(event.to_json_line().encode())
            self.events.flush()

    def serve(self) -> None:
        """Carry out commands until stdin closes."""
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            self._dispatch(self._next())

    def _next(self) -> Message:
        """The next command; one that gave way goes on when nothing was asked for a while.

        Who has asked one thing often asks another soon: long work begun between two keys would be in the way.
        """
        if not self._deferred:
            return self._queue.get()
        with suppress(queue.Empty):
            return self._queue.get(timeout=QUIET_S)
        return self._deferred.pop()

    def _read(self) -> None:
        for line in self.commands:
            try:
                command = read_command(line)
            except EngramError as error:
                self.emit(RequestFailed(reason=error.what, advice=error.advice))
                continue
            if isinstance(command, Request):
                self._newest[command.panel] = command.number
            if isinstance(command, LoadData):
                self._audits.end()
            if isinstance(command, SearchCommand):
                self._forward_to_search(command)
            elif isinstance(command, ComputeImportances):
                self._weighings.begin(command)  # at once, whatever is in hand
            elif not self.control.handle(command):
                self._jobs.expect(command)
                self._queue.put(command)
        os._exit(0)

    def _forward_to_search(self, wish: SearchCommand) -> None:
        try:
            commands.submit(self._search, wish)
        except EngramError as error:
            self.emit(RequestFailed(reason=error.what, advice=error.advice))

    def _dispatch(self, command: Message) -> None:
        if isinstance(command, Audit):
            self._audits.begin(command)
        elif isinstance(command, ApplyFilter):
            self._filters.begin(command)
        elif isinstance(command, Request):
            self._answer(command)
        else:
            self._do_job(command)

    def _filter(self, request: ApplyFilter, should_stop: ShouldStop) -> None:
        """Wait until the one before is done, so that never two work at a time; then see whether it is still wanted."""
        with self._filtering:
            if not should_stop():
                self._reply(request, lambda: self.explorer.answer(request))

    def _do_job(self, command: Message) -> None:
        self._end_emitted = False
        emit, control, should_stop = self.emit, self.control, self.control.should_stop
        try:
            if isinstance(command, Train):
                run, root = command.name, command.root
                job.train(command.config, run=run, root=root, emit=emit, should_stop=should_stop)
            elif isinstance(command, Resume):
                run, epochs, name = command.run, command.epochs, command.backend
                job.resume(run, epochs=epochs, backend=name, emit=emit, should_stop=should_stop)
            elif isinstance(command, Search):
                searching.search(command, emit=emit, should_stop=control.is_stopped, is_paused=control.is_paused)
            elif isinstance(command, RunStudy):
                study.run_study(command, emit=emit, should_stop=control.is_stopped, is_paused=control.is_paused)
        except EngramError as error:
            if not self._end_emitted:
                self.emit(RequestFailed(reason=error.what, advice=error.advice))
        finally:
            self._search = None
            self._jobs.done()

    def _is_unwanted(self) -> bool:
        """Whether the request in hand was taken back, or overtaken by a newer one of its panel."""
        asked = self._asked
        if self.control.should_stop():
            return True
        return asked is not None and (self._is_stale(asked) or self._should_yield(asked))

    def _is_stale(self, asked: Request) -> bool:
        return asked.number < self._newest[asked.panel]

    def _should_yield(self, asked: Request) -> bool:
        """Whether a request gives way to another that is there by now."""
        return asked.can_wait and not self._queue.empty()

    def _answer(self, request: Request) -> None:
        self.control.reset()
        self._asked = request
        if self._is_stale(request) or (self._is_unwanted() and not self._should_yield(request)):
            return
        if request.is_patient and any(not each.is_patient for each in self._deferred):
            self._deferred.insert(0, request)
            return
        self._reply(request, lambda: None if self._should_yield(request) else self.explorer.answer(request))

    def _reply(self, request: Request, handle: Callable[[], Reply | None]) -> None:
        """Send the response to a request, or the reason why there is none."""
        try:
            reply = handle()
        except EngramError as error:
            refused = RequestFailed(reason=error.what, advice=error.advice, number=request.number, panel=request.panel)
            self.emit(refused)
            return
        if reply is not None:
            content = reply.to_content(self._save_once()) if isinstance(reply, Reply) else reply
            self.emit(Response(number=request.number, panel=request.panel, content=content))
        elif not self._is_stale(request):
            self._deferred.append(request)  # it gave way, and has its turn when nothing newer is asked

    def _save_once(self) -> SaveArray:
        """Return a function that saves the arrays of one reply; one that occurs several times goes into one file."""
        paths: dict[int, str] = {}

        def save(array: NDArray[Any]) -> str:
            if id(array) not in paths:
                paths[id(array)] = self.explorer.save_array(array)
            return paths[id(array)]

        return save


def main(arguments: list[str] | None = None) -> None:
    """Run an engine process until its stdin closes."""
    parser = argparse.ArgumentParser(prog="python -m engine.processes.worker", description=__doc__)
    parser.add_argument("--scratch", type=Path, required=True, help="folder for arrays that do not fit into a line")
    parser.add_argument("--backend", default="tensorflow", help="Keras backend")
    parser.add_argument("--threads", type=int, default=0, help="number of CPU threads; 0 = all")
    options = parser.parse_args(arguments)
    options.scratch.mkdir(parents=True, exist_ok=True)
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    commands = io.FileIO(0, closefd=False)  # no buffer: no lock to stand at when the process ends
    worker = Worker(commands, events, options.scratch)
    threading.Thread(target=_warm_up, args=(worker, options.backend, options.threads)).start()
    worker.serve()


def _warm_up(worker: Worker, name: str, threads: int) -> None:
    settings = TrainingConfig.model_validate({"backend": name, "threads": threads, "deterministic": False})
    try:
        backend.import_on_backend("engine.models", settings)
    except EngramError as error:
        worker.emit(RequestFailed(reason=error.what, advice=error.advice))
        return
    worker.emit(Ready(backend=name, device=backend.device(), versions=backend.versions(name)))


if __name__ == "__main__":
    main()
