"""Training of a study's runs: the two runs of a quick study, a run in its own process, and their progress."""

import queue
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import config, runs
from engine.config import RunConfig
from engine.errors import EngramError, StudyError, TrainingError
from engine.messages import (
    Continue,
    Continued,
    Emit,
    EpochEnded,
    Event,
    JobEnded,
    JobStarted,
    Log,
    Pause,
    Paused,
    Progress,
    RequestFailed,
    SearchEnded,
    SearchStarted,
    SearchState,
    Stop,
    StudyProgress,
    TrialEnded,
)
from engine.reproduction import published
from engine.reproduction.trials import StudyRun, from_run
from engine.runs import Run
from engine.search.executor import ProcessExited, TrialMessage, TrialProcess, TrialTask
from engine.search.job import StopAndPause
from engine.study_folder import StudyFolder

OTHER = "The folder {} contains a study with other settings: its {} differs."
ADVICE = "Choose another folder, or use the settings of the existing study."
POLL_INTERVAL_S = 0.1
GRACE_S = 60.0


class ProgressRelay:
    """Receiver that translates the events of runs and searches.

    Args:
        emit: receives the study's own events.
        total: number of runs in the study.
        done: number of runs that have ended.
    """

    def __init__(self, emit: Emit, total: int, done: int = 0) -> None:
        self.emit, self.total, self.done = emit, total, done
        # How the search ended.
        self.ended = ""
        self._before, self._is_held, self._unit = done, False, ""

    def begin(self, done: int) -> None:
        """Start the next part of the study, with `done` of its runs ended."""
        self.done = self._before = done

    def __call__(self, event: Event) -> None:
        """Translate an event of a run or of a search into those of the study."""
        if isinstance(event, Progress):
            share = (event.epoch - 1 + event.batch / max(event.batches, 1)) / max(event.epochs, 1)
            minutes = f"{event.left_s / 60:.0f} min" if event.left_s >= 90 else f"{event.left_s:.0f} s"
            self.emit_progress(event.run, f"epoch {event.epoch} of {event.epochs} · {minutes} left for this run", share)
        elif isinstance(event, EpochEnded):
            value = event.metrics.get("val_loss", float("nan"))
            self.emit_progress(event.run, f"epoch {event.epoch} done, validation loss {value:.5g}")
        elif isinstance(event, (Paused, Continued)) or (isinstance(event, Log) and event.level != "info"):
            self.emit(event)
        elif isinstance(event, SearchState):
            self._on_state(event)
        else:
            self._on_search(event)

    def _on_search(self, event: Event) -> None:
        if isinstance(event, SearchStarted):
            self._unit = event.base.model.loss_unit
        elif isinstance(event, TrialEnded) and event.score is None:
            self.emit(Log(text=f"{event.run} {event.state}. {event.reason}".strip(), level="warning"))
        elif isinstance(event, TrialEnded):
            self.log_run_end(event.run, event.state, event.score, event.best_epoch, self._unit)
        elif isinstance(event, SearchEnded):
            self.ended = event.state

    def _on_state(self, event: SearchState) -> None:
        """Update the count; a search reports its pause as a state, once all its trials are paused."""
        self.done = self._before + event.done
        if event.state == "paused" and not self._is_held:
            self.emit(Paused(run=event.search))
        elif event.state != "paused" and self._is_held:
            self.emit(Continued(run=event.search))
        self._is_held = event.state == "paused"

    def emit_progress(self, name: str, text: str, share: float | None = None) -> None:
        """Emit the progress of a run."""
        whole = None if share is None else (self.done + share) / max(self.total, 1)
        line = f"{name} · run {min(self.done + 1, self.total)} of {self.total} · {text}"
        self.emit(StudyProgress(stage="training", text=line, share=whole))

    def log_run_end(self, name: str, state: str, loss: float | None, epoch: int | None, unit: str) -> None:
        """Log that a run has ended, with its best validation loss, None if it has none."""
        text = f"{name} ({self.done + 1} of {self.total}) {state}"
        if loss is not None:
            text += f", validation loss {loss:,.6g} {unit}".rstrip() + f" in epoch {epoch}"
        self.emit(Log(text=f"{text}."))


