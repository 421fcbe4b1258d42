"""A real engine process, spoken to as the window speaks to it: a line in, lines out."""

import io
import json
import sys

import numpy as np
import pytest

from engine import messages, runs
from engine.messages import (
    Continued,
    EpochEnded,
    Event,
    JobEnded,
    JobStarted,
    Paused,
    Progress,
    RequestFailed,
    Response,
)
from engine.processes.training_worker import TrainingWorker
from engine.study_folder import StudyFolder
from tests.engine.conversation import Child


@pytest.fixture(scope="module")
def start_child(tmp_path_factory, forking_python):
    """Return the warm engine process of a kind; start one where there is none, a fork in place of one that ended."""
    children = {}

    def start(kind):
        if kind not in children or children[kind].process.poll() is not None:
            python = forking_python if kind in children else sys.executable
            children[kind] = Child(tmp_path_factory.mktemp("scratch"), kind, python)
        return children[kind]

    yield start
    for child in children.values():
        if child.process.poll() is None:
            assert child.close() == 0


@pytest.fixture
def child(start_child):
    return start_child("training")


@pytest.fixture
def explorer(start_child):
    return start_child("explorer")


def test_a_process_says_when_it_is_ready_and_on_what_it_computes(child):
    assert child.ready.backend == "tensorflow"
    assert {"keras", "tensorflow", "python"} <= set(child.ready.versions)


def test_a_run_from_start_to_end_then_its_images(child, explorer, tiny, tmp_path):
    settings = tiny(epochs=2)
    child.send(messages.Train(config=settings, name="one", root=str(tmp_path)))
    started = child.wait_for(JobStarted)
    assert (started.run, started.first_epoch, started.epochs) == ("one", 0, 2)
    child.wait_for(EpochEnded, epoch=1)
    assert child.wait_for(JobEnded).state == "finished"
    run = runs.open_run("one", tmp_path)
    assert run.state() == "finished"

    explorer.send(messages.LoadData(number=1, panel="data", config=settings.data))
    listing = explorer.wait_for(Response, panel="data").content
    assert sum(len(split["rows"]) for split in listing["splits"].values()) == 36
    assert np.load(listing["store"], mmap_mode="r").shape[1:] == (32, 32)

    wish = {"runs": (str(run.path),), "data": settings.data, "split": "test", "indices": (0, 2)}
    explorer.send(messages.Reconstruct(number=2, panel="compare", **wish))
    content = explorer.wait_for(Response, number=2).content
    originals = np.load(content["originals"])
    found = content["runs"][str(run.path)]
    reconstructed = np.load(found["images"])
    assert originals.shape == reconstructed.shape == (2, 32, 32)
    assert content["names"] == [listing["splits"]["test"]["names"][index] for index in (0, 2)]
    assert found["mse"] == pytest.approx(np.square(originals - reconstructed).mean((1, 2)), rel=1e-4)

    ranking = messages.PerImageErrors(number=3, panel="compare", run=str(run.path), data=settings.data, split="test")
    explorer.send(ranking)
    ranked = explorer.wait_for(Response, number=3).content
    assert [ranked["mse"][index] for index in (0, 2)] == pytest.approx(found["mse"], rel=1e-4)


def test_pause_continue_and_stop_while_paused(child, tiny, tmp_path):
    child.send(messages.Train(config=tiny(epochs=5000), name="long", root=str(tmp_path)))
    child.wait_for(EpochEnded)
    child.send(messages.Pause())
    child.wait_for(Paused, run="long")
    child.send(messages.Continue())
    child.wait_for(Continued, run="long")
    child.wait_for(Progress)
    child.send(messages.Pause())
    child.wait_for(Paused, run="long")
    child.send(messages.Stop())
    said = [child.wait_for(Event)]
    while not isinstance(said[-1], JobEnded):
        said.append(child.wait_for(Event))
    assert said[-1].state == "stopped"
    assert not [event for event in said if isinstance(event, Progress | EpochEnded)]  # not a batch more
    run = runs.open_run("long", tmp_path)
    assert run.state() == "stopped"
    assert run.model_path.exists()


def test_stop_that_comes_before_its_job_has_begun_is_heard(child, tiny, tmp_path):
    train = messages.Train(config=tiny(epochs=5000), name="long", root=str(tmp_path))
    child.send(train, messages.Stop())
    assert child.wait_for(JobEnded, run="long").state == "stopped"
    child.send(messages.Train(config=tiny(epochs=1), name="short", root=str(tmp_path)))
    assert child.wait_for(JobEnded, run="short").state == "finished"


