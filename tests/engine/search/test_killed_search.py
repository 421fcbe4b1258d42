"""A real search, killed with `kill -9` and resumed: the same trials and the same weights, to the bit.

Real processes are killed here. `test_crash` goes through every single moment of a search's death with scripted trials.
"""

import random
import sys

import numpy as np
import pytest

from tests.engine.search.conftest import read_weights

TRIALS, EPOCHS = 2, 3


@pytest.mark.slow
@pytest.mark.usefixtures("optimized_graphs")
@pytest.mark.timeout(900)
def test_killed_inside_a_trial_it_comes_out_the_same_to_the_bit(
    begin, make_search, trained, tmp_path, monkeypatch, forking_python
):
    search = begin(tmp_path / "killed", "small", {"trials": TRIALS}, epochs=EPOCHS)
    search.wait_for("epoch-ended", epoch=1)
    search.hear(random.Random(3).randint(0, 9))
    search.kill()
    monkeypatch.setattr(sys, "executable", forking_python)
    search = begin(tmp_path / "killed")
    assert search.finish() == "finished"
    assert next(event for event in search.told if event["event"] == "trial-started")["first_epoch"] >= 1

    unbroken = make_search({"trials": TRIALS}, root=tmp_path / "whole", epochs=EPOCHS).run()
    assert [(trial.number, trial.config, trial.run) for trial in search.trials()] == [
        (trial.number, trial.config, trial.run) for trial in unbroken.trials
    ]
    assert [trial.state for trial in search.trials()] == ["finished"] * TRIALS
    for trial in search.trials():
        wanted, found = trained(epochs=EPOCHS, **trial.config), search.run_of(trial)
        losses = [row["val_loss"] for row in wanted.history()]
        assert [row["val_loss"] for row in found.history()] == losses
        assert (trial.score, trial.best_epoch, trial.epochs) == (min(losses), wanted.best_epoch(), EPOCHS)
        wanted, found = read_weights(wanted), read_weights(found)
        assert wanted.keys() == found.keys()
        assert all(np.array_equal(wanted[name], found[name]) for name in wanted), trial.run
