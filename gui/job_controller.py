"""The long job of the window: one run, study or search, in an engine process that is kept warm for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from engine.messages import (
    Continue,
    Continued,
    Event,
    JobEnded,
    JobStarted,
    Pause,
    Paused,
    Ready,
    RequestFailed,
    Resume,
    RunStudy,
    Search,
    SearchEnded,
    SearchStarted,
    SearchState,
    Stop,
    StudyEnded,
    StudyProgress,
)
from engine.runs import Run, default_root
from gui.engine_process import EngineProcess, ProcessExit, make_trace
from gui.widgets.timer import make_timer

State = Literal["idle", "starting", "running", "pausing", "paused", "stopping"]
STOP_GRACE_MS = 15_000
TRIALS_GRACE_MS = 40_000  # a search gives its trials 15 s of their own


@dataclass(frozen=True)
class EngineCrash:
    """An engine process died, or had to be ended, with this in its hands (None when it had none)."""

    run: str | None
    sentence: str
    study: str | None = None
    search: str | None = None


class JobController(QObject):
    """Starts, pauses and stops one run at a time, or a study or search, which are many."""

    changed = Signal()
    event_received = Signal(object)
    refused = Signal(object)
    ready = Signal(object)
    engine_crashed = Signal(object)

    def __init__(self, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state: State = "idle"
        self.run: str | None = None
        self.study: str | None = None
        self.search: str | None = None
        self.engine: EngineProcess | None = None
        self._scratch, self._was_ready = scratch, False
        self.find_runs_folder: Callable[[], Path] = default_root
        self._grace = make_timer(self, STOP_GRACE_MS)
        self._grace.timeout.connect(lambda: self.engine.kill() if self.engine else None)

    def warm_up(self, backend: str, threads: int = 0) -> None:
        """Have an engine ready that computes with this backend; one that computes otherwise is replaced."""
        if self.is_busy():
            return
        if (
            self.engine
            and self.engine.is_running()
            and (self.engine.backend, self.engine.threads) == (backend, threads)
        ):
            return
        self.close()
        self._was_ready = False
        self.engine = engine = EngineProcess("job", self._scratch, backend, threads, self)
        engine.trace = make_trace("job", self.find_runs_folder)
        engine.event_received.connect(self._on_event)
        engine.ended.connect(self._on_ended)
        engine.start()

    def start(self, run: Run, epochs: int | None = None, backend: str | None = None) -> None:
        """Train a run from where it stands; `epochs` raises its goal and `backend` changes it when given."""
        training = run.config.training
        self.warm_up(backend or training.backend, training.threads)
        self.run = run.name
        self._send(Resume(run=str(run.path), epochs=epochs, backend=backend), "starting")

    def start_study(self, order: RunStudy, backend: str) -> None:
        """Make a study, or go on with the one that is in its folder; left alone while there is another job."""
        if not self.is_busy():
            self.warm_up(backend)
            self.study = order.out
            self._grace.setInterval(TRIALS_GRACE_MS)
            self._send(order, "starting")

    def start_search(self, order: Search, backend: str) -> None:
        """Search, or go on with the search of that name; left alone while there is another job."""
        if not self.is_busy():
            self.warm_up(backend)
            self.search = order.name
            self._grace.setInterval(TRIALS_GRACE_MS)
            self._send(order, "starting")

    def is_busy(self) -> bool:
        return not (self.run is None and self.study is None and self.search is None)

    def pause(self) -> None:
        if self.is_busy() and self.state in ("starting", "running"):
            self._send(Pause(), "pausing")

    def resume(self) -> None:
        if self.state in ("paused", "pausing"):
            self._send(Continue(), "running")

    def stop(self) -> None:
        """End the job soon and keep what it has; an engine that does not listen is ended by force."""
        if self.is_busy() and self.state != "stopping":
            self._grace.start()
            self._send(Stop(), "stopping")

    def close(self) -> None:
        """Let go of the engine."""
        if self.engine:
            self.engine.detach()
            self.engine = None

    def _send(self, message: Resume | RunStudy | Search | Pause | Continue | Stop, state: State) -> None:
        if self.engine:
            self.engine.send(message)
        self._set_state(state)

    def _set_state(self, state: State) -> None:
        self.state = state
        if state == "idle":
            self.run = self.study = self.search = None
            self._grace.stop()
            self._grace.setInterval(STOP_GRACE_MS)
        self.changed.emit()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Ready):
            self._was_ready = True
            self.ready.emit(event)
        elif isinstance(event, RequestFailed):
            if self.is_busy():
                self._set_state("idle")
            self.refused.emit(event)
        else:
            self.event_received.emit(event)
            self._follow(event)

    def _follow(self, event: Event) -> None:
        if self.search is not None:
            state = state_from_event(event, self.state)
            if state:
                self._set_state(state)
        elif isinstance(event, (JobEnded, StudyEnded)):
            self._set_state("idle")
        elif isinstance(event, Paused) and self.state == "pausing":
            self._set_state("paused")
        elif isinstance(event, (JobStarted, Continued, StudyProgress)) and self.state == "starting":
            self._set_state("running")

    def _on_ended(self, ending: ProcessExit) -> None:
        """Tell of the loss, and have another engine ready, unless this one never was."""
        held, gone, self.engine = (self.run, self.study, self.search), self.engine, None
        stopping = self.state == "stopping"
        if self.is_busy():
            self._set_state("idle")
        if ending.wanted and not stopping:
            return
        text = (
            "The engine did not respond to Stop and was terminated. Completed epochs are saved."
            if stopping
            else ending.sentence
        )
        self.engine_crashed.emit(EngineCrash(held[0], text, *held[1:]))
        if gone and self._was_ready:
            self.warm_up(gone.backend, gone.threads)


def state_from_event(event: Event, now: State) -> State | None:
    """What a search says itself of where it stands, since its trials are held and let go one by one."""
    if isinstance(event, SearchEnded):
        return "idle"
    if isinstance(event, SearchStarted) and now == "starting":
        return "running"
    return event.state if isinstance(event, SearchState) and now not in ("stopping", event.state) else None
