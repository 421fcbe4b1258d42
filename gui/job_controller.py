"""The app's long job: one run, study or search, in an engine process that is kept warm for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from engine.config import AUTO_BACKEND, RunConfig, TrainingConfig
from engine.messages import (
    Continue,
    Continued,
    EstimateRun,
    Event,
    JobEnded,
    JobStarted,
    Pause,
    Paused,
    Ready,
    RequestFailed,
    Resume,
    RunEstimated,
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
from gui.widgets.timers import make_timer

State = Literal["idle", "starting", "running", "pausing", "paused", "stopping"]
STOP_GRACE_MS = 15_000
TRIALS_GRACE_MS = 40_000  # a search first gives its trials 15 s to stop


@dataclass(frozen=True)
class EngineCrash:
    """The job that was lost when an engine process crashed or was killed; fields are None without such a job."""

    run: str | None
    sentence: str
    study: str | None = None
    search: str | None = None


class JobController(QObject):
    """A controller that starts, pauses and stops one job at a time: a run, or a study or search of many runs."""

    changed = Signal()
    event_received = Signal(object)
    refused = Signal(object)
    ready = Signal(object)
    estimated = Signal(object)
    engine_crashed = Signal(object)

    def __init__(self, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state: State = "idle"
        self.run: str | None = None
        self.study: str | None = None
        self.search: str | None = None
        self.engine: EngineProcess | None = None
        # The app closes: an explorer that is ready only now starts no other engine.
        self.is_closing = False
        self._scratch, self._was_ready = scratch, False
        self._measures = 0
        self.find_runs_folder: Callable[[], Path] = default_root
        self._grace = make_timer(self, STOP_GRACE_MS)
        self._grace.timeout.connect(lambda: self.engine.kill() if self.engine else None)

    def warm_up(self, backend: str, threads: int = 0) -> None:
        """Start an engine with this backend; replace one that has another backend or number of threads."""
        if self.is_busy() or self.is_closing:
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

    def estimate(self, config: RunConfig, token: str) -> bool:
        """Measure what a run would cost, instead of an earlier measurement; return False if no free engine can."""
        training, engine = config.training, self.engine
        if self.is_busy() or engine is None or not self._was_ready:
            return False
        wanted = (training.backend, training.threads)
        if training.backend != AUTO_BACKEND and (engine.backend, engine.threads) != wanted:
            self.warm_up(*wanted)  # when it is ready, it measures, and starts without delay
            return False
        self.stop_estimate()
        self._measures += 1
        engine.send(EstimateRun(config=config, token=token))
        return True

    def stop_estimate(self) -> None:
        """End a measurement, so that the engine is free."""
        if self._measures and self.engine:
            self._measures = 0
            self.engine.send(Stop())

    def start(self, run: Run, epochs: int | None = None, backend: str | None = None) -> None:
        """Train a run from its last checkpoint; `epochs` extends it, `backend` replaces its backend."""
        training = run.config.training
        name = backend or training.backend
        if name == AUTO_BACKEND:  # a run that ended before it was chosen
            name = self.engine.backend if self.engine else TrainingConfig().backend
        self.warm_up(name, training.threads)
        self.run = run.name
        self._send(Resume(run=str(run.path), epochs=epochs, backend=backend), "starting")

    def start_study(self, order: RunStudy, backend: str) -> None:
        """Start a study, or resume the one in its folder; do nothing while another job runs."""
        if not self.is_busy():
            self.warm_up(backend)
            self.study = order.out
            self._grace.setInterval(TRIALS_GRACE_MS)
            self._send(order, "starting")

    def start_search(self, order: Search, backend: str) -> None:
        """Start a search, or resume the one of that name; do nothing while another job runs."""
        if not self.is_busy():
            self.warm_up(backend)
            self.search = order.name
            self._grace.setInterval(TRIALS_GRACE_MS)
            self._send(order, "starting")

    def is_busy(self) -> bool:
        return not (self.run is None and self.study is None and self.search is None)

    def trains(self, run: str) -> bool:
        """Return whether a run is the job, or belongs to the search that is."""
        return run == self.run or (self.search is not None and run.startswith(f"{self.search}-"))

    def pause(self) -> None:
        if self.is_busy() and self.state in ("starting", "running"):
            self._send(Pause(), "pausing")

    def resume(self) -> None:
        if self.state in ("paused", "pausing"):
            self._send(Continue(), "running")

    def stop(self) -> None:
        """Stop the job and keep its results; kill an engine that does not respond in time."""
        if self.is_busy() and self.state != "stopping":
            self._grace.start()
            self._send(Stop(), "stopping")

    def close(self) -> None:
        """Detach the engine, which then ends by itself."""
        if self.engine:
            self.engine.detach()
            self.engine = None

    def _send(self, message: Resume | RunStudy | Search | Pause | Continue | Stop, state: State) -> None:
        self.stop_estimate()
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
        elif isinstance(event, RunEstimated):
            self._measures -= bool(self._measures and (event.is_complete or event.reason))
            self.estimated.emit(event)
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
        """Report the lost job, and start another engine unless this one never became ready."""
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
    """Return the state that a search reports of itself: its trials pause and continue one by one.

    Returns None if the event changes nothing.
    """
    if isinstance(event, SearchEnded):
        return "idle"
    if isinstance(event, SearchStarted) and now == "starting":
        return "running"
    return event.state if isinstance(event, SearchState) and now not in ("stopping", event.state) else None
