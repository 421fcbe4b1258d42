"""The session: one way for events, whether they come from a living engine or from an old record."""

import pytest

from engine import runs
from engine.config import DataConfig
from engine.errors import SourceNotFound
from engine.messages import JobEnded, LoadData, Log, RequestFailed, RequestProgress, Response, Resume
from tests.gui.conftest import number, story


def test_watching_a_run_and_reopening_it_show_the_same(session, make_run, tiny, qtbot):
    session.open(session.runs.root)
    live = session.start(tiny(epochs=3), "live")
    for event in story(live.run, 3):
        session.job.engine.say(event)
    old = make_run("old", epochs=3)
    session.runs.refresh()
    reopened = session.record("old")
    assert (live.epochs.keys(), live.state) == (reopened.epochs.keys(), reopened.state)
    assert [line.text for line in live.log] == [line.text for line in reopened.log]
    assert old.path == reopened.run.path


def test_feeding_an_event_tells_the_panels(session, make_run, qtbot):
    make_run("ae-0001", state=None)
    session.open(session.runs.root)
    with qtbot.waitSignal(session.run_changed) as blocker:
        session.apply_event(JobEnded(run="ae-0001", state="stopped", epoch=3), "ae-0001")
    assert blocker.args == ["ae-0001"]
    assert session.record("ae-0001").state == "stopped"


def test_event_heard_live_is_not_counted_again_from_the_record(session, tiny):
    session.open(session.runs.root)
    record = session.start(tiny(epochs=2))
    for event in number(story(record.run, 2, state=None)):
        record.run.append(event)
        session.job.engine.say(event)
    lines = len(record.log)
    session.runs.refresh()
    assert len(record.log) == lines


def test_events_of_one_tick_of_the_clock_all_count_once(session, tiny):
    session.open(session.runs.root)
    record = session.start(tiny(epochs=2))
    first, second, third = number(Log(time=1.0, text=text) for text in ("one", "two", "two"))
    record.run.append(first)
    session.runs.refresh()
    session.job.engine.say(second)
    for event in (second, third):
        record.run.append(event)
    session.job.engine.say(first)
    session.runs.refresh()
    assert [line.text for line in record.log] == ["one", "two", "two"]


def test_start_makes_a_run_and_sends_it_to_an_engine(session, tiny):
    session.open(session.runs.root)
    record = session.start(tiny(), None)
    assert record.name == "ae-0001"
    assert record.state == "running"
    assert session.job.engine.sent == [Resume(run=str(record.run.path))]


def test_source_with_a_typo_takes_no_name(session, tiny, tmp_path, root):
    session.open(root)
    with pytest.raises(SourceNotFound):
        session.start(tiny(source=str(tmp_path / "nowhere")), "one")
    assert not (root / "one").exists()
    assert not session.job.is_busy()


def test_name_of_a_run_that_failed_with_nothing_is_taken_with_the_new_settings(session, tiny, root):
    failed = runs.create_run(tiny(epochs=2), "one", root)
    failed.append(JobEnded(run="one", state="failed", reason="No images."))
    session.open(root)
    record = session.start(tiny(epochs=5), "one")
    assert (record.config.training.epochs, record.state, list(session.runs.records)) == (5, "running", ["one"])
    assert [line.text for line in record.log] == []
    session.runs.refresh()
    assert [line.text for line in record.log] == ["Failed: No images."]


def test_run_is_let_go_however_its_job_ends(session, tiny):
    session.open(session.runs.root)
    record = session.start(tiny())
    session.job.engine.say(RequestFailed(reason="no"))
    assert not record.busy
    session.resume(record.name)
    assert record.busy
    session.job.engine.die(9)
    assert not record.busy


