"""Real engine processes that outlive the window of one test, so that the next window finds them warm."""

from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from engine.messages import (
    Event,
    JobEnded,
    Message,
    OpenScan,
    Ready,
    Request,
    RequestFailed,
    Resume,
    RunStudy,
    Search,
    SearchEnded,
    Stop,
    StudyEnded,
)
from gui.engine_process import EngineProcess, ProcessExit

BARE = """
import runpy
import sys
from engine.messages import Ready
from engine.processes import json_lines
json_lines.warm_up = lambda server, name, threads: server.emit(Ready(backend=name, device="CPU", versions={}))
module = sys.argv.pop(1)
runpy.run_module(module, run_name="__main__")
"""
JOB_ENDS = {Resume: JobEnded, Search: SearchEnded, RunStudy: StudyEnded}


class WarmEngines:
    """The engine processes of a test file, one of each name; it stands in for the class `EngineProcess`.

    Args:
        scratch: the folder that the processes share, instead of one folder per window.
        bare: names of the processes that import no framework until a command needs it, since none in the file does.
    """

    def __init__(self, scratch: Path, bare: Collection[str] = ()) -> None:
        self.scratch, self.bare = scratch, bare
        self.is_kept = True
        self.newest_number = 0
        self.made: list[WarmEngine] = []

    def __call__(
        self, name: str, scratch: Path, backend: str, threads: int = 0, parent: QObject | None = None
    ) -> "WarmEngine":
        """Return the warm engine of this name and backend; build one where there is none."""
        for engine in self.made:
            if engine.is_running() and (engine.name, engine.backend, engine.threads) == (name, backend, threads):
                return engine
        self.made.append(WarmEngine(self, name, backend, threads))
        return self.made[-1]

    def end(self, name: str = "") -> None:
        """End every process: after the last test of the file. Or those of a name, for a next window."""
        self.is_kept = False
        for engine in [each for each in self.made if name in ("", each.name)]:
            self.made.remove(engine)
            engine.shutdown()
            assert not engine.is_running()
            engine.deleteLater()


class WarmEngine(EngineProcess):
    """An engine process that a closing window releases instead of ending it, unless it still works on a job.

    Everything else is the real class: the process, its pipes, its end by a kill or a crash.
    """

    def __init__(self, engines: WarmEngines, name: str, backend: str, threads: int) -> None:
        super().__init__(name, engines.scratch, backend, threads)
        self.name = name
        if name in engines.bare:
            words = self._process.arguments()
            place = words.index("-m")
            self._process.setArguments([*words[:place], "-c", BARE, *words[place + 1 :]])
        self._engines = engines
        self._ready: Ready | None = None
        self._job_end: type[Event] | None = None
        self._asked: set[str] = set()
        self._listen()

    def start(self) -> None:
        """Start the process; one that is warm already says again that it is ready."""
        if not self.is_running():
            super().start()
        elif self._ready:
            QTimer.singleShot(0, self, lambda: self.event_received.emit(self._ready))

    def send(self, message: Message) -> None:
        """Send a command, and note what has to be over before another window may have the process."""
        if isinstance(message, Request):
            self._asked.add(message.panel)
            self._engines.newest_number = max(self._engines.newest_number, message.number)
        self._job_end = JOB_ENDS.get(type(message), self._job_end)
        super().send(message)

    def detach(self) -> None:
        self.shutdown()

    def shutdown(self, wait_ms: int = 3000) -> None:
        """Release the process to the next window; end it where it is not to be kept, or works on a job."""
        if self._engines.is_kept and self._job_end is None and self.is_running():
            self._release()
        else:
            super().shutdown(wait_ms)

    def _release(self) -> None:
        """Cancel what the window has asked, and let it hear no more."""
        self.event_received.disconnect()
        self.ended.disconnect()
        self._listen()
        if self._asked:
            super().send(Stop())
        for panel in self._asked:
            self._engines.newest_number += 1
            super().send(OpenScan(number=self._engines.newest_number, panel=panel, path="/nowhere"))
        self._asked.clear()

    def _listen(self) -> None:
        self.event_received.connect(self._note)
        self.ended.connect(self._note)

    def _note(self, event: Event | ProcessExit) -> None:
        if isinstance(event, Ready):
            self._ready = event
        if self._job_end and isinstance(event, (self._job_end, RequestFailed)):
            self._job_end = None
