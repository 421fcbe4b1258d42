"""Work that stops between two steps and continues where it was."""

import gc
import weakref

import pytest

from engine.job_context import Cancelled, JobContext, ResumableJob, run_steps


def stop_after(times):
    """A context that asks to stop once it was polled a number of times."""
    left = iter(range(times))
    return JobContext(should_stop=lambda: next(left, None) is None)


def noting(done, count=3, fails_at=None):
    """Square the first numbers in steps, and note each step."""
    squares = []
    for number in range(count):
        if number == fails_at:
            raise ZeroDivisionError
        done.append(number)
        squares.append(number**2)
        yield number + 1, count
    return squares


def test_steps_are_reported_and_a_place_to_stop_is_not():
    def steps():
        yield None
        yield 1, 2
        yield None
        yield 2, 2
        return "result"

    reported = []
    context = JobContext(on_progress=lambda *told: reported.append(told), title="Squaring")
    assert run_steps(steps(), context) == "result"
    assert reported == [("Squaring", 1, 2), ("Squaring", 2, 2)]


def test_a_generator_goes_on_where_it_was_interrupted():
    done = []
    steps = noting(done)
    with pytest.raises(Cancelled):
        run_steps(steps, stop_after(2))
    assert done == [0, 1]
    assert run_steps(steps) == [0, 1, 4]
    assert done == [0, 1, 2]


def test_a_job_goes_on_and_keeps_its_result():
    started, done = [], []
    job = ResumableJob(lambda _: started.append(1) or noting(done))
    for _ in range(2):
        with pytest.raises(Cancelled):
            job.run(stop_after(1))
    assert job.run() == [0, 1, 4]
    assert job.run(stop_after(0)) == [0, 1, 4]
    assert (started, done) == ([1], [0, 1, 2])


def test_a_job_that_failed_begins_anew():
    failures, done = [1, None], []
    job = ResumableJob(lambda _: noting(done, fails_at=failures.pop(0)))
    with pytest.raises(ZeroDivisionError):
        job.run()
    assert job.run() == [0, 1, 4]
    assert done == [0, 0, 1, 2]


def test_a_step_polls_the_context_of_the_present_run():
    polled = []

    def steps(context):
        while not polled or polled[-1]:
            polled.append(context.should_stop())
            yield None

    job = ResumableJob(steps)
    with pytest.raises(Cancelled):
        job.run(stop_after(1))  # polled before the first step, and by it
    job.run()
    assert polled == [True, False]


def test_a_job_that_is_dropped_closes_its_generator():
    closed = []

    def steps(context):
        try:
            yield None
        finally:
            closed.append(context)

    job = ResumableJob(steps)
    with pytest.raises(Cancelled):
        job.run(stop_after(1))
    assert not closed
    gc.disable()
    try:
        del job
        assert closed
    finally:
        gc.enable()


def test_a_finished_job_holds_nothing_that_it_was_made_of():
    class Model:
        pass

    def steps(model):
        yield None
        return type(model).__name__

    model = Model()
    known = weakref.ref(model)
    job = ResumableJob(lambda _, model=model: steps(model))
    assert job.run() == "Model"
    del model
    gc.collect()
    assert known() is None
