"""The record of a run: events folded one after the other, live or long after."""

import pytest

from engine.formatting import format_parameters
from engine.messages import Continued, EpochEnded, JobEnded, JobStarted, Log, Paused, Progress
from gui.run_record import EventFileTail, log_entry, open_record, read_notes
from tests.gui.conftest import story


def record_of(run, *more):
    record = open_record(run.path)
    for event in [*run.events(), *more]:
        record.apply(event)
    return record


def progress(epoch=2):
    return Progress(run="r", epoch=epoch, epochs=4, batch=1, batches=2, loss=0.5, images_per_s=10.0, left_s=3.0)


def test_finished_run_is_restored_from_its_events(make_run):
    record = record_of(make_run("ae-0001", epochs=3))
    assert (record.state, record.last_epoch, record.target_epochs) == ("finished", 3, 3)
    assert record.best.epoch == 3
    assert record.curve("loss") == ([1, 2, 3], [1.0, 1 / 2, 1 / 3])
    assert [line.text for line in record.log][-1] == "Finished after 3 epochs."


def test_state_follows_the_events(make_run):
    assert record_of(make_run("a", state="stopped")).state == "stopped"
    interrupted = record_of(make_run("b", state=None))
    assert interrupted.state == "interrupted"
    assert interrupted.can_resume
    interrupted.busy = True
    assert interrupted.state == "running"
    interrupted.apply(Paused(run="b"))
    assert interrupted.state == "paused"
    interrupted.apply(Continued(run="b"))
    assert interrupted.state == "running"


def test_resumed_run_is_no_longer_what_it_was_when_it_ended(make_run):
    record = record_of(make_run("a", state="failed"))
    record.apply(next(event for event in story(record.run, 1) if isinstance(event, JobStarted)))
    assert record.state == "interrupted"
    record.busy = True
    assert record.state == "running"


def test_event_that_comes_twice_counts_once(make_run):
    run = make_run("a", state=None)
    record = record_of(run)
    lines = len(record.log)
    assert not any(record.apply(event) for event in run.events())
    assert len(record.log) == lines


def test_old_events_without_a_number_all_count(make_run):
    record = record_of(make_run("a", state=None))
    before = len(record.log)
    assert all(record.apply(Log(time=1.0, text="Twice.")) for _ in range(2))
    assert len(record.log) == before + 2


def test_pause_ends_within_the_tick_of_the_clock_that_it_began_in(make_run):
    record = record_of(make_run("a", state=None))
    record.busy = True
    for event, state in ((Paused, "paused"), (Continued, "running"), (Paused, "paused")):
        record.apply(event(time=1.0, run="a"))
        assert record.state == state


def test_progress_is_kept_until_the_job_ends(make_run):
    record = record_of(make_run("a", state=None), progress())
    assert record.progress.epoch == 2
    record.apply(list(story(record.run, 1))[-1])
    assert record.progress is None


def test_resumed_epoch_replaces_the_old_one(make_run):
    record = record_of(make_run("a", epochs=3, state=None))
    record.apply(EpochEnded(run="a", epoch=3, metrics={"loss": 9.0, "val_loss": 9.0}, best=False))
    assert record.curve("loss")[1][-1] == 9.0
    assert record.best.epoch == 2


def test_run_that_cannot_be_read_is_named_with_the_reason(make_run):
    run = make_run("a")
    (run.path / "config.json").write_text("{", encoding="utf-8")
    record = open_record(run.path)
    assert record.state == "damaged"
    assert "config.json" in record.damage
    assert not record.can_resume


def test_best_is_not_a_loss_that_is_no_number(make_run):
    record = record_of(make_run("a", epochs=2, state=None))
    record.apply(EpochEnded(run="a", epoch=1, metrics={"val_loss": float("nan")}, best=False))
    assert record.best.epoch == 2


def test_start_is_a_sentence_with_place_and_size(make_run):
    started = next(event for event in make_run("a").events() if isinstance(event, JobStarted))
    text, level = log_entry(started)
    assert "TensorFlow, CPU" in text
    assert "27 training and 3 validation images" in text
    assert level == "info"
    stopped = [JobEnded(run="a", state="stopped", epoch=epoch) for epoch in (0, 1, 7)]
    assert [log_entry(event)[0] for event in stopped] == [
        "Stopped before the first epoch was completed.",
        "Stopped after 1 epoch; the best model is kept.",
        "Stopped after 7 epochs; the best model is kept.",
    ]
    assert format_parameters(11_534_000) == "11.5 M"


def test_tail_waits_for_whole_lines_and_passes_over_broken_ones(make_run):
    run = make_run("a", epochs=1)
    file = run.path / "events.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b"broken\n" + lines[1][:20])
    tail = EventFileTail(file)
    assert len(tail.read()) == 1
    assert tail.read() == []
    file.write_bytes(lines[0] + b"broken\n" + lines[1] + lines[2])
    assert len(tail.read()) == 2
    assert tail.bytes_added() == 0
    file.write_bytes(b"")
    assert tail.bytes_added() < 0


def test_time_of_training_leaves_out_pauses_and_the_time_between_jobs(make_run, tiny):
    record = open_record(make_run("a", epochs=0, goal=3, state=None).path)
    started = next(event for event in record.run.events() if isinstance(event, JobStarted))

    def ended(epoch, time):
        return EpochEnded(
            run="a", epoch=epoch, metrics={}, best=False, time=time, batch_losses=((0.5, 2.0), (1.0, 1.0))
        )

    for event in (
        started.model_copy(update={"time": 100.0, "sequence": None}),
        ended(1, 110.0),
        Paused(run="a", time=112.0),
        Continued(run="a", time=150.0),
        ended(2, 158.0),
        JobEnded(run="a", state="stopped", time=159.0),
        started.model_copy(update={"time": 500.0, "first_epoch": 2, "sequence": None}),
        ended(3, 510.0),
    ):
        record.apply(event)
    assert record.to_axis([0, 1, 2, 3], "relative") == [0, 10, 20, 30]
    assert record.to_axis([1, 2.5, 3], "wall") == [110, 334, 510]
    assert record.to_axis([1, 2], "step") == [4, 8]
    assert record.to_axis([1, 2], "epoch") == [1, 2]
    assert record.training_s == 30
    assert record.batch_curve() == ([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], [2.0, 1.0] * 3)


@pytest.mark.parametrize("text", ["", "[]", '{"place": "x", "note": 3, "tags": "a"}', '{"tags": [1, "a"]}'])
def test_notes_that_cannot_be_read_have_their_defaults(tmp_path, text):
    (tmp_path / "view.json").write_text(text, encoding="utf-8")
    notes = read_notes(tmp_path)
    assert (notes.place, notes.note) == (None, "")
    assert set(notes.tags) <= {"a"}
