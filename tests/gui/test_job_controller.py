"""The job: what is sent to its engine, and what becomes of it when the engine does not do as it should."""

import pytest

from engine.messages import (
    Continue,
    Continued,
    JobEnded,
    JobStarted,
    Pause,
    Paused,
    Ready,
    RequestFailed,
    Resume,
    Search,
    SearchEnded,
    SearchState,
    Stop,
)
from gui.job_controller import TRIALS_GRACE_MS, JobController
from tests.gui.conftest import story


@pytest.fixture
def job(qtbot, tmp_path, fake_engines):
    made = JobController(tmp_path)
    yield made
    made.close()
    made.deleteLater()


def started(run):
    return next(event for event in story(run, 1) if isinstance(event, JobStarted))


def test_run_goes_through_its_states(job, make_run):
    run = make_run("ae-0001", state=None)
    job.start(run)
    engine = job.engine
    assert engine.sent == [Resume(run=str(run.path))]
    assert (job.state, job.run) == ("starting", "ae-0001")
    engine.say(started(run))
    assert job.state == "running"
    job.pause()
    assert (engine.sent[-1], job.state) == (Pause(), "pausing")
    engine.say(Paused(run="ae-0001"))
    assert job.state == "paused"
    job.resume()
    assert (engine.sent[-1], job.state) == (Continue(), "running")
    engine.say(Continued(run="ae-0001"))
    job.stop()
    assert (engine.sent[-1], job.state) == (Stop(), "stopping")
    engine.say(JobEnded(run="ae-0001", state="stopped", epoch=1))
    assert (job.state, job.run) == ("idle", None)


def test_engine_is_kept_for_the_next_run_unless_another_backend_is_wanted(job, make_run):
    job.warm_up("tensorflow")
    first = job.engine
    job.start(make_run("a"))
    assert job.engine is first
    first.say(JobEnded(run="a", state="finished"))
    job.start(make_run("b", backend="jax"))
    assert (job.engine.backend, first.running) == ("jax", False)
    job.engine.say(JobEnded(run="b", state="finished"))
    job.start(make_run("c", backend="jax", threads=1))
    assert job.engine.threads == 1


def test_warming_up_does_not_disturb_a_run(job, make_run):
    job.start(make_run("a"))
    engine = job.engine
    job.warm_up("jax")
    assert job.engine is engine


def test_refused_command_frees_the_job(job, make_run, qtbot):
    job.start(make_run("a"))
    with qtbot.waitSignal(job.refused) as blocker:
        job.engine.say(RequestFailed(reason="Run 'a' is being trained by another process."))
    assert "another process" in blocker.args[0].reason
    assert job.run is None


def test_killed_engine_is_reported_with_its_run(job, make_run, qtbot):
    job.start(make_run("a"))
    with qtbot.waitSignal(job.engine_crashed) as blocker:
        job.engine.die(9)
    loss = blocker.args[0]
    assert loss.run == "a"
    assert loss.sentence == "The engine crashed (signal 9, often out of memory)."
    assert (job.state, job.engine) == ("idle", None)


def test_engine_that_was_ready_is_replaced_and_one_that_never_was_is_not(job):
    job.warm_up("jax")
    job.engine.die(1, crashed=False)
    assert job.engine is None
    job.warm_up("jax")
    job.engine.say(Ready(backend="jax", device="CPU", versions={}))
    job.engine.die(9)
    assert job.engine.is_running()
    assert job.engine.backend == "jax"


def test_engine_that_does_not_stop_in_time_is_ended(job, make_run, qtbot, monkeypatch):
    job._grace.setInterval(10)
    job.start(make_run("a"))
    with qtbot.waitSignal(job.engine_crashed) as blocker:
        job.stop()
    assert "did not respond to Stop" in blocker.args[0].sentence
    assert job.run is None


def test_engine_that_stops_in_time_is_left_alone(job, make_run, qtbot):
    job._grace.setInterval(10)
    job.start(make_run("a"))
    job.stop()
    job.engine.say(JobEnded(run="a", state="stopped"))
    assert not job._grace.isActive()
    assert job.engine.running


def test_readiness_is_reported(job, qtbot):
    job.warm_up("tensorflow")
    with qtbot.waitSignal(job.ready):
        job.engine.say(Ready(backend="tensorflow", device="CPU", versions={}))


def stands(state):
    known = {"done": 1, "failed": 0, "running": 1, "trials": 8, "left": 6, "left_s": 30.0, "best": 1}
    return SearchState(search="s", state=state, best_score=0.1, **known)


def test_search_goes_through_its_states_and_may_be_held(job):
    job.start_search(Search(name="s"), "tensorflow")
    assert (job.state, job.search, job.is_busy()) == ("starting", "s", True)
    job.start_search(Search(name="other"), "tensorflow")
    assert job.search == "s"
    job.engine.say(stands("running"))
    job.pause()
    assert (job.engine.sent[-1], job.state) == (Pause(), "pausing")
    job.engine.say(Paused(run="s-0001"))  # one trial of several: the search itself says when all are held
    assert job.state == "pausing"
    job.engine.say(stands("paused"))
    assert job.state == "paused"
    job.resume()
    assert (job.engine.sent[-1], job.state) == (Continue(), "running")
    job.stop()
    assert (job._grace.isActive(), job._grace.interval()) == (True, TRIALS_GRACE_MS)
    job.engine.say(stands("running"))
    assert job.state == "stopping"
    job.engine.say(JobEnded(run="s-0001", state="stopped"))
    assert job.search == "s"
    job.engine.say(SearchEnded(search="s", state="stopped"))
    assert (job.state, job.search) == ("idle", None)


def test_lost_search_is_reported_by_its_name(job, qtbot):
    job.start_search(Search(name="s"), "tensorflow")
    with qtbot.waitSignal(job.engine_crashed) as blocker:
        job.engine.die(9)
    assert (blocker.args[0].search, blocker.args[0].run) == ("s", None)
