"""A search that dies at any moment and is resumed comes out the same: each moment in turn, on scripted trials."""

import json
import random
from contextlib import suppress

import pytest

from engine import runs
from engine.messages import EpochEnded, TrialEnded
from engine.search.storage import TrialStorage
from tests.engine.search.fake_executor import Attempt, fail
from tests.engine.search.scripted_search import wait_for

UNHEARD = (0, 1, 99)  # steps that trials play before they notice that their search is dead; 99: to their end
SCENARIOS = {  # the settings of a search, what else it is of, and how many trials end before it may die
    "bayesian": ({"trials": 9}, {"epochs": 2}, 0),
    "two side by side": ({"trials": 9, "parallel": 2, "algorithm": "random"}, {"epochs": 2}, 0),
    "hyperband": ({"trials": 4, "algorithm": "hyperband"}, {"space": {"latent": [4, 6, 8]}}, 0),
    "pruned": (
        {"trials": 9, "algorithm": "grid", "early_stopping": True},
        {"space": {"latent": [4, 5, 6, 7, 8, 9, 30]}},
        6,
    ),
}


class Died(BaseException):
    """The search's process is gone."""


class Death:
    """Kills the search at one of its moments: at an event, and before and after each change of its ledger."""

    def __init__(self):
        self.moment, self.moments = None, 0

    def pass_moment(self):
        """Count a moment, and die if it is the one."""
        self.moments += 1
        if self.moments - 1 == self.moment:
            raise Died


@pytest.fixture
def death(monkeypatch):
    death = Death()

    def mortal(change):
        def changed(*arguments, **named):
            death.pass_moment()
            done = change(*arguments, **named)
            death.pass_moment()
            return done

        return changed

    for name in ("add_trial", "update_trial", "set_attrs"):
        monkeypatch.setattr(TrialStorage, name, mortal(getattr(TrialStorage, name)))
    return death


@pytest.fixture
def search_until(make_search, death, executor):
    """Begin or resume a search, to die at a moment, if it comes to it: `search_until(7, settings).ended`."""

    def go(moment, settings=None, unheard=0, **changes):
        death.moment, death.moments, executor.unheard_steps = moment, 0, unheard
        search = make_search(settings, **changes)
        search.moments_of_ends = ends = []

        def count(event):
            ends.extend([death.moments] * isinstance(event, TrialEnded))
            death.pass_moment()

        search.on_event = count
        with suppress(Died):
            search.run()
        return search

    return go


def facts(search, root):
    """All of the trials that the search promises to keep: no time."""
    rows = []
    for trial in search.trials:
        known = (trial.number, trial.config, trial.origin, trial.place, trial.state, trial.reason)
        run = runs.open_run(trial.run, root) if trial.run else None
        rows.append((*known, trial.score, trial.best_epoch, trial.epochs, trial.run, _kept(run, trial.epochs)))
    return rows


def _kept(run, epochs):
    """The losses of a run and what stands for its weights, up to the epoch that counts."""
    if run is None:
        return None
    (checkpoint,) = run.checkpoints.glob("epoch-*") if epochs else (None,)
    weights = json.loads((checkpoint / "weights.json").read_text()) if checkpoint else []
    return [row["val_loss"] for row in run.history()][:epochs], weights[:epochs]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_search_that_dies_at_any_moment_comes_out_the_same(scenario, search_until, death, executor, tmp_path):
    settings, changes, over = SCENARIOS[scenario]
    executor.attempts = {2: fail("There is not enough memory.")}
    search = search_until(None, settings, root=tmp_path / "whole", **changes)
    whole, ends, most = facts(search, tmp_path / "whole"), search.moments_of_ends, death.moments
    assert (scenario == "pruned") == any("Pruned" in trial.reason for trial in search.trials)
    assert len({(tuple(row[1].items()), row[3].get("rung")) for row in whole}) == len(whole) >= 4
    for moment in range(ends[over - 1] if over else 0, most):
        root = tmp_path / str(moment)
        search_until(moment, settings, UNHEARD[moment % 3], root=root, **changes)
        search = search_until(None, settings, root=root, **changes)
        assert facts(search, root) == whole, f"it died at moment {moment}"


def test_a_search_that_dies_again_and_again_comes_out_the_same(search_until, death, executor, tmp_path):
    settings = {"trials": 9, "parallel": 2}
    whole = facts(search_until(None, settings, root=tmp_path / "whole"), tmp_path / "whole")
    chance, most = random.Random(3), death.moments
    for _ in range(8):
        root = tmp_path / str(chance.random())
        for _ in range(3):
            search_until(chance.randrange(most), settings, chance.choice(UNHEARD), root=root)
        assert facts(search_until(None, settings, root=root), root) == whole


@pytest.mark.parametrize(
    ("attempt", "state", "reason"), [(Attempt(), "finished", ""), (fail("Diverged.", epochs=2), "failed", "Diverged.")]
)
def test_a_trial_that_ended_behind_the_search_s_death_is_not_begun_again(attempt, state, reason, make_search, executor):
    def dies(search):
        yield from wait_for(EpochEnded)
        raise Died

    executor.attempts, executor.unheard_steps = {1: attempt}, 99
    with pytest.raises(Died):
        make_search({"trials": 2}, dies).run()
    executor.unheard_steps = 0
    search = make_search().run()
    assert executor.begun == [(1, 0), (2, 0)]
    assert (search.trials[0].state, search.trials[0].reason) == (state, reason)
    assert (search.trials[0].score is None) == (state == "failed")
