"""The events that a search tells of, made from what is known of it."""

from typing import Literal

from engine.messages import SearchState, TrialEnded, TrialProposed
from engine.search import standing
from engine.search.fleet import Fleet
from engine.search.folder import Search
from engine.search.ledger import Trial
from engine.search.trials import Trials

Wished = Literal["running", "paused", "stopping"]


def proposed(search: Search, row: Trial) -> TrialProposed:
    """A new trial."""
    run = search.run_name(row.number)
    return TrialProposed(search=search.name, number=row.number, run=run, values=row.config, origin=row.origin)


def ended(search: Search, row: Trial) -> TrialEnded:
    """A trial that is over."""
    known = {name: getattr(row, name) for name in TrialEnded.model_fields if hasattr(row, name)}
    return TrialEnded.model_validate({"search": search.name, **known})


def state(search: Search, trials: Trials, fleet: Fleet, wished: Wished) -> SearchState:
    """Where a search stands; while some trial has not heard of a pause yet, it is pausing."""
    rows, goal = trials.all(), trials.plan.settings.trials
    over, best = [row for row in rows if row.is_over], standing.best(rows)
    left = standing.points_left(trials.plan.space, rows)
    ahead = max(0, goal - len(rows)) if left is None else min(left, max(0, goal - len(rows)))
    holding = all(process.is_paused for process in fleet.running.values())
    return SearchState(
        search=search.name,
        state="pausing" if wished == "paused" and not holding else wished,
        done=len(over),
        failed=sum(row.state == "failed" for row in over),
        running=len(fleet.running),
        trials=goal,
        left=left,
        left_s=standing.seconds_left(rows, ahead + len(rows) - len(over), trials.plan.settings.parallel),
        best=best.number if best else None,
        best_score=best.score if best else None,
    )