class PresetRuns:
    """Source of the two runs of a quick study.

    Args:
        study: its folder.
        bases: the settings of each model.
    """

    searches: Mapping[str, Any] = {}

    def __init__(self, study: StudyFolder, bases: Mapping[str, RunConfig]) -> None:
        self.study = study
        self.planned = {published.claim(model).preset: settings for model, settings in bases.items()}

    @property
    def count(self) -> int:
        """Return the number of runs."""
        return len(self.planned)

    def check(self) -> None:
        """Check that the folder holds no other study.

        Raises:
            StudyError: a run with other settings has the name of a planned run.
        """
        self._existing_runs()

    def trials(self) -> list[StudyRun]:
        """Return the runs so far."""
        return [from_run(run) for run in self._existing_runs().values()]

    def train(self, emit: Emit, control: StopAndPause) -> bool:
        """Train the unfinished runs. Returns False if stopped. A run that fails does not prevent the other."""
        known, follower = self._existing_runs(), ProgressRelay(emit, self.count)
        for number, (name, settings) in enumerate(self.planned.items()):
            if control.should_stop():
                return False
            run = known.get(name) or runs.create_run(settings, name, self.study.runs)
            follower.begin(number)
            if run.state() != "finished":
                self._train(run, follower, control)
        return not control.should_stop()

    def _train(self, run: Run, follower: ProgressRelay, control: StopAndPause) -> None:
        follower.emit_progress(run.name, "starting")
        try:
            train_in_process(run, follower, control, self.study.path / f"{run.name}.log")
        except EngramError as error:
            follower.emit(Log(text=str(error), level="warning"))
            return
        trial = from_run(run)
        loss, epoch = (trial.loss, int(trial.best["epoch"])) if trial.best else (None, None)
        follower.log_run_end(run.name, trial.state, loss, epoch, run.config.model.loss_unit)

    def _existing_runs(self) -> dict[str, Run]:
        found = {name: self._find(name, settings) for name, settings in self.planned.items()}
        return {name: run for name, run in found.items() if run is not None}

    def _find(self, name: str, settings: RunConfig) -> Run | None:
        """Return the run of the folder that has the planned settings, whatever its name. Returns None if there is none.

        Raises:
            StudyError: the name, or one that the preset had before, is taken by a run with other settings.
        """
        known = {run.name: run for run in runs.list_runs(self.study.runs)}
        former = [old for old, new in config.PRESET_ALIASES.items() if new == name]
        first = [known[each] for each in (name, *former) if each in known]
        for run in [*first, *known.values()]:
            found = _settings(run)
            if found is not None and config.is_continuation(found, settings):
                return run
        if first:
            raise StudyError(OTHER.format(self.study.path, f"run {first[0].name}"), ADVICE)
        return None


def _settings(run: Run) -> RunConfig | None:
    try:
        return run.config
    except EngramError:
        return None


def train_in_process(run: Run, emit: Emit, control: StopAndPause, log: Path) -> None:
    """Train a run from its last epoch in another process, until that process reports the end.

    Args:
        run: the run.
        emit: receives the events of the run.
        control: polled throughout; a stop keeps the run.
        log: file for the other output of the process; removed unless the process crashes.

    Raises:
        TrainingError: the process crashed.
        EngramError: the run cannot be trained.
    """
    inbox: queue.Queue[TrialMessage] = queue.Queue()
    process = TrialProcess(run.config.training.backend, log)
    process.train(TrialTask(1, run, log), inbox)
    try:
        ended, gone = _relay(process, run.name, inbox, emit, control)
    finally:
        process.kill()
        process.close()
    if ended is None:
        how = f"signal {-gone.code}" if gone.code < 0 else f"exit code {gone.code}"
        advice = "Completed epochs are saved; start the study again to resume."
        raise TrainingError(f"The process that trained {run.name} ended unexpectedly ({how}).", advice)
    log.unlink(missing_ok=True)
    if isinstance(ended, RequestFailed):
        raise EngramError(ended.reason, ended.advice)


def _relay(
    process: TrialProcess, run: str, inbox: "queue.Queue[TrialMessage]", emit: Emit, control: StopAndPause
) -> tuple[JobEnded | RequestFailed | None, ProcessExited]:
    """Pass on events and commands until the process exits; return its last event and its exit."""
    ended: JobEnded | RequestFailed | None = None
    deadline, is_held, has_started = float("inf"), False, False
    while True:
        if deadline == float("inf") and control.should_stop():
            if has_started:
                process.send(Stop())
            else:
                # It has nothing to keep, and would wait for its framework.
                ended = JobEnded(run=run, state="stopped")
                process.kill()
            deadline = time.monotonic() + GRACE_S
        if is_held != control.is_paused():
            is_held = not is_held
            process.send(Pause() if is_held else Continue())
        if time.monotonic() > deadline:
            process.kill()
        try:
            _, news = inbox.get(timeout=POLL_INTERVAL_S)
        except queue.Empty:
            continue
        if isinstance(news, ProcessExited):
            return ended, news
        has_started = has_started or isinstance(news, JobStarted)
        if isinstance(news, (JobEnded, RequestFailed)):
            ended = news
        emit(news)
