"""What came of the runs of a study."""

import math

import pytest

from engine.errors import StudyError
from engine.study.trials import best_of_each, ranked, told


def test_score_is_the_best_epoch_and_the_best_comes_first(write_run):
    runs = [write_run("a", [3, 1, 2]), write_run("b", [0.5, 4], state="stopped"), write_run("c", [2], model="vae")]
    trials = told(runs)
    assert [each.run.name for each in ranked(trials, "ae")] == ["b", "a"]
    assert trials[0].loss == 1
    assert trials[0].content()["best_epoch"] == 2
    assert {model: each.run.name for model, each in best_of_each(trials).items()} == {"ae": "b", "vae": "c"}


def test_runs_without_a_score_or_a_model_are_not_ranked(write_run):
    failed = write_run("a", [], state="failed")
    diverged = write_run("b", [math.nan], state="failed")
    gone = write_run("c", [1])
    gone.model_path.unlink()
    trials = told([failed, diverged, gone])
    assert ranked(trials, "ae") == []
    assert math.isnan(trials[0].loss)
    assert trials[0].content()["best_epoch"] is None


def test_model_without_any_score_is_a_sentence(write_run):
    with pytest.raises(StudyError, match="None of the study's VAE runs"):
        best_of_each(told([write_run("a", [1])]))
