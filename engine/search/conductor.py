"""Keeps as many trials running as are wanted, hears what they and the user say, and notes it in the ledger."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

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
    Refused,
    SearchEnded,
    ShouldStop,
    Stop,
    TrialStarted,
)
from engine.runs import Run
from engine.search import announcements, folder, orders, outcome, promotion, standing
from engine.search.announcements import Wished
from engine.search.fleet import Fleet, RunningTrial, place_of
from engine.search.folder import Plan, Search
from engine.search.judge import Judge
from engine.search.ledger import Ledger, Trial
from engine.search.places import Gone
from engine.search.sweep import SweepTrials
from engine.search.trials import Trials

TICK_S = 0.2
GRACE_S = 15.0


@dataclass(frozen=True)
class Wishes:
    """How whoever started the search is asked what they want; neither may wait."""

    should_stop: ShouldStop
    is_paused: ShouldStop


class Conductor:
    """One search being carried out.

    Args:
        search: its folder, which is locked.
        ledger: its ledger.
        emit: takes each event.
        wishes: of whoever started it; those of others come through the ledger.
    """

    def __init__(self, search: Search, ledger: Ledger, emit: Emit, wishes: Wishes) -> None:
        self.search, self.ledger, self.emit, self.wishes = search, ledger, emit, wishes
        plan = folder.plan_of(ledger)
        self.trials = Trials(ledger, plan) if plan.settings.tuner != "wandb" else SweepTrials(ledger, plan, search)
        self.fleet = Fleet(place_of(plan.settings, search.path), search.path)
        self.stop_wished = self.pause_wished = self.is_paused = False
        self._stopping_since: float | None = None
        self._deaths: Counter[int] = Counter()
        self._judge = Judge(search, self.trials)

    @property
    def plan(self) -> Plan:
        """What is searched now."""
        return self.trials.plan

    def conduct(self) -> SearchEnded:
        """Search until there is nothing left to try, or until asked to stop."""
        orders.forget_stale(self.ledger)
        try:
            while True:
                self._hear()
                self._fill()
                if not self.fleet.running and (self._stopping_since is not None or self.trials.are_done()):
                    break
                for number, news in self.fleet.news(TICK_S):
                    self._on_news(self.fleet.running[number], news)
        finally:
            self.fleet.close()
            self.trials.close()
        state = "stopped" if not self.trials.are_done() else "exhausted" if self.trials.are_used_up() else "finished"
        return SearchEnded.model_validate({"search": self.search.name, "state": state})

    # ---- what is wished

    def _hear(self) -> None:
        for verb, content in self.ledger.take_wishes():
            try:
                orders.carry_out(self, verb, content)
            except EngramError as error:
                self.emit(Log(text=str(error), level="warning"))
        if self._stopping_since is None and (self.stop_wished or self.wishes.should_stop()):
            self._stopping_since = time.monotonic()
            self.fleet.say(Stop())
            self.tell()
        elif self._stopping_since is not None and time.monotonic() - self._stopping_since > GRACE_S:
            self.fleet.end()
        if self.is_paused != (self.pause_wished or self.wishes.is_paused()):
            self.is_paused = not self.is_paused
            self.fleet.say(Pause() if self.is_paused else Continue())
            self.tell()

    def turn_to(self, plan: Plan) -> None:
        """Go on with another plan."""
        self.ledger.state(**folder.facts(plan))
        self.trials.turn_to(plan)
        self.tell()

    def tell(self) -> None:
        """Say where the search stands."""
        wished: Wished = "stopping" if self._stopping_since is not None else "paused" if self.is_paused else "running"
        self.emit(announcements.state(self.search, self.trials, self.fleet, wished))

    # ---- trials begin

    def _fill(self) -> None:
        """Start trials while there is room."""
        room = self.plan.settings.parallel - len(self.fleet.running)
        while room > 0 and not self.is_paused and self._stopping_since is None:
            row = self.trials.waiting(set(self.fleet.running)) or self.propose()
            if row is None:
                return
            self._start(row)
            room = self.plan.settings.parallel - len(self.fleet.running)

    def propose(self) -> Trial | None:
        """A new trial, if one is wanted and can be proposed now."""
        row = None if self.trials.are_enough() else self.trials.propose()
        if row is not None:
            self.emit(announcements.proposed(self.search, row))
        return row

    def _start(self, row: Trial) -> None:
        try:
            run = self._run(row)
        except EngramError as error:
            self.conclude(row.number, {"state": "failed", "reason": str(error)})
            return
        ended, curve = standing.ending(run), standing.losses(run)
        hopeless = self._judge.hopeless_at(row.number, run, curve)
        if hopeless is not None:
            self.conclude(row.number, outcome.given_up(run, hopeless))
        elif ended and (_is_news(ended, row) or len(curve) >= run.config.training.epochs):
            self.conclude(row.number, outcome.of_ended(run, ended) or outcome.finished(run))
        else:
            self.trials.note(row.number, state="running", run=run.name)
            self.fleet.start(row.number, run)
            if self.trials.are_to_follow(set(self.fleet.running)):
                self.fleet.expect(self.plan.base.training.backend)
            self.tell()

    def _run(self, row: Trial) -> Run:
        """The run of a trial, which may go on from another trial's."""
        settings, parent = self.plan.trial(row.config), row.place.get("parent")
        path = self.search.root / self.search.run_name(row.number)
        if parent is not None and promotion.is_exact(settings):
            promotion.promote(Run(self.search.root / self.search.run_name(parent)), path)
        return folder.run_of(self.search, row.number, settings)

    # ---- what trials say

    def _on_news(self, trial: RunningTrial, news: Event | Gone) -> None:
        if isinstance(news, Gone):
            self._on_gone(trial, news)
        elif isinstance(news, JobEnded | Refused):
            trial.ended = news
        elif isinstance(news, Paused | Continued):
            trial.is_paused = isinstance(news, Paused)
            self.tell()
        elif isinstance(news, JobStarted):
            known: dict[str, Any] = {"number": trial.number, "run": news.run, "epochs": news.epochs}
            self.emit(TrialStarted(search=self.search.name, first_epoch=news.first_epoch, **known))
        elif isinstance(news, Progress | Log | EpochEnded):
            self.emit(news)
            if isinstance(news, EpochEnded):
                self._on_epoch(trial, news)

    def _on_epoch(self, trial: RunningTrial, ended: EpochEnded) -> None:
        self._deaths[trial.number] = 0
        self.trials.tell_epoch(trial.number, ended.epoch, ended.metrics)
        if trial.hopeless_at is None:
            curve = standing.losses(trial.run)[: ended.epoch]
            trial.hopeless_at = self._judge.hopeless_at(trial.number, trial.run, curve)
            if trial.hopeless_at is not None:
                trial.say(Stop())

    def _on_gone(self, trial: RunningTrial, gone: Gone) -> None:
        number, run = trial.number, trial.run
        self.fleet.dismiss(number)
        if trial.hopeless_at is not None:
            changes: dict[str, Any] | None = outcome.given_up(run, trial.hopeless_at)
        elif trial.ended is not None:
            changes = outcome.of_ended(run, trial.ended)
        else:
            self._deaths[number] += self._stopping_since is None
            changes = outcome.of_death(run, gone.code, gone.last_words, self._deaths[number])
        if trial.is_unwanted and changes is None:
            changes = outcome.stopped(run)
        if changes is not None:
            self.conclude(number, changes)

    def conclude(self, number: int, changes: dict[str, Any]) -> None:
        """Note how a trial ended, and tell."""
        run = self.trials.rows[number].run
        if run:  # before it is noted: nobody looks at a trial again that is over
            standing.thin(Run(self.search.root / run))
        row = self.trials.note(number, **changes)
        self.emit(announcements.ended(self.search, row))
        self.tell()


def _is_news(ended: JobEnded, row: Trial) -> bool:
    """Whether a trial failed while nobody listened; one that is proposed anew is to be tried again."""
    return ended.state == "failed" and row.state == "running"
