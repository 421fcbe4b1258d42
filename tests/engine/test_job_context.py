"""One way to cancel and one way to report progress."""

import threading

import pytest

from engine.errors import EngramError
from engine.job_context import UNATTENDED, Cancelled, JobContext, importing, is_importing


@pytest.fixture
def reported():
    return []


@pytest.fixture
def context(reported):
    return JobContext(on_progress=lambda *told: reported.append(told))


def test_progress_is_reported_under_its_title(context, reported):
    context.with_title("Reading").report(1, 5)
    assert reported == [("Reading", 1, 5)]


def test_progress_of_a_part_is_that_of_the_whole(context, reported):
    context.with_title("Encoding").as_part(before=30, total=100).report(2, 20)
    assert reported == [("Encoding", 32, 100)]


def test_a_part_is_canceled_with_the_whole():
    stopped = JobContext(should_stop=lambda: True)
    for part in (stopped, stopped.with_title("A part"), stopped.as_part(0, 2)):
        with pytest.raises(Cancelled):
            part.check()


def test_to_be_canceled_is_no_error_of_the_user():
    assert not issubclass(Cancelled, EngramError)


def test_nobody_attends_by_default():
    UNATTENDED.check()
    UNATTENDED.report(1, 2)


def test_only_the_main_thread_counts_as_importing():
    told = []

    def import_there():
        with importing():
            told.append(is_importing())

    thread = threading.Thread(target=import_there)
    thread.start()
    thread.join()
    assert told == [False]
