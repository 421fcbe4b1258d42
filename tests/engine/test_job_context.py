"""One way to cancel and one way to report progress."""

import pytest

from engine.errors import EngramError
from engine.job_context import UNATTENDED, Cancelled, JobContext


def test_every_item_is_reported_once_it_is_done():
    reported = []
    context = JobContext(on_progress=lambda *told: reported.append(told)).with_title("Reading")
    items = context.track("abc", total=5, done=2)
    assert next(items) == "a"
    assert not reported
    assert list(items) == ["b", "c"]
    assert reported == [("Reading", 3, 5), ("Reading", 4, 5), ("Reading", 5, 5)]


def test_a_canceled_computation_starts_no_other_item():
    answers, started = iter([False, True]), []
    with pytest.raises(Cancelled):
        started.extend(JobContext(should_stop=lambda: next(answers)).track("abc", total=3))
    assert started == ["a"]


def test_a_part_is_canceled_with_the_whole():
    with pytest.raises(Cancelled):
        JobContext(should_stop=lambda: True).with_title("A part").check()


def test_to_be_canceled_is_no_error_of_the_user():
    assert not issubclass(Cancelled, EngramError)


def test_run_is_unattended_by_default():
    UNATTENDED.check()
    UNATTENDED.report(1, 2)
    assert list(UNATTENDED.track([1, 2], total=2)) == [1, 2]
