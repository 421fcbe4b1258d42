"""Order of the trials: pending ones first, then the oracle's proposals, independent of timing.

The oracle receives results in the order of the trials. With K parallel trials, it knows the results of all trials up to
n - K before it proposes trial n. So the proposals do not depend on which trial ended first, and a search that was
killed proposes the same ones.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from engine import backend, config
from engine.errors import SearchError
from engine.search import statistics
from engine.search.samplers import IDLE, Status, Suggestion
from engine.search.search_spec import SearchSpec
from engine.search.space import config_key
from engine.search.storage import Place, Trial, TrialResult, TrialStorage


class AskTellOracle(Protocol):
    """Part of `engine.search.oracle.Oracle` that a scheduler uses; importing that module imports KerasTuner."""

    def ask(self) -> Suggestion | Status | None:
        """Propose the next trial."""

    def register(self, row: Trial) -> None:
        """Add a trial that is in the database."""

    def tell(self, row: Trial) -> None:
        """Record how a trial ended."""

    def has_result(self, number: int) -> bool:
        """Return whether `tell` has recorded the end of a trial."""


class TrialScheduler:
    """Scheduler that keeps the trials of a search and its oracle in sync with the database.

    Args:
        storage: database of the search.
        spec: the specification of the search.
    """

    def __init__(self, storage: TrialStorage, spec: SearchSpec) -> None:
        self.storage, self.spec = storage, spec
        self.rows = {trial.number: trial for trial in storage.trials()}
        self.is_exhausted = False
        self._oracle: AskTellOracle | None = None
        self._not_before = 0

    def replace_spec(self, spec: SearchSpec) -> None:
        """Continue over another space; the trials so far remain."""
        self.spec, self._oracle, self.is_exhausted, self._not_before = spec, None, False, 0

    def start(self, number: int, run: str) -> None:
        """Record that a trial trains its run."""
        self.storage.update_trial(number, state="running", run=run)
        self._reload(number)

    def record_epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Record a completed epoch of a running trial."""
        self.storage.update_trial(number, epochs=epoch)
        self._reload(number)

    def finish(self, number: int, result: TrialResult) -> Trial:
        """Record the result of a trial; the oracle receives it in the order of the trials, before its next proposal."""
        self.storage.finish_trial(number, result)
        return self._reload(number)

    def _reload(self, number: int) -> Trial:
        self.rows[number] = next(trial for trial in self.storage.trials() if trial.number == number)
        return self.rows[number]

    def close(self) -> None:
        """Release everything; there is nothing here."""

    def enqueue(self, values: Mapping[str, Any], origin: str = "hand") -> Trial | None:
        """Queue a configuration as the next trial. Returns None if it was proposed before.

        Raises:
            ConfigError: the values are not valid settings.
        """
        fixed = config.to_flat(self.spec.base)
        full = {name: fixed[name] for name in self.spec.space.names if name in fixed} | dict(values)
        found = config.to_flat(config.from_flat(full, self.spec.base))
        return self._add({name: found[name] for name in full}, origin, {})

    def all(self) -> list[Trial]:
        """Return every trial in the order proposed."""
        return list(self.rows.values())

    def has_enough(self) -> bool:
        """Return whether the requested number of trials has been proposed."""
        return len(self.rows) >= self.spec.settings.trials

    def is_done(self) -> bool:
        """Return whether no trial is pending and none will follow."""
        return self.next_pending(set()) is None and (self.has_enough() or self.is_exhausted)

    def is_space_exhausted(self) -> bool:
        """Return whether no new configuration is left, requested or not. Hyperband may still promote."""
        left = statistics.count_points_left(self.spec.space, self.all())
        return self.is_exhausted or (left == 0 and self.spec.settings.algorithm != "hyperband")

    def expects_more(self, busy: set[int]) -> bool:
        """Return whether another trial is likely to follow the busy ones."""
        return self.next_pending(busy) is not None or not (self.has_enough() or self.is_space_exhausted())

    def next_pending(self, busy: set[int]) -> Trial | None:
        """Return the first unfinished trial that is not busy."""
        return next((row for row in self.rows.values() if not row.is_done and row.number not in busy), None)

    def propose(self) -> Trial | None:
        """Propose a trial.

        Returns None if the space is exhausted (see `is_exhausted`) or more trials must end first.
        """
        known = max(len(self.rows) + 1 - self.spec.settings.parallel, self._not_before)
        if self.is_exhausted or any(not row.is_done for row in self.rows.values() if row.number <= known):
            return None
        oracle = self._oracle_up_to(known)
        proposal = oracle.ask()
        if proposal is IDLE:
            if known >= len(self.rows):
                raise SearchError(
                    "The search is waiting for trials that have already ended.", "Start a search under another name."
                )
            self._not_before = len(self.rows)
            return self.propose()
        self.is_exhausted = proposal is None
        return self._add(proposal.values, "search", proposal.bracket) if isinstance(proposal, Suggestion) else None

    def _add(self, values: Mapping[str, Any], origin: str, place: Place) -> Trial | None:
        row = self.storage.add_trial(config_key(values, self.spec.base), values, origin, place)
        if row is not None:
            self.rows[row.number] = row
            if self._oracle:
                self._oracle.register(row)
        return row

    def _oracle_up_to(self, number: int) -> AskTellOracle:
        """Return the oracle with the results of all trials up to a number."""
        if self._oracle is None:
            module = backend.import_on_any_backend("engine.search.oracle", self.spec.base.training)
            settings = self.spec.settings
            made = module.Oracle(self.spec.space, self.spec.base, settings.algorithm, settings.seed)
            self._oracle = module.replay(made, self.rows.values())
        oracle: AskTellOracle = self._oracle
        for row in self.rows.values():
            if row.number <= number and not oracle.has_result(row.number):
                oracle.tell(row)
        return oracle
