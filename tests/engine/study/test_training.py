"""The runs of a study one after the other; the processes that train them are played."""

import pytest

from engine import config, runs
from engine.errors import StudyError, TrainingError
from engine.messages import EpochEnded, JobEnded, Log, Progress, StudyProgress, never
from engine.study import process, training
from engine.study.plan import Planned
from tests.engine.conftest import TINY


def planned(name, is_trial=True, **changes):
    return Planned(name, config.build({**TINY, **changes}), is_trial)


@pytest.fixture
def played(monkeypatch):
    """Train nothing: finish each run with one epoch, or do what `played.act[name]` says; note the names."""

    class Played:
        names, act = [], {}

    def train(run, emit, should_stop, log):
        Played.names.append(run.name)
        Played.act.get(run.name, finish)(run, emit)

    monkeypatch.setattr(process, "train", train)
    Played.names, Played.act = [], {}
    return Played


def finish(run, emit):
    for event in (
        Progress(run=run.name, epoch=1, epochs=2, batch=1, batches=2, loss=1, images_per_s=1, left_s=200),
        EpochEnded(run=run.name, epoch=1, metrics={"val_loss": 0.25}, best=True),
        JobEnded(run=run.name, state="finished", epoch=1),
    ):
        if not isinstance(event, Progress):
            run.append(event)
        emit(event)
    run.checkpoints.mkdir(exist_ok=True)


def test_every_planned_run_is_made_trained_and_told(study, played):
    told = []
    found = training.train_all(study, [planned("a"), planned("b", epochs=3)], told.append, never)
    assert played.names == list(found) == ["a", "b"]
    assert [run.state() for run in found.values()] == ["finished"] * 2
    said = [event.text for event in told if isinstance(event, Log)]
    assert said[1] == "b (2 of 2) finished, validation 0.25 in epoch 1."
    shares = [event.share for event in told if isinstance(event, StudyProgress) and event.share is not None]
    assert shares == [0.125, 0.625]
    assert any("a · run 1 of 2 · epoch 1 of 2 · 3 min left" in getattr(event, "text", "") for event in told)


def test_finished_run_with_the_same_settings_is_taken_whatever_its_name(study, played, write_run):
    kept = write_run("by-hand", [1.0], epochs=2)
    found = training.train_all(study, [planned("a")], lambda event: None, never)
    assert played.names == []
    assert found["a"].path == kept.path
    assert not (study.runs / "a").exists()


def test_stopped_interrupted_and_never_begun_runs_go_on_failed_ones_stay(study, played, write_run):
    write_run("a", [1.0], state="stopped", epochs=2)
    write_run("b", [1.0], state=None, epochs=3)
    write_run("c", [1.0], state="failed", epochs=4)
    write_run("d", [], state="failed", epochs=5)
    wanted = [planned("a"), planned("b", epochs=3), planned("c", epochs=4), planned("d", epochs=5)]
    training.train_all(study, wanted, lambda event: None, never)
    assert played.names == ["a", "b", "d"]


def test_name_that_is_taken_by_other_settings_is_a_sentence(study, played, write_run):
    write_run("a", [1.0], epochs=7)
    with pytest.raises(StudyError, match="holds a study with other settings: its run a differs"):
        training.train_all(study, [planned("a")], lambda event: None, never)
    assert played.names == []


def test_checkpoints_of_finished_trials_go_those_of_the_presets_stay(study, played):
    found = training.train_all(study, [planned("a"), planned("b", False, epochs=3)], lambda event: None, never)
    assert not found["a"].checkpoints.exists()
    assert found["b"].checkpoints.exists()


def test_stop_keeps_what_is_there_and_begins_nothing_more(study, played):
    found = training.train_all(
        study, [planned("a"), planned("b", epochs=3)], lambda e: None, lambda: bool(played.names)
    )
    assert list(found) == ["a"]
    assert not (study.runs / "b").exists()


def test_process_that_dies_is_told_and_keeps_no_other_run_back(study, played):
    def die(run, emit):
        raise TrainingError("The engine process died.", "Start again.")

    played.act["a"] = die
    told = []
    found = training.train_all(study, [planned("a"), planned("b", epochs=3)], told.append, never)
    assert played.names == ["a", "b"]
    assert found["b"].state() == "finished"
    first = next(event for event in told if isinstance(event, Log))
    assert (first.text, first.level) == ("The engine process died. Start again.", "warning")


def test_run_that_cannot_be_read_is_passed_over(study, played, write_run):
    broken = write_run("x", [1.0])
    (broken.path / "config.json").write_text("{")
    assert len(runs.find_all(study.runs)) == 1
    training.train_all(study, [planned("a")], lambda event: None, never)
    assert played.names == ["a"]
