"""A space small enough to use up, a score without training, a scripted search, and one in a process of its own."""

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import backend, config, runs
from engine.messages import Search
from engine.search import commands, folder, job, space, space_file
from engine.search.samplers import IDLE
from engine.search.storage import FILE_NAME, Trial
from tests.engine.search.fake_executor import FakeExecutor
from tests.engine.search.scripted_search import ScriptedSearch

JOB = """
import sys
from engine import backend
from engine.messages import Search, read_command
from engine.search import job

def hear(event):
    sys.stdout.write(event.to_json_line())
    sys.stdout.flush()

backend.import_without_compute()
job.search(read_command(sys.argv[1]), emit=hear)
"""
SPACE = {"learning_rate": [1e-2, 1e-3], "latent": [4, 8]}


@pytest.fixture
def study():
    """The base settings and the space of the study's first table."""
    return space_file.preset("study-ae")


def loss(values):
    """A smooth made-up loss with its minimum inside the study's space: 5e-4, 40 epochs, batches of 16, latent 1024."""
    return (
        0.1
        + abs(math.log10(values.get("learning_rate", 5e-4) / 5e-4))
        + 4 / values.get("epochs", 40)
        + values.get("batch_size", 16) / 64
        + abs(values.get("latent", 1024) - 1024) / 2048
    )


def read_weights(run):
    """Return what the last checkpoint of a run holds, by position."""
    last = max(run.checkpoints.glob("epoch-*"))
    with open(last / "variables.npz", "rb") as file:
        return dict(np.load(file))


@pytest.fixture(scope="session")
def oracles():
    """The module `engine.search.oracle`, imported on the backend that the other tests of this process use."""
    return backend.import_on_backend("engine.search.oracle", config.TrainingConfig())


@pytest.fixture
def play(oracles):
    """Ask and tell an oracle until it has no more, or `count` trials are over: the trials as the ledger has them.

    `fails(number)` says which trials fail; `again` makes the oracle anew from the trials before each question.
    """

    def go(searched, algorithm="bayesian", count=100, seed=0, fails=lambda number: False, again=False):
        base, points = searched
        oracle, rows = oracles.Oracle(points, base, algorithm, seed), []
        while len(rows) < count:
            if again:
                oracle = oracles.replay(oracles.Oracle(points, base, algorithm, seed), rows)
                for row in rows:
                    oracle.tell(row)
            proposal = oracle.ask()
            if proposal is None:
                break
            assert proposal is not IDLE
            row = Trial(len(rows) + 1, space.config_key(proposal.values, base), proposal.values, place=proposal.bracket)
            oracle.register(row)
            failed = fails(row.number)
            score = None if failed else loss(row.config)
            rows.append(replace(row, state="failed" if failed else "finished", score=score))
            oracle.tell(rows[-1])
        return rows

    return go


@pytest.fixture
def executor(monkeypatch):
    """The executor of each search of this process: `executor.attempts = {1: [kill_after(2)]}` scripts its trials."""
    fake = FakeExecutor()
    monkeypatch.setattr(job, "make_executor", lambda settings, folder: fake)
    monkeypatch.setattr(job, "POLL_INTERVAL_S", 0)  # its news is there as soon as it looks
    return fake


@pytest.fixture
def make_search(executor, oracles, tiny, tmp_path):
    """Make a search with scripted trials, or one that resumes it: `make_search({"trials": 3}, user).run()`."""

    def make(settings=None, user=None, *, root=tmp_path, space=SPACE, retry_failed=False, **changes):
        new = not (root / "_searches" / "small" / FILE_NAME).exists()
        asked = {"base": tiny(**{"epochs": 3} | changes), "space": space} if new else {}
        order = Search(name="small", root=str(root), settings=settings or {}, retry_failed=retry_failed, **asked)
        return ScriptedSearch(order, user)

    return make


@pytest.fixture
def fake_framework(monkeypatch):
    """Give the processes of trials that a test starts a framework that is imported at once and trains nothing."""
    paths = [str(Path(__file__).parent / "fake_framework"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


class Running:
    """A search in a process of its own, and what it tells."""

    def __init__(self, process, root, name):
        self.process, self.root, self.name = process, root, name
        self.told = []

    def __iter__(self):
        for line in self.process.stdout:
            event = json.loads(line)
            self.told.append(event)
            yield event

    def wait_for(self, kind, **values):
        """The next event of a kind; those before it are passed over."""
        for event in self:
            if event["event"] == kind and all(event[name] == value for name, value in values.items()):
                return event
        raise AssertionError(f"the search ended before {kind} {values}: {self.process.stderr.read().decode()}")

    def hear(self, count):
        """Hear so many events, or all until the search ends."""
        for _, event in zip(range(count), self, strict=False):
            if event["event"] == "search-ended":
                return

    def finish(self):
        """Hear it out; the state that it ended in."""
        ended = self.wait_for("search-ended")
        assert self.process.wait(240) == 0
        return ended["state"]

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(240)

    def wish(self, verb, content=None):
        folder.open_search(self.name, self.root).send(commands.from_json(verb, content))

    def trials(self):
        with folder.open_search(self.name, self.root).open_storage() as ledger:
            return ledger.trials()

    def run_of(self, trial):
        return runs.open_run(trial.run, self.root)


@pytest.fixture
def begin(start_python, tiny):
    """Start a search, or continue with one: `begin(root, "name", {"trials": 3})`."""

    def go(root, name="small", settings=None, space=SPACE, **changes):
        new = not (root / "_searches" / name / FILE_NAME).exists()
        order = {"base": tiny(**changes), "space": space} if new else {}
        command = Search(name=name, root=str(root), settings=settings or {}, **order)
        return Running(start_python(JOB, command.to_json_line()), root, name)

    return go
