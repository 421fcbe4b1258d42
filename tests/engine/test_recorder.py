"""The sequence numbers of the events of a run: none comes twice, whichever process writes, and whenever."""

import os

import pytest

from engine import runs
from engine.config import RunConfig
from engine.messages import JobEnded, JobStarted, Log, Progress
from engine.training.job import EventRecorder

PROGRESS = Progress(run="one", epoch=1, epochs=1, batch=1, batches=1, loss=1.0, images_per_s=1.0, left_s=0.0)


@pytest.fixture
def run(tmp_path):
    return runs.create_run(RunConfig(), "one", tmp_path)


def record(run, *events):
    """Return the events as the recorder passes them on."""
    heard = []
    with EventRecorder(run, heard.append) as recorder:
        for event in events:
            recorder(event)
    return heard


def test_events_are_numbered_through_all_jobs_of_a_run(run):
    events = [Log(time=1.0, text="a"), Log(time=1.0, text="a"), JobEnded(time=1.0, run="one", state="stopped")]
    heard = record(run, *events) + record(run, *events)
    assert [event.sequence for event in heard] == [1, 2, 3, 4, 5, 6]
    assert list(run.events()) == heard


def test_what_is_not_recorded_has_no_number(run):
    assert [event.sequence for event in record(run, PROGRESS, Log(text="a"))] == [None, 1]


def test_numbers_continue_behind_an_older_record_and_a_cut_off_line(run):
    run.append(Log(text="old"))
    run.append(Log(text="old"))
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"time": 1.0, "eve')
    record(run, Log(text="new"))
    assert [event.sequence for event in run.events()] == [None, None, 4]


def test_a_copy_continues_with_the_numbers_of_its_original(run):
    record(run, Log(text="a"), JobEnded(run="one", state="stopped"))
    kept = runs.copy_run(run, "kept")
    record(kept, Log(text="b"))
    assert [event.sequence for event in kept.events()] == [1, 2, 3]


def test_a_record_with_another_name_outside_the_run_is_copied_first(run, tmp_path):
    record(run, Log(text="a"))
    inode = (run.path / "events.jsonl").stat().st_ino
    record(run, Log(text="b"))
    assert (run.path / "events.jsonl").stat().st_ino == inode
    outside = tmp_path / "outside"
    os.link(run.path / "events.jsonl", outside)
    before = outside.read_bytes()
    record(run, Log(text="c"))
    assert outside.read_bytes() == before
    assert [event.text for event in run.events()] == ["a", "b", "c"]


def test_the_record_does_not_say_where_the_run_lies(run):
    fields = {"first_epoch": 0, "epochs": 1, "train_images": 1, "validation_images": 1, "parameters": 1}
    start = JobStarted(run="one", path=str(run.path), backend="tensorflow", device="CPU", **fields)
    assert [event.path for event in record(run, start)] == [str(run.path)]
    assert [event.path for event in run.events()] == [""]
