"""Which trial is next: what was left lying, then what the oracle proposes, in an order that time has no say in.

The oracle hears of the ends of trials in their order, and before it proposes trial n, of all up to n - K, K trials
running side by side. So the proposals do not depend on which of them ended first, and a search that was killed asks for
the same ones.
"""

from collections.abc import Mapping
from typing import Any

from engine import backend, config
from engine.errors import SearchError
from engine.search import standing
from engine.search.folder import Plan
from engine.search.hyperband import WAIT, Proposal
from engine.search.ledger import Ledger, Trial
from engine.search.space import key


class Trials:
    """The trials of a search and its oracle, kept in step with the ledger.

    Args:
        ledger: of the search.
        plan: what is searched.
    """

    def __init__(self, ledger: Ledger, plan: Plan) -> None:
        self.ledger, self.plan = ledger, plan
        self.rows = {trial.number: trial for trial in ledger.trials()}
        self.is_exhausted = False
        self._oracle: Any = None
        self._not_before = 0

    def turn_to(self, plan: Plan) -> None:
        """Go on over another space; what was tried stays tried."""
        self.plan, self._oracle, self.is_exhausted, self._not_before = plan, None, False, 0

    def note(self, number: int, **changes: Any) -> Trial:
        """Change what is known of a trial, here and in the ledger."""
        self.ledger.note(number, **changes)
        self.rows[number] = next(trial for trial in self.ledger.trials() if trial.number == number)
        return self.rows[number]

    def tell_epoch(self, number: int, epoch: int, metrics: Mapping[str, float]) -> Trial:
        """Hear of an epoch of a trial that runs."""
        return self.note(number, epochs=epoch)

    def close(self) -> None:
        """Be done with the search."""

    def enqueue(self, values: Mapping[str, Any], origin: str = "hand") -> Trial | None:
        """Let these values be tried next; None when they have been already.

        Raises:
            ConfigError: they are no settings.
        """
        fixed = config.flat(self.plan.base)
        full = {name: fixed[name] for name in self.plan.space.names if name in fixed} | dict(values)
        found = config.flat(config.build(full, self.plan.base))
        return self._add({name: found[name] for name in full}, origin, {})

    def all(self) -> list[Trial]:
        """Every trial in the order proposed."""
        return list(self.rows.values())

    def are_enough(self) -> bool:
        """Whether as many have been proposed as are wanted."""
        return len(self.rows) >= self.plan.settings.trials

    def are_done(self) -> bool:
        """Whether no trial waits and none is to come."""
        return self.waiting(set()) is None and (self.are_enough() or self.is_exhausted)

    def are_used_up(self) -> bool:
        """Whether there is nothing new to propose, asked for or not. Hyperband may still promote."""
        left = standing.points_left(self.plan.space, self.all())
        return self.is_exhausted or (left == 0 and self.plan.settings.algorithm != "hyperband")

    def are_to_follow(self, busy: set[int]) -> bool:
        """Whether another trial is to be expected behind those that somebody is at."""
        return self.waiting(busy) is not None or not (self.are_enough() or self.are_used_up())

    def waiting(self, busy: set[int]) -> Trial | None:
        """The first trial that is not over and that nobody is at."""
        return next((row for row in self.rows.values() if not row.is_over and row.number not in busy), None)

    def propose(self) -> Trial | None:
        """A new trial; None when the space is used up (see `is_exhausted`) or more trials must be over first."""
        known = max(len(self.rows) + 1 - self.plan.settings.parallel, self._not_before)
        if self.is_exhausted or any(not row.is_over for row in self.rows.values() if row.number <= known):
            return None
        oracle = self._told_until(known)
        proposal = oracle.ask()
        if proposal is WAIT:
            if known >= len(self.rows):
                raise SearchError(
                    "The search is waiting for trials that have already ended.", "Start a search under another name."
                )
            self._not_before = len(self.rows)
            return self.propose()
        self.is_exhausted = proposal is None
        return self._add(proposal.values, "search", proposal.place) if isinstance(proposal, Proposal) else None

    def _add(self, values: Mapping[str, Any], origin: str, place: Mapping[str, Any]) -> Trial | None:
        row = self.ledger.propose(key(values, self.plan.base), values, origin, place)
        if row is not None:
            self.rows[row.number] = row
            if self._oracle:
                self._oracle.confirm(row)
        return row

    def _told_until(self, number: int) -> Any:
        """The oracle, told of the ends of all trials up to a number."""
        if self._oracle is None:
            module = backend.load_any("engine.search.oracle", self.plan.base.training)
            settings = self.plan.settings
            made = module.Oracle(self.plan.space, self.plan.base, settings.algorithm, settings.seed)
            self._oracle = module.rebuilt(made, self.rows.values())
        for row in self.rows.values():
            if row.number <= number and not self._oracle.knows(row.number):
                self._oracle.tell(row)
        return self._oracle
