"""The search job: proposes trials, trains each in a process of its own, and records the results.

Killed at any moment, it resumes the trials that were running from their last epochs, and ends with the same trials,
order, proposals and weights as without the kill (weights: TensorFlow on the CPU in deterministic mode). It trains
nothing in its own process.
"""

import time
from dataclasses import dataclass
from typing import Any

from engine.errors import EngramError, SearchError
from engine.job_context import JobContext
from engine.messages import (
    Continue,
    Continued,
    Emit,
    EpochEnded,
    Event,
    JobStarted,
    Log,
    Pause,
    Paused,
    Progress,
    SearchEnded,
    SearchStarted,
    ShouldStop,
    Stop,
    TrialEnded,
    TrialProposed,
    TrialStarted,
    discard_event,
    never_stop,
)
from engine.messages import Search as Order
from engine.runs import Run
from engine.search import commands, folder, search_spec, statistics, trial_pool
from engine.search.commands import QueuedCommand
from engine.search.executor import ProcessExited
from engine.search.folder import SearchFolder
from engine.search.pruner import MedianPruner
from engine.search.scheduler import TrialScheduler
from engine.search.search_spec import SearchSpec
from engine.search.statistics import ActiveState
from engine.search.storage import Trial, TrialResult, TrialStorage
from engine.search.trial_pool import BY_HAND, RunningTrial, TrialPool, make_executor
from engine.search.wandb_sweep import WandbScheduler
from engine.training.backend_choice import resolve_backend

POLL_INTERVAL_S = 0.2
GRACE_S = 15.0


@dataclass(frozen=True)
class StopAndPause:
    """Callbacks with which the caller stops or pauses a search; neither may block."""

    should_stop: ShouldStop
    is_paused: ShouldStop


def search(
    command: Order,
    *,
    emit: Emit = discard_event,
    should_stop: ShouldStop = never_stop,
    is_paused: ShouldStop = never_stop,
) -> SearchFolder:
    """Search for good settings, or resume a search.

    Args:
        command: what to search; the name alone resumes the search of that name.
        emit: receives each event as it happens.
        should_stop: polled several times a second; True stops the search and its trials, which can be resumed.
        is_paused: polled as often; True pauses the running trials.

    Returns:
        The search; its database has the trials.

    Raises:
        EngramError: the command is not valid, or the search cannot continue.

    Example:
        if __name__ == "__main__":
            base = engine.config.preset("study-ae")
            space = {"latent": [64, 256]}
            command = engine.messages.Search(name="latent", base=base, space=space, settings={"trials": 2})
            with search(command).open_storage() as storage:
                print([(trial.config, trial.score) for trial in storage.trials()])
    """
    if command.base is not None:
        base, reason = resolve_backend(command.base, JobContext(should_stop), is_in_process=False)
        command = command.model_copy(update={"base": base})
        if reason:
            emit(Log(text=reason))
    begun = folder.prepare_folder(command)
    with begun.lock(), begun.open_storage() as storage:
        spec = search_spec.save_merged_command(storage, command)
        if command.retry_failed:
            _reset_failed(storage)
        known: dict[str, Any] = {"base": spec.base, "space": spec.space.to_dict(), "settings": spec.settings}
        emit(SearchStarted(search=begun.name, path=str(begun.path), size=spec.space.size(), **known))
        try:
            ended = SearchRunner(begun, storage, emit, StopAndPause(should_stop, is_paused)).run()
        except EngramError as error:
            emit(SearchEnded(search=begun.name, state="failed", reason=error.what, advice=error.advice))
            raise
    emit(ended)
    return begun


def _reset_failed(storage: TrialStorage) -> None:
    """Queue failed trials again, except those that completed without a finite loss."""
    for row in storage.trials():
        if row.state == "failed" and row.reason != trial_pool.NO_NUMBER:
            storage.update_trial(row.number, state="proposed", reason="")