def test_stop_for_the_next_job_is_heard_while_the_job_before_ends(tiny, tmp_path, monkeypatch):
    worker = TrainingWorker([], io.BytesIO(), tmp_path)
    stopped = {}

    def train(config, run, root, emit, should_stop):
        stopped[run] = should_stop()
        emit(JobEnded(run=run, state="finished", epoch=1))
        if run == "first":  # the app has heard of the end; this job has still to return
            worker._receive(messages.Train(config=config, name="second", root=root))
            worker._receive(messages.Stop())

    monkeypatch.setattr("engine.processes.training_worker.training.train", train)
    worker._receive(messages.Train(config=tiny(), name="first", root=str(tmp_path)))
    worker._handle(worker._next())
    worker._handle(worker._next())
    worker._receive(messages.Stop())  # of a job that has ended
    worker._receive(messages.Train(config=tiny(), name="third", root=str(tmp_path)))
    worker._handle(worker._next())
    assert stopped == {"first": False, "second": True, "third": False}


def test_study_that_is_stopped_at_once_is_kept_and_told(child, tmp_path):
    out = tmp_path / "study"
    study = messages.RunStudy(out=str(out), config={"quick": True}, settings={"size": 32, "filters": (4, 8)})
    child.send(study, messages.Stop())
    assert child.wait_for(messages.StudyEnded, out=str(out)).state == "stopped"
    assert StudyFolder(out).state() == "stopped"
    child.send(messages.RunStudy(out=str(out), settings={"size": 33}))
    assert "Size 33" in child.wait_for(RequestFailed).reason


def test_what_cannot_be_done_gets_a_sentence_and_the_process_stays(child, tiny, tmp_path):
    child.write(b"nonsense\n")
    assert "could not be read" in child.wait_for(RequestFailed).reason
    child.send(messages.Resume(run="nobody"))
    assert "no run 'nobody'" in child.wait_for(RequestFailed).reason
    nowhere = tiny(source=str(tmp_path / "nowhere"))
    child.send(messages.Train(config=nowhere, name="none", root=str(tmp_path)))
    assert "nowhere" in child.wait_for(RequestFailed).reason
    assert not (tmp_path / "none").exists()
    child.send(messages.OpenScan(number=8, panel="compare", path=str(tmp_path)))
    assert "does not answer requests" in child.wait_for(RequestFailed).reason


def test_request_that_cannot_be_answered_gets_a_sentence_and_the_process_stays(explorer, tiny, tmp_path):
    explorer.write(b"nonsense\n")
    assert "could not be read" in explorer.wait_for(RequestFailed).reason
    nowhere = tiny(source=str(tmp_path / "nowhere"))
    explorer.send(messages.LoadData(number=7, panel="data", config=nowhere.data))
    failed = explorer.wait_for(RequestFailed)
    assert (failed.number, failed.panel) == (7, "data")
    explorer.send(messages.OpenScan(number=8, panel="compare", path=str(tmp_path)))
    assert explorer.wait_for(RequestFailed).number == 8
    explorer.send(messages.Resume(run="nobody"))
    assert "does not run jobs" in explorer.wait_for(RequestFailed).reason


def test_only_the_newest_request_of_a_panel_is_answered(explorer, tiny):
    ask = [messages.LoadData(number=number, panel="data", config=tiny().data) for number in range(20, 40)]
    explorer.send(*ask)
    answered = []
    while 39 not in answered:
        answered.append(explorer.wait_for(Response).number)
    assert len(answered) < 20
    assert answered == sorted(answered)


def test_a_killed_process_leaves_a_run_that_continues(child, start_child, tiny, tmp_path):
    child.send(messages.Train(config=tiny(epochs=5000), name="one", root=str(tmp_path)))
    epoch = child.wait_for(EpochEnded, epoch=3).epoch
    child.kill()
    run = runs.open_run("one", tmp_path)
    assert run.state() == "interrupted"
    config = json.loads((run.path / "config.json").read_text())
    config["training"]["epochs"] = len(run.history()) + 1
    run.write_json("config.json", config)
    other = start_child("training")
    other.send(messages.Resume(run=str(run.path)))
    assert other.wait_for(JobStarted).first_epoch >= epoch - 1
    assert other.wait_for(JobEnded).state == "finished"


def test_the_process_ends_when_its_window_dies(child, tiny, tmp_path):
    child.send(messages.Train(config=tiny(epochs=5000), name="one", root=str(tmp_path)))
    child.wait_for(EpochEnded)
    assert child.close() == 0
    assert runs.open_run("one", tmp_path).state() == "interrupted"
