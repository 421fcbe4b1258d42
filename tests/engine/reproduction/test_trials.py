"""What came of the runs of a study."""

import math

import pytest

from engine.errors import StudyError
from engine.reproduction.trials import best_of_each, from_run, from_trial, ranked
from engine.search.storage import Trial as Row


def test_score_is_the_best_epoch_and_the_best_comes_first(write_run):
    runs = [write_run("a", [3, 1, 2]), write_run("b", [0.5, 4], state="stopped"), write_run("c", [2], model="vae")]
    trials = [*map(from_run, runs)]
    assert [each.run.name for each in ranked(trials, "ae")] == ["b", "a"]
    assert trials[0].loss == 1
    assert trials[0].content()["best_epoch"] == 2
    assert {model: each.run.name for model, each in best_of_each(trials).items()} == {"ae": "b", "vae": "c"}


def test_runs_without_a_score_or_a_model_are_not_ranked(write_run):
    failed = write_run("a", [], state="failed")
    diverged = write_run("b", [math.nan], state="failed")
    gone = write_run("c", [1])
    gone.model_path.unlink()
    trials = [*map(from_run, [failed, diverged, gone])]
    assert ranked(trials, "ae") == []
    assert math.isnan(trials[0].loss)
    assert trials[0].content()["best_epoch"] is None


def test_model_without_any_score_is_a_sentence(write_run):
    with pytest.raises(StudyError, match="None of the study's VAE runs"):
        best_of_each([from_run(write_run("a", [1]))])


def test_trial_is_as_its_ledger_has_it(write_run):
    """What is not scored there is not ranked here, and epochs after a trial was given up do not count."""
    run = write_run("a", [3, 1, 2])
    finished = from_trial(Row(1, "", {}, state="finished", score=1.0, run="a", epochs=3), run)
    given_up = from_trial(Row(2, "", {}, state="stopped", score=3.0, run="a", epochs=1), run)
    failed = from_trial(Row(3, "", {}, state="failed", run="a", epochs=3), run)
    going = from_trial(Row(4, "", {}, state="running", run="a"), run)
    assert [trial.content()["best_loss"] for trial in (finished, given_up, going)] == [1, 3, 1]
    assert failed.content()["best_epoch"] is None
    assert ranked([given_up, failed, finished], "ae") == [finished, given_up]