class SearchRunner:
    """Runner of one search.

    Args:
        search: its folder, which is locked.
        storage: its database.
        emit: receives each event.
        control: stop and pause of the caller; commands from elsewhere arrive through the database.
    """

    def __init__(self, search: SearchFolder, storage: TrialStorage, emit: Emit, control: StopAndPause) -> None:
        self.search, self.ledger, self.emit, self.control = search, storage, emit, control
        spec = search_spec.spec_from_attrs(storage)
        self.trials = (
            TrialScheduler(storage, spec) if spec.settings.tuner != "wandb" else WandbScheduler(storage, spec, search)
        )
        self.pool = TrialPool(make_executor(spec.settings, search.path), search.path)
        self._stop_requested = self._pause_requested = self._is_paused = False
        self._stopping_since: float | None = None
        self._pruner = MedianPruner(search, self.trials)

    @property
    def spec(self) -> SearchSpec:
        """Return the current specification."""
        return self.trials.spec

    def run(self) -> SearchEnded:
        """Search until nothing is left to try, or until a stop."""
        self.ledger.drop_transient_commands()
        try:
            while True:
                self._poll_commands()
                self._start_trials()
                if not self.pool.running and (self._stopping_since is not None or self.trials.is_done()):
                    break
                for trial, news in self.pool.poll(POLL_INTERVAL_S):
                    self._on_trial_event(trial, news)
        finally:
            self.pool.close()
            self.trials.close()
        state = (
            "stopped" if not self.trials.is_done() else "exhausted" if self.trials.is_space_exhausted() else "finished"
        )
        return SearchEnded.model_validate({"search": self.search.name, "state": state})

    # ---- commands

    def _poll_commands(self) -> None:
        for command in self.ledger.pop_commands():
            try:
                self._apply(command)
            except EngramError as error:
                self.emit(Log(text=str(error), level="warning"))
        if self._stopping_since is None and (self._stop_requested or self.control.should_stop()):
            self._stopping_since = time.monotonic()
            self.pool.stop_all()
            self._emit_state()
        elif self._stopping_since is not None and time.monotonic() - self._stopping_since > GRACE_S:
            self.pool.kill_all()
        if self._is_paused != (self._pause_requested or self.control.is_paused()):
            self._is_paused = not self._is_paused
            self.pool.send_all(Pause() if self._is_paused else Continue())
            self._emit_state()

    def _apply(self, command: QueuedCommand) -> None:
        match command:
            case commands.StopSearch():
                self._stop_requested = True
            case commands.PauseSearch() | commands.ContinueSearch():
                self._pause_requested = isinstance(command, commands.PauseSearch)
            case commands.EndTrial(number):
                self._end_trial(number)
            case commands.AddTrial(values):
                row = self.trials.enqueue(values)
                if row is None:
                    raise SearchError("This configuration has already been tried.", "See the list of trials.")
                self._emit_proposed(row)
                self._emit_state()
            case commands.ReplaceSpace() | commands.ChangeTrialCount():
                spec = search_spec.change_spec(self.spec, command)
                self.ledger.set_attrs(**search_spec.spec_to_attrs(spec))
                self.trials.replace_spec(spec)
                self._emit_state()

    def _end_trial(self, number: int) -> None:
        """Ask a running trial to stop; end a waiting one at once."""
        trial, row = self.pool.running.get(number), self.trials.rows.get(number)
        if row is None or row.is_done:
            raise SearchError(f"Trial {number} is not running.")
        if trial is None:
            self._finish_trial(number, TrialResult("stopped", BY_HAND, epochs=row.epochs, seconds=row.seconds))
        else:
            trial.stop_requested = True
            trial.stop()

    def _emit_state(self) -> None:
        """Emit the state of the search."""
        rows, running = self.trials.all(), len(self.pool.running)
        self.emit(statistics.make_search_state(self.search.name, self.spec, rows, running, self._state()))

    def _state(self) -> ActiveState:
        """Return the state of the search; it is pausing while some trial still trains."""
        if self._stopping_since is not None:
            return "stopping"
        if not self._is_paused:
            return "running"
        return "paused" if all(trial.is_paused for trial in self.pool.running.values()) else "pausing"

    # ---- start of trials

    def _start_trials(self) -> None:
        """Start trials while there is room."""
        room = self.spec.settings.parallel - len(self.pool.running)
        while room > 0 and not self._is_paused and self._stopping_since is None:
            row = self.trials.next_pending(set(self.pool.running)) or self._propose()
            if row is None:
                return
            self._start(row)
            room = self.spec.settings.parallel - len(self.pool.running)

    def _propose(self) -> Trial | None:
        """Propose a new trial. Returns None if there are enough, or none can be proposed now."""
        row = None if self.trials.has_enough() else self.trials.propose()
        if row is not None:
            self._emit_proposed(row)
        return row

    def _emit_proposed(self, row: Trial) -> None:
        run = self.search.run_name(row.number)
        known: dict[str, Any] = {"number": row.number, "run": run, "values": row.config, "origin": row.origin}
        self.emit(TrialProposed(search=self.search.name, **known))

    def _start(self, row: Trial) -> None:
        """Start a trial, or finish it if its run has all that it needs."""
        try:
            run = self._run(row)
        except EngramError as error:
            self._finish_trial(row.number, TrialResult("failed", str(error), epochs=row.epochs, seconds=row.seconds))
            return
        prune_epoch = self._pruner.find_prune_epoch(row.number, run, folder.list_val_losses(run))
        if prune_epoch is None:
            result = trial_pool.find_earlier_result(run, row)
        else:
            result = trial_pool.pruned_result(run, prune_epoch)
        if result is not None:
            self._finish_trial(row.number, result)
            return
        self.trials.start(row.number, run.name)
        self.pool.start(row.number, run)
        if self.trials.expects_more(set(self.pool.running)):
            self.pool.prewarm(self.spec.base.training.backend)
        self._emit_state()

    def _run(self, row: Trial) -> Run:
        """Return the run of a trial, which may continue from another trial's."""
        settings, parent = self.spec.trial(row.config), row.place.get("parent")
        path = self.search.root / self.search.run_name(row.number)
        if parent is not None and folder.can_continue_exactly(settings):
            folder.continue_from(Run(self.search.root / self.search.run_name(parent)), path)
        return folder.create_or_reopen_run(self.search, row.number, settings)

    # ---- events of trials

    def _on_trial_event(self, trial: RunningTrial, news: Event | ProcessExited) -> None:
        if isinstance(news, ProcessExited):
            result = self.pool.collect(trial, news, self._stopping_since is not None)
            if result is not None:
                self._finish_trial(trial.number, result)
        elif isinstance(news, Paused | Continued):
            self._emit_state()
        elif isinstance(news, JobStarted):
            known: dict[str, Any] = {"number": trial.number, "run": news.run, "epochs": news.epochs}
            self.emit(TrialStarted(search=self.search.name, first_epoch=news.first_epoch, **known))
        elif isinstance(news, Progress | Log | EpochEnded):
            self.emit(news)
            if isinstance(news, EpochEnded):
                self._on_epoch(trial, news)

    def _on_epoch(self, trial: RunningTrial, ended: EpochEnded) -> None:
        self.trials.record_epoch(trial.number, ended.epoch, ended.metrics)
        if trial.pruned_at is None:
            curve = folder.list_val_losses(trial.run)[: ended.epoch]
            trial.pruned_at = self._pruner.find_prune_epoch(trial.number, trial.run, curve)
            if trial.pruned_at is not None:
                trial.send(Stop())

    def _finish_trial(self, number: int, result: TrialResult) -> None:
        """Record how a trial ended, and emit it."""
        run = self.trials.rows[number].run
        # Before the result is stored: no code returns to a trial that has ended.
        if run:
            folder.prune_checkpoints(Run(self.search.root / run))
        row = self.trials.finish(number, result)
        known = {name: getattr(row, name) for name in TrialEnded.model_fields if hasattr(row, name)}
        self.emit(TrialEnded.model_validate({"search": self.search.name, **known}))
        self._emit_state()
