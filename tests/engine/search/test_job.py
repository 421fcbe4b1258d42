"""The search job in a process of its own, as in life: to the end, killed, stopped, paused, told what to do."""

import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest

from engine import runs
from engine.search import folder
from tests.engine.search.conftest import SPACE
from tests.engine.search.processes import children, holder, holds, wait_for_end


def weights(root, name):
    """What the last checkpoint of a run holds."""
    (kept,) = runs.open(name, root).checkpoints.glob("epoch-*")
    with open(kept / "variables.npz", "rb") as file:
        return dict(np.load(file))


def facts(trials):
    return [(t.number, t.config, t.state, t.score, t.best_epoch, t.epochs, t.run, t.reason) for t in trials]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Where the search lies that nothing broke off; made by the first test that needs it."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def unbroken(whole, begin):
    if not (whole / "_searches").exists():
        assert begin(whole, settings={"trials": 9}, epochs=3).finish() == "exhausted"
    with folder.open("small", whole).ledger() as ledger:
        return ledger.trials()


def test_a_search_uses_its_space_up_and_its_trials_are_runs(unbroken, whole):
    assert [trial.state for trial in unbroken] == ["finished"] * 4
    assert {(trial.config["learning_rate"], trial.config["latent"]) for trial in unbroken} == {
        (rate, latent) for rate in SPACE["learning_rate"] for latent in SPACE["latent"]
    }
    for trial in unbroken:
        run = runs.open(trial.run, whole)
        assert run.state() == "finished"
        assert run.config.training.learning_rate == trial.config["learning_rate"]
        assert trial.score == min(row["val_loss"] for row in run.history())
        assert len(list(run.checkpoints.glob("epoch-*"))) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_any_moment_it_comes_out_the_same(unbroken, whole, begin, tmp_path):
    chance = random.Random(3)
    for _ in range(3):
        running = begin(tmp_path, settings={"trials": 9}, epochs=3)
        for _, event in zip(range(chance.randint(4, 11)), running, strict=False):
            if event["event"] == "search-ended":
                break
        running.kill()
    assert begin(tmp_path).finish() == "exhausted"
    with folder.open("small", tmp_path).ledger() as ledger:
        assert facts(ledger.trials()) == facts(unbroken)
    for trial in unbroken:
        wanted, found = weights(whole, trial.run), weights(tmp_path, trial.run)
        assert all(np.array_equal(wanted[name], found[name]) for name in wanted), trial.run


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the trial's process by /proc")
def test_a_trial_whose_process_is_killed_goes_on_and_one_that_dies_again_and_again_fails(begin, tmp_path):
    running = begin(tmp_path, settings={"trials": 1}, epochs=40)
    running.wait_for("epoch-ended", epoch=2)
    os.kill(holder(tmp_path / "small-0001"), signal.SIGKILL)
    assert running.wait_for("trial-started")["first_epoch"] >= 2
    os.kill(holder(tmp_path / "small-0001"), signal.SIGKILL)
    for event in running:
        if event["event"] == "trial-started":
            os.kill(holder(tmp_path / "small-0001"), signal.SIGKILL)
        if event["event"] == "trial-ended":
            break
    assert event["state"] == "failed"
    assert "ended 2 times in the same epoch (signal 9)" in event["reason"]
    assert running.finish() == "finished"


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for the end of processes that are not its own")
def test_the_next_trial_waits_in_a_process_of_its_own_that_dies_with_the_search(begin, tmp_path):
    running = begin(tmp_path, settings={"trials": 2, "algorithm": "grid"}, epochs=5000)
    running.wait_for("epoch-ended")
    (spare,) = [each for each in children(running.process.pid) if not holds(each, tmp_path / "small-0001")]
    running.wish("stop-trial", 1)
    running.wait_for("trial-started", number=2)
    assert holds(spare, tmp_path / "small-0002")
    running.kill()
    wait_for_end(spare)
    running = begin(tmp_path, settings={"trials": 4, "parallel": 2})  # which shares the threads out anew
    assert {running.wait_for("trial-started")["number"] for _ in range(2)} == {2, 3}
    assert [trial.state for trial in running.trials()] == ["stopped", "running", "running"]
    busy = {holder(tmp_path / "small-0002"), holder(tmp_path / "small-0003")}
    (spare,) = set(children(running.process.pid)) - busy
    running.kill()
    wait_for_end(spare)


def test_a_trial_that_cannot_be_trained_keeps_its_reason_and_the_search_goes_on(begin, tmp_path):
    running = begin(tmp_path, settings={"trials": 3, "algorithm": "grid"}, space={"size": [34, 32]}, epochs=1)
    assert running.finish() == "exhausted"
    bad, good = running.trials()
    assert (bad.state, bad.score, bad.run) == ("failed", None, "")
    assert "cannot be halved" in bad.reason
    assert good.state == "finished"


def test_a_running_search_is_paused_told_what_to_try_extended_and_stopped(begin, tmp_path):
    running = begin(tmp_path, settings={"trials": 3, "algorithm": "grid"}, space={"latent": [4]}, epochs=300)
    running.wait_for("epoch-ended")
    running.wish("pause")
    running.wait_for("search-state", state="paused")
    running.wish("enqueue", {"latent": 6, "epochs": 1})
    running.wish("space", {"latent": [4, 5], "epochs": [1, 300]})
    running.wait_for("trial-proposed", number=2)
    running.wish("continue")
    running.wait_for("search-state", state="running")
    running.wish("stop-trial", 1)
    assert running.wait_for("trial-ended", number=1)["state"] == "stopped"
    assert running.wait_for("trial-ended", number=2)["state"] == "finished"
    assert running.wait_for("trial-proposed")["values"] == {"latent": 4, "epochs": 1}
    running.wish("stop")
    assert running.finish() == "stopped"
    trials = running.trials()
    assert [trial.origin for trial in trials] == ["search", "hand", "search"]
    assert (trials[0].score, trials[0].reason) == (None, "Stopped by hand.")
    assert not trials[2].is_over


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_side_by_side_the_proposals_are_the_same_each_time(begin, tmp_path):
    found = []
    for name in ("one", "two"):
        running = begin(tmp_path, name, {"trials": 4, "parallel": 2, "algorithm": "random"}, epochs=1)
        assert running.finish() == "exhausted"
        assert max(event["running"] for event in running.told if event["event"] == "search-state") == 2
        found.append([(trial.config, trial.score) for trial in running.trials()])
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_hyperband_goes_on_from_a_trial_as_if_it_had_been_trained_at_once(begin, tmp_path, tiny):
    running = begin(tmp_path, settings={"trials": 4, "algorithm": "hyperband"}, space={"latent": [4, 6, 8]}, epochs=3)
    assert running.finish() == "finished"
    promoted = running.trials()[3]
    assert promoted.place["rung"] == 1
    assert promoted.config["epochs"] == promoted.epochs == 3
    started = [event for event in running.told if event["event"] == "trial-started" and event["number"] == 4]
    assert started[0]["first_epoch"] == 1
    order = {"trials": 1, "algorithm": "grid"}
    again = begin(tmp_path, "again", order, {"latent": [promoted.config["latent"]]}, epochs=3)
    again.finish()
    assert again.trials()[0].score == promoted.score
    wanted, found = weights(tmp_path, again.trials()[0].run), weights(tmp_path, promoted.run)
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
