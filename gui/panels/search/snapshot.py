"""What the window knows of a search: read from its ledger, whoever searches and whether anybody does."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.search import folder, search_spec, statistics
from engine.search.folder import SearchFolder
from engine.search.search_spec import SearchSpec
from engine.search.storage import Trial
from gui.status import duration
from gui.widgets.labels import grouped


@dataclass(frozen=True)
class SearchSnapshot:
    """A search as it stood when it was read.

    `busy` says whether a living process searches, `has_wishes` whether something waits to be heard by one.
    """

    search: SearchFolder
    plan: SearchSpec
    trials: tuple[Trial, ...]
    busy: bool
    has_wishes: bool = False

    @property
    def name(self) -> str:
        return self.search.name

    @cached_property
    def best(self) -> Trial | None:
        return statistics.find_best_trial(self.trials)

    @cached_property
    def size(self) -> int | None:
        """How many points its space has; None when there is no end of them."""
        return self.plan.space.size()

    @cached_property
    def points_left(self) -> int | None:
        return statistics.count_points_left(self.plan.space, self.trials)

    @property
    def is_exhausted(self) -> bool:
        """Whether every point of the space has been tried to its end."""
        return self.points_left == 0 and not self.waiting

    @property
    def waiting(self) -> int:
        """How many trials are proposed, running or interrupted."""
        return sum(not trial.is_done for trial in self.trials)

    @property
    def remaining(self) -> int:
        """How many trials are still to be proposed."""
        wanted = max(self.plan.settings.trials - len(self.trials), 0)
        return wanted if self.points_left is None else min(wanted, self.points_left)

    @property
    def left_s(self) -> float | None:
        """A guess at the time left; None before the first trial is over."""
        return statistics.estimate_remaining_s(self.trials, self.remaining + self.waiting, self.plan.settings.parallel)

    @property
    def can_go_on(self) -> bool:
        """Whether there is something left to do."""
        return bool(self.remaining or self.waiting or self.has_wishes)

    def trial(self, number: int | None) -> Trial | None:
        return next((trial for trial in self.trials if trial.number == number), None)

    def scored(self) -> list[Trial]:
        """The trials that came to their end with a score, the best first."""
        kept = [trial for trial in self.trials if trial.state == "finished" and trial.score is not None]
        return sorted(kept, key=lambda trial: (trial.score, trial.number))


def load_snapshot(name: str, root: Path) -> SearchSnapshot:
    """Read a search. Raises EngramError."""
    search = folder.open_search(name, root)
    with search.open_storage() as ledger:
        known = search_spec.spec_from_attrs(ledger), tuple(ledger.trials()), search.is_busy(), ledger.has_commands()
    return SearchSnapshot(search, *known)


def names(root: Path) -> list[str]:
    """The searches of a folder of runs, the newest last."""
    found = folder.list_searches(root)
    return [each.name for each in sorted(found, key=lambda each: (each.path.stat().st_ctime_ns, each.name))]


def files(search: SearchFolder) -> tuple[Path, Path]:
    """Return the files that hold the ledger."""
    ledger = search.path / "ledger.sqlite"
    return ledger, ledger.with_name(ledger.name + "-wal")


def progress_text(found: SearchSnapshot) -> str:
    """How far a search is, in words."""
    states = [trial.state for trial in found.trials]
    counts = {state: states.count(state) for state in ("finished", "stopped", "failed", "running", "proposed")}
    running, waiting = counts["running"], counts["proposed"]
    words = [f"{counts['finished']} done"]
    words += [f"{counts[state]} {state}" for state in ("stopped", "failed") if counts[state]]
    words += [f"{running} {'running' if found.busy else 'interrupted'}"] if running else []
    words += [f"{waiting} waiting"] if waiting else []
    words.append(f"{found.remaining} of {found.plan.settings.trials} to come")
    words.append(space_facts(found))
    if found.busy and found.left_s is not None and found.can_go_on:
        words.append(f"about {duration(found.left_s)} left")
    return " · ".join(words)


def space_facts(found: SearchSnapshot) -> str:
    """How much of the space is left, in words."""
    if found.size is None or found.points_left is None:
        return "unlimited configurations"
    if found.is_exhausted:
        return "all configurations tried"
    return f"{grouped(found.points_left)} of {grouped(found.size)} configurations left"


def curve_of(trial: Trial, losses: Sequence[float]) -> list[float]:
    """The losses that a trial counts by: none of what it did after it was given up."""
    return list(losses[: trial.epochs]) if trial.is_done else list(losses)
