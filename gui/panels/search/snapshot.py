"""Snapshots of a search, read from its ledger: any process may run the search, or none."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine.search import folder, search_spec, statistics
from engine.search.folder import SearchFolder
from engine.search.search_spec import SearchSpec
from engine.search.storage import Trial
from gui.formatting import format_count, format_duration


@dataclass(frozen=True)
class SearchSnapshot:
    """The state of a search at the time it was read.

    `busy` says whether a live process runs the search, `has_commands` whether commands wait for one.
    """

    search: SearchFolder
    plan: SearchSpec
    trials: tuple[Trial, ...]
    busy: bool
    has_commands: bool = False

    @property
    def name(self) -> str:
        return self.search.name

    @cached_property
    def best(self) -> Trial | None:
        return statistics.find_best_trial(self.trials)

    @cached_property
    def size(self) -> int | None:
        """Return the number of points in its space. Returns None if it is infinite."""
        return self.plan.space.size()

    @cached_property
    def points_left(self) -> int | None:
        return statistics.count_points_left(self.plan.space, self.trials)

    @property
    def is_exhausted(self) -> bool:
        """Return whether a trial has ended at every point of the space."""
        return self.points_left == 0 and not self.waiting

    @property
    def waiting(self) -> int:
        """Return the number of trials that are proposed, running or interrupted."""
        return sum(not trial.is_done for trial in self.trials)

    @property
    def remaining(self) -> int:
        """Return the number of trials that are still to be proposed."""
        wanted = max(self.plan.settings.trials - len(self.trials), 0)
        return wanted if self.points_left is None else min(wanted, self.points_left)

    @property
    def left_s(self) -> float | None:
        """Return an estimate of the time left, s. Returns None before the first trial has ended."""
        return statistics.estimate_remaining_s(self.trials, self.remaining + self.waiting, self.plan.settings.parallel)

    @property
    def can_go_on(self) -> bool:
        """Return whether a resume would have something to do."""
        return bool(self.remaining or self.waiting or self.has_commands)

    def trial(self, number: int | None) -> Trial | None:
        return next((trial for trial in self.trials if trial.number == number), None)

    def scored(self) -> list[Trial]:
        """Return the finished trials that have a score, the best first."""
        kept = [trial for trial in self.trials if trial.state == "finished" and trial.score is not None]
        return sorted(kept, key=lambda trial: (trial.score, trial.number))


def load_snapshot(name: str, root: Path) -> SearchSnapshot:
    """Load the snapshot of a search. Raises EngramError."""
    search = folder.open_search(name, root)
    with search.open_storage() as ledger:
        known = search_spec.spec_from_attrs(ledger), tuple(ledger.trials()), search.is_busy(), ledger.has_commands()
    return SearchSnapshot(search, *known)


def names(root: Path) -> list[str]:
    """Return the names of the searches in a folder of runs, the newest last."""
    found = folder.list_searches(root)
    return [each.name for each in sorted(found, key=lambda each: (each.path.stat().st_ctime_ns, each.name))]


def files(search: SearchFolder) -> tuple[Path, Path]:
    """Return the files that hold the ledger."""
    ledger = search.path / "ledger.sqlite"
    return ledger, ledger.with_name(ledger.name + "-wal")


def progress_text(found: SearchSnapshot) -> str:
    """Describe the progress of a search."""
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
        words.append(f"about {format_duration(found.left_s)} left")
    return " · ".join(words)


def space_facts(found: SearchSnapshot) -> str:
    """Describe how much of the space is left."""
    if found.size is None or found.points_left is None:
        return "unlimited configurations"
    if found.is_exhausted:
        return "all configurations tried"
    return f"{format_count(found.points_left)} of {format_count(found.size)} configurations left"
