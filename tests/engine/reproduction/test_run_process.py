"""A run of a quick study in its real process: paused, resumed, stopped, killed."""

import os
import queue
import signal
import threading

import pytest

from engine import config, runs
from engine.errors import EngramError, TrainingError
from engine.messages import Continued, EpochEnded, JobEnded, Paused, never_stop
from engine.reproduction import preset_runs
from engine.search.executor import TrialProcess
from engine.search.job import StopAndPause
from tests.trained_runs import TINY

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_children")]


class Following:
    """A run being trained by another thread; its wishes are events, what it tells is a queue."""

    def __init__(self, run, log):
        self.told, self.stop, self.pause, self.error = queue.Queue(), threading.Event(), threading.Event(), None
        self._thread = threading.Thread(target=self._train, args=(run, log))
        self._thread.start()

    def _train(self, run, log):
        try:
            preset_runs.train_in_process(run, self.told.put, StopAndPause(self.stop.is_set, self.pause.is_set), log)
        except EngramError as error:
            self.error = error

    def wait_for(self, kind):
        while True:
            event = self.told.get(timeout=60)
            if isinstance(event, kind):
                return event

    def end(self):
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def run(study):
    return runs.create_run(config.from_flat({**TINY, "epochs": 500}), "long", study.runs)


@pytest.fixture
def following(run, study):
    made = Following(run, study.path / "long.log")
    yield made
    made.stop.set()
    made.pause.clear()
    made.end()


def test_run_is_paused_resumed_and_stopped(run, following):
    following.wait_for(EpochEnded)
    following.pause.set()
    following.wait_for(Paused)
    following.pause.clear()
    following.wait_for(Continued)
    following.wait_for(EpochEnded)
    following.stop.set()
    assert following.wait_for(JobEnded).state == "stopped"
    following.end()
    assert following.error is None
    assert run.state() == "stopped"
    assert run.model_path.is_file()


def test_death_of_the_process_is_a_sentence_and_its_epochs_stay(run, study, monkeypatch):
    pids, train = queue.Queue(), TrialProcess.train

    def begun(self, *words):
        train(self, *words)
        pids.put(self._process.pid)

    monkeypatch.setattr(TrialProcess, "train", begun)
    following = Following(run, study.path / "long.log")
    following.wait_for(EpochEnded)
    os.kill(pids.get(timeout=240), signal.SIGKILL)
    following.end()
    assert isinstance(following.error, TrainingError)
    assert "long ended unexpectedly (signal 9)" in str(following.error)
    assert run.history()
    assert run.state() == "interrupted"


def test_run_that_cannot_be_trained_says_why(study):
    refused = runs.create_run(config.from_flat({**TINY, "source": "/nowhere"}), "refused", study.runs)
    told = []
    with pytest.raises(EngramError, match="nowhere"):
        preset_runs.train_in_process(
            refused, told.append, StopAndPause(never_stop, never_stop), study.path / "refused.log"
        )
