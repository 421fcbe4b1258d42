"""A trial that Hyperband promotes continues from its checkpoint as if it had been trained at once, to the bit.

The trial that is promoted is trained by real processes; those that lose to it are scripted.
"""

import numpy as np
import pytest

from engine import runs
from engine.messages import TrialStarted
from engine.search import job
from engine.search.executor import LocalExecutor
from tests.engine.search.conftest import read_weights
from tests.engine.search.fake_executor import FakeExecutor

BEST, PROMOTED = 2, 4


class HalfReal(FakeExecutor):
    """Trains some trials in real processes and plays the others."""

    def __init__(self, machine, real):
        super().__init__(losses=lambda settings, epoch: 9.0)
        self.machine, self.real = machine, real

    def submit(self, task, inbox):
        return (self.machine if task.number in self.real else super()).submit(task, inbox)

    def close(self):
        super().close()
        self.machine.close()


@pytest.fixture
def executor(monkeypatch, tmp_path):
    made = HalfReal(LocalExecutor(tmp_path), {BEST, PROMOTED})
    monkeypatch.setattr(job, "make_executor", lambda settings, folder: made)
    return made


@pytest.mark.slow
@pytest.mark.usefixtures("optimized_graphs")
def test_hyperband_continues_from_a_trial_as_if_it_had_been_trained_at_once(make_search, trained, tmp_path):
    search = make_search({"trials": 4, "algorithm": "hyperband"}, space={"latent": [4, 6, 8]}, epochs=3).run()
    assert search.ended == "finished"
    promoted = search.trials[PROMOTED - 1]
    assert promoted.place == {"bracket": 0, "rung": 1, "parent": BEST}
    assert (promoted.state, promoted.config["epochs"], promoted.epochs) == ("finished", 3, 3)
    assert [event.first_epoch for event in search.told(TrialStarted, number=PROMOTED)] == [1]

    wanted, found = trained(epochs=3, latent=promoted.config["latent"]), runs.open_run(promoted.run, tmp_path)
    losses = [row["val_loss"] for row in wanted.history()]
    assert [row["val_loss"] for row in found.history()] == losses
    assert promoted.score == min(losses)
    wanted, found = read_weights(wanted), read_weights(found)
    assert wanted.keys() == found.keys()
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
