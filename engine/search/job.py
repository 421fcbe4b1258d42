"""The search job: proposes trials, trains each in a process of its own, and records the results.

Killed at any moment, it resumes the trials that were running from their last epochs, and ends with the same trials,
order, proposals and weights as without the kill (weights: TensorFlow on the CPU in deterministic mode). It trains
nothing in its own process.
"""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import EngramError
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
from engine.search.executor import ProcessExited
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler
from engine.search.search_spec import SearchSpec
from engine.search.storage import Trial, TrialStorage
from engine.search.trial_pool import MedianPruner, RunningTrial, TrialPool, make_executor
from engine.search.wandb_sweep import WandbScheduler

POLL_INTERVAL_S = 0.2
GRACE_S = 15.0
RequestedState = Literal["running", "paused", "stopping"]


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
    """
    begun = folder.prepare_folder(command)
    with begun.lock(), begun.open_storage() as storage:
        spec = search_spec.save_merged_command(storage, command)
        if command.retry_failed:
            _reset_failed(storage)
        described = spec.space.to_dict()
        started = SearchStarted(
            search=begun.name,
            path=str(begun.path),
            base=spec.base,
            space=described,
            settings=spec.settings,
            size=spec.space.size(),
        )
        emit(started)
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
        self.stop_requested = self.pause_requested = self.is_paused = False
        self._stopping_since: float | None = None
        self._deaths: Counter[int] = Counter()
        self._pruner = MedianPruner(search, self.trials)

    @property
    def spec(self) -> SearchSpec:
        """Return the current specification."""
        return self.trials.spec

    def run(self) -> SearchEnded:
        """Search until nothing is left to try, or until a stop."""
        commands.drop_stale(self.ledger)
        try:
            while True:
                self._poll_commands()
                self._start_trials()
                if not self.pool.running and (self._stopping_since is not None or self.trials.is_done()):
                    break
                for number, news in self.pool.poll(POLL_INTERVAL_S):
                    self._on_trial_event(self.pool.running[number], news)
        finally:
            self.pool.close()
            self.trials.close()
        state = (
            "stopped" if not self.trials.is_done() else "exhausted" if self.trials.is_space_exhausted() else "finished"
        )
        return SearchEnded.model_validate({"search": self.search.name, "state": state})

    # ---- commands

    def _poll_commands(self) -> None:
        for verb, content in self.ledger.pop_commands():
            try:
                commands.apply_command(self, verb, content)
            except EngramError as error:
                self.emit(Log(text=str(error), level="warning"))
        if self._stopping_since is None and (self.stop_requested or self.control.should_stop()):
            self._stopping_since = time.monotonic()
            self.pool.send_all(Stop())
            self.emit_state()
        elif self._stopping_since is not None and time.monotonic() - self._stopping_since > GRACE_S:
            self.pool.kill_all()
        if self.is_paused != (self.pause_requested or self.control.is_paused()):
            self.is_paused = not self.is_paused
            self.pool.send_all(Pause() if self.is_paused else Continue())
            self.emit_state()

    def replace_spec(self, spec: SearchSpec) -> None:
        """Continue with another specification."""
        self.ledger.set_attrs(**search_spec.spec_to_attrs(spec))
        self.trials.replace_spec(spec)
        self.emit_state()

    def emit_state(self) -> None:
        """Emit the state of the search."""
        requested: RequestedState = (
            "stopping" if self._stopping_since is not None else "paused" if self.is_paused else "running"
        )
        self.emit(make_search_state(self.search, self.trials, self.pool, requested))

    # ---- start of trials

    def _start_trials(self) -> None:
        """Start trials while there is room."""
        room = self.spec.settings.parallel - len(self.pool.running)
        while room > 0 and not self.is_paused and self._stopping_since is None:
            row = self.trials.next_pending(set(self.pool.running)) or self.propose()
            if row is None:
                return
            self._start(row)
            room = self.spec.settings.parallel - len(self.pool.running)

    def propose(self) -> Trial | None:
        """Propose a new trial. Returns None if there are enough, or none can be proposed now."""
        row = None if self.trials.has_enough() else self.trials.propose()
        if row is not None:
            self.emit_proposed(row)
        return row

    def emit_proposed(self, row: Trial) -> None:
        """Emit that a trial was proposed."""
        self.emit(make_trial_proposed(self.search, row))

    def _start(self, row: Trial) -> None:
        try:
            run = self._run(row)
        except EngramError as error:
            self.finish_trial(row.number, {"state": "failed", "reason": str(error)})
            return
        ended, curve = trial_pool.find_last_job_end(run), trial_pool.list_val_losses(run)
        prune_epoch = self._pruner.find_prune_epoch(row.number, run, curve)
        if prune_epoch is not None:
            self.finish_trial(row.number, trial_pool.pruned_result(run, prune_epoch))
        elif ended and (_is_unreported_failure(ended, row) or len(curve) >= run.config.training.epochs):
            self.finish_trial(row.number, trial_pool.from_job_end(run, ended) or trial_pool.finished_result(run))
        else:
            self.trials.update(row.number, state="running", run=run.name)
            self.pool.start(row.number, run)
            if self.trials.expects_more(set(self.pool.running)):
                self.pool.prewarm(self.spec.base.training.backend)
            self.emit_state()

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
            self._on_trial_exit(trial, news)
        elif isinstance(news, JobEnded | RequestFailed):
            trial.ended = news
        elif isinstance(news, Paused | Continued):
            trial.is_paused = isinstance(news, Paused)
            self.emit_state()
        elif isinstance(news, JobStarted):
            known: dict[str, Any] = {"number": trial.number, "run": news.run, "epochs": news.epochs}
            self.emit(TrialStarted(search=self.search.name, first_epoch=news.first_epoch, **known))
        elif isinstance(news, Progress | Log | EpochEnded):
            self.emit(news)
            if isinstance(news, EpochEnded):
                self._on_epoch(trial, news)

    def _on_epoch(self, trial: RunningTrial, ended: EpochEnded) -> None:
        self._deaths[trial.number] = 0
        self.trials.record_epoch(trial.number, ended.epoch, ended.metrics)
        if trial.pruned_at is None:
            curve = trial_pool.list_val_losses(trial.run)[: ended.epoch]
            trial.pruned_at = self._pruner.find_prune_epoch(trial.number, trial.run, curve)
            if trial.pruned_at is not None:
                trial.send(Stop())

    def _on_trial_exit(self, trial: RunningTrial, gone: ProcessExited) -> None:
        number, run = trial.number, trial.run
        self.pool.remove(number)
        if trial.pruned_at is not None:
            changes: dict[str, Any] | None = trial_pool.pruned_result(run, trial.pruned_at)
        elif trial.ended is not None:
            changes = trial_pool.from_job_end(run, trial.ended)
        else:
            self._deaths[number] += self._stopping_since is None
            changes = trial_pool.from_crash(run, gone.code, gone.last_line, self._deaths[number])
        if trial.stop_requested and changes is None:
            changes = trial_pool.stopped_result(run)
        if changes is not None:
            self.finish_trial(number, changes)

    def finish_trial(self, number: int, changes: dict[str, Any]) -> None:
        """Record how a trial ended, and emit it."""
        run = self.trials.rows[number].run
        # Before the result is stored: no code returns to a trial that has ended.
        if run:
            trial_pool.prune_checkpoints(Run(self.search.root / run))
        row = self.trials.update(number, **changes)
        self.emit(make_trial_ended(self.search, row))
        self.emit_state()


def _is_unreported_failure(ended: JobEnded, row: Trial) -> bool:
    """Return whether a trial failed without a search to record it; a trial that was queued again must be retried."""
    return ended.state == "failed" and row.state == "running"


def make_trial_proposed(search: SearchFolder, row: Trial) -> TrialProposed:
    """Return the event of a new trial."""
    run = search.run_name(row.number)
    return TrialProposed(search=search.name, number=row.number, run=run, values=row.config, origin=row.origin)


def make_trial_ended(search: SearchFolder, row: Trial) -> TrialEnded:
    """Return the event of a trial that has ended."""
    known = {name: getattr(row, name) for name in TrialEnded.model_fields if hasattr(row, name)}
    return TrialEnded.model_validate({"search": search.name, **known})


def make_search_state(
    search: SearchFolder, trials: TrialScheduler, pool: TrialPool, requested: RequestedState
) -> SearchState:
    """Return the state of a search; it is pausing while some trial still trains."""
    rows, goal = trials.all(), trials.spec.settings.trials
    over, best = [row for row in rows if row.is_done], statistics.find_best_trial(rows)
    left = statistics.count_points_left(trials.spec.space, rows)
    ahead = max(0, goal - len(rows)) if left is None else min(left, max(0, goal - len(rows)))
    holding = all(process.is_paused for process in pool.running.values())
    return SearchState(
        search=search.name,
        state="pausing" if requested == "paused" and not holding else requested,
        done=len(over),
        failed=sum(row.state == "failed" for row in over),
        running=len(pool.running),
        trials=goal,
        left=left,
        left_s=statistics.estimate_remaining_s(rows, ahead + len(rows) - len(over), trials.spec.settings.parallel),
        best=best.number if best else None,
        best_score=best.score if best else None,
    )
