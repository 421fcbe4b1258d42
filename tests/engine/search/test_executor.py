"""Trials in processes on this machine: real processes, whose framework is a fake that is imported at once."""

import os
import queue
import signal
import tempfile

import pytest

from engine import runs
from engine.messages import (
    Continue,
    Continued,
    EpochEnded,
    JobEnded,
    JobStarted,
    Log,
    Pause,
    Paused,
    RequestFailed,
    Stop,
)
from engine.search.executor import LocalExecutor, ProcessExited, TrialTask
from tests.engine.search.processes import children, holder, holds, wait_for_end

ENDLESS = 10_000  # epochs
needs_proc = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="finds the processes of trials by /proc (Linux)")
SEARCH = """
import queue, sys
from pathlib import Path
from engine import runs
from engine.messages import JobStarted
from engine.search.executor import TrialTask
from engine.search.executor import LocalExecutor

root, inbox = Path(sys.argv[1]), queue.Queue()
machine = LocalExecutor(root)
for number in (1, 2):
    machine.submit(TrialTask(number, runs.open_run(f"s-{number}", root), root / f"{number}.log"), inbox)
    machine.prewarm("tensorflow")
    while not ((news := inbox.get())[0] == number and isinstance(news[1], JobStarted)):
        pass
    print("trains", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch, fake_framework):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture
def machine(tmp_path):
    """This machine, and nothing of it left behind."""
    machine = LocalExecutor(tmp_path)
    yield machine
    machine.close()


class Trial:
    """A trial that runs on a machine, and its news."""

    def __init__(self, machine, run):
        self.run, self.log = run, run.path.with_suffix(".log")
        self._inbox = queue.Queue()
        self.process = machine.submit(TrialTask(7, run, self.log), self._inbox)

    def wait_for(self, kind, **values):
        """Return the next news of a kind; those before it are passed over."""
        while True:
            number, news = self._inbox.get(timeout=60)
            assert number == 7
            if isinstance(news, kind) and all(getattr(news, name) == value for name, value in values.items()):
                return news
            assert not isinstance(news, ProcessExited), f"it is gone before {kind}: {news}"

    def kill_all(self):
        """End its process; what it said before is still being read by another thread, which closes that pipe."""
        self.process.kill()
        self.process._process.wait(60)
        self.process.close()

    def poll(self):
        """Return all news to the end."""
        found = [self._inbox.get(timeout=60)[1]]
        while not isinstance(found[-1], ProcessExited):
            found.append(self._inbox.get(timeout=60)[1])
        return found


@pytest.fixture
def begin(machine, tiny, tmp_path):
    """Begin a trial on this machine; ended with the test."""
    begun = []

    def begin(epochs=ENDLESS, run=None):
        begun.append(Trial(machine, run or runs.create_run(tiny(epochs=epochs), f"s-{len(begun) + 1}", tmp_path)))
        return begun[-1]

    yield begin
    for trial in begun:
        trial.kill_all()


def test_a_trial_tells_what_it_does_and_its_end_comes_last(begin):
    trial = begin(epochs=2)
    news = trial.poll()
    kinds = [type(each) for each in news if not isinstance(each, Log)]
    assert kinds == [JobStarted, EpochEnded, EpochEnded, JobEnded, ProcessExited]
    assert news[-1] == ProcessExited(0, "")
    assert trial.run.state() == "finished"


def test_a_trial_is_held_let_continue_and_stopped(begin):
    trial = begin()
    trial.wait_for(EpochEnded)
    trial.process.send(Pause())
    trial.wait_for(Paused, run="s-1")
    trial.process.send(Continue())
    trial.wait_for(Continued, run="s-1")
    trial.process.send(Stop())
    assert trial.wait_for(JobEnded).state == "stopped"
    assert trial.wait_for(ProcessExited).code == 0
    trial.process.send(Stop())  # one that is gone hears nothing


def test_a_trial_that_is_killed_is_gone_by_a_signal_and_continues_from_its_last_epoch(begin):
    trial = begin()
    trial.wait_for(EpochEnded, epoch=2)
    trial.process.kill()
    assert trial.wait_for(ProcessExited).code == -signal.SIGKILL
    again = begin(run=trial.run)
    assert again.wait_for(JobStarted).first_epoch >= 2


def test_one_that_breaks_off_is_gone_with_the_last_line_of_its_log(begin, monkeypatch):
    monkeypatch.setenv("FAKE_FITTING", "break")
    trial = begin()
    assert trial.wait_for(ProcessExited) == ProcessExited(1, "TypeError: no framework does that")
    assert "Traceback" in trial.log.read_text()


def test_what_a_library_writes_to_the_bare_descriptor_is_in_nobody_s_way(begin, monkeypatch):
    monkeypatch.setenv("FAKE_FITTING", "talk")
    trial = begin(epochs=3)
    news = trial.poll()
    assert sum(isinstance(each, EpochEnded) for each in news) == 3
    assert trial.log.read_text().count("bare descriptor") == 3


def test_one_that_cannot_be_trained_says_why(begin, tiny, tmp_path):
    source = tmp_path / "empty"
    source.mkdir()
    run = runs.create_run(tiny(source=str(source)), "bad", tmp_path)
    news = begin(run=run).poll()
    assert [type(each) for each in news[-3:]] == [JobEnded, RequestFailed, ProcessExited]
    assert str(source) in next(each.reason for each in news if isinstance(each, RequestFailed))


def test_a_trial_waits_until_the_process_before_it_lets_its_run_go(begin, tiny, tmp_path):
    run = runs.create_run(tiny(epochs=1), "late", tmp_path)
    with run.lock():
        trial = begin(run=run)
        trial.wait_for(Log)
        with pytest.raises(queue.Empty):  # one that does not wait gives up after a second
            trial._inbox.get(timeout=2)
    assert trial.wait_for(JobEnded).state == "finished"


# ---- the process in reserve --------------------------------------------------------------------------------------


@needs_proc
def test_the_process_in_reserve_takes_the_next_trial_and_all_die_with_the_search(
    start_python, tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv("FAKE_EPOCH_S", "600")  # they die at once, not when an epoch is over
    for number in (1, 2):
        runs.create_run(tiny(epochs=ENDLESS), f"s-{number}", tmp_path)
    search = start_python(SEARCH, tmp_path)
    assert search.stdout.readline() == b"trains\n"
    first = holder(tmp_path / "s-1")
    (spare,) = set(children(search.pid)) - {first}
    search.stdin.write(b"\n")
    search.stdin.flush()
    assert search.stdout.readline() == b"trains\n"
    assert holds(spare, tmp_path / "s-2")
    (another,) = set(children(search.pid)) - {first, spare}
    os.kill(search.pid, signal.SIGKILL)
    for process in (first, spare, another):
        wait_for_end(process)
    assert [runs.open_run(f"s-{number}", tmp_path).state() for number in (1, 2)] == ["interrupted"] * 2


def test_a_process_in_reserve_of_another_framework_or_that_died_is_not_taken(machine, begin):
    machine.prewarm("torch")
    other = machine._spare
    trial = begin(epochs=1)
    assert trial.process is not other
    assert not other.is_alive()
    assert isinstance(trial.poll()[-1], ProcessExited)
    machine.prewarm("tensorflow")
    dead = machine._spare
    dead.kill()
    dead._process.wait(60)
    trial = begin(epochs=1)
    assert trial.process is not dead
    assert trial.wait_for(JobEnded).state == "finished"


def test_there_is_one_process_in_reserve_or_none_where_none_is_wanted(tmp_path):
    wanted = LocalExecutor(tmp_path)
    wanted.prewarm("tensorflow")
    spare = wanted._spare
    wanted.prewarm("tensorflow")
    assert wanted._spare is spare
    wanted.close()
    assert not spare.is_alive()
    unwanted = LocalExecutor(tmp_path, prewarm=False)
    unwanted.prewarm("tensorflow")
    assert unwanted._spare is None


def test_where_cards_are_dealt_each_trial_sees_its_own_and_none_waits(begin, machine, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    dealt = LocalExecutor(tmp_path)
    dealt.prewarm("tensorflow")
    assert dealt._spare is None
    trials = [Trial(dealt, runs.create_run(tiny(epochs=1), f"card-{number}", tmp_path)) for number in (1, 2)]
    told = [trial.wait_for(Log).text for trial in trials]
    assert told == ["card-1 uses GPU 3.", "card-2 uses GPU 5."]
    for trial in trials:
        trial.wait_for(ProcessExited)
    trials[1].process.close()
    again = Trial(dealt, runs.create_run(tiny(epochs=1), "card-3", tmp_path))
    assert again.wait_for(Log).text == "card-3 uses GPU 5."
    again.wait_for(ProcessExited)
    for trial in (trials[0], again):
        trial.process.close()
