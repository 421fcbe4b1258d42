"""Events of a search, made from its trials."""

from typing import Literal

from engine.messages import SearchState, TrialEnded, TrialProposed
from engine.search import statistics
from engine.search.folder import SearchFolder
from engine.search.scheduler import TrialScheduler
from engine.search.storage import Trial
from engine.search.trial_pool import TrialPool

RequestedState = Literal["running", "paused", "stopping"]


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