def test_lost_engine_is_reported_with_what_is_kept(session, tiny, qtbot):
    session.open(session.runs.root)
    record = session.start(tiny(epochs=5), "ae-0003")
    for event in story(record.run, 2, state=None):
        session.job.engine.say(event)
    with qtbot.waitSignal(session.engine_crashed) as blocker:
        session.job.engine.die(9)
    expected = "The engine crashed (signal 9, often out of memory). ae-0003 is saved up to epoch 2."
    assert blocker.args[0].sentence == expected
    assert record.state == "interrupted"


def test_epoch_written_by_a_dying_engine_is_not_missed(session, tiny, qtbot):
    session.open(session.runs.root)
    record = session.start(tiny(epochs=5), "ae-0003")
    for event in story(record.run, 1, state=None):
        record.run.append(event)
    with qtbot.waitSignal(session.engine_crashed) as blocker:
        session.job.engine.die(9)
    assert "ae-0003 is saved up to epoch 1" in blocker.args[0].sentence


def test_images_are_loaded_and_shared(session, answer, data_content, qtbot):
    session.load_data(DataConfig(size=32))
    with qtbot.waitSignal(session.data_loaded):
        asked = answer("data", data_content)
    assert asked == LoadData(number=1, panel="data", config=DataConfig(size=32))
    data = session.data
    assert (data.size("train"), data.size("test")) == (16, 6)
    assert data.rows("test").tolist() == list(range(18, 24))
    assert data.class_name(19) == "no_tumor"
    assert data.thumbnails[3].shape == (32, 32)


def test_store_that_is_gone_is_a_sentence(session, answer, data_content, qtbot, tmp_path):
    session.load_data(DataConfig(size=32))
    with qtbot.waitSignal(session.loading_failed) as blocker:
        answer("data", {**data_content, "store": str(tmp_path / "gone.npy")})
    assert "could not be read" in blocker.args[0].reason


def test_newest_source_wins(session, data_content, qtbot):
    session.load_data(DataConfig(size=32))
    session.load_data(DataConfig(size=64))
    engine = session.explorer.engine
    engine.say(Response(number=2, panel="data", content=data_content))
    engine.say(Response(number=1, panel="data", content={}))
    assert session.data.config.size == 64


@pytest.fixture
def heard(session):
    """What the session says of the loading of a dataset."""
    told = []
    session.loading_changed.connect(lambda: told.append("loading" if session.loading else "over"))
    session.loading_progressed.connect(lambda done, total: told.append((done, total)))
    session.loading_failed.connect(lambda failure: told.append(failure.sentence))
    session.data_loaded.connect(lambda data: told.append(data.config.size))
    return told


def test_loading_is_pending_until_its_reply(session, heard, answer, data_content):
    session.load_data(DataConfig(size=32))
    session.explorer.engine.say(RequestProgress(number=1, panel="data", done=3, total=24))
    answer("data", data_content)
    assert heard == ["loading", (3, 24), "over", 32]
    assert session.loading is None


def test_canceled_loading_is_over_and_has_no_outcome(session, heard, answer, data_content):
    session.load_data(DataConfig(size=32))
    session.loading.cancel()
    answer("data", data_content)
    assert heard == ["loading", "over"]
    assert session.data is None


def test_newer_dataset_is_still_loading_when_the_older_one_is_dropped(session, heard):
    session.load_data(DataConfig(size=32))
    session.load_data(DataConfig(size=64))
    session.explorer.engine.say(RequestFailed(reason="Stopped.", number=1, panel="data"))
    assert heard == ["loading", "loading"]
    assert session.loading.request.config.size == 64


@pytest.mark.parametrize("by", ["refusal", "crash"])
def test_loading_that_fails_says_why_once_it_is_over(session, heard, by):
    session.load_data(DataConfig(size=32))
    if by == "crash":
        session.explorer.engine.die(9)
    else:
        session.explorer.engine.say(RequestFailed(reason="No folder.", advice="Check.", number=1, panel="data"))
    assert heard[:2] == ["loading", "over"]
    assert ("crashed" if by == "crash" else "No folder. Check.") in heard[2]
