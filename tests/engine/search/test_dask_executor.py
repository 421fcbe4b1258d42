"""A search on a real scheduler and real workers, whose machine is this one: killed, taken over, dealt cards.

The trials' framework is a fake (`fake_framework`): what moves between processes here is not what they compute.
"""

import os
import queue
import signal
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.config import SearchConfig
from engine.errors import SearchError
from engine.messages import Continue, EpochEnded, JobStarted, Pause, Search, SearchEnded, Stop
from engine.runs import Run
from engine.search import job, trial_pool
from engine.search.executor import ProcessExited, TrialTask
from tests.engine.search.processes import children, holder, parent, wait_for_end

MISSING = "distributed is not installed: pip install -e '.[cluster]' -c constraints.txt"
needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason=MISSING)
needs_proc = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="finds the processes of trials by /proc (Linux)")
SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
WORKER = "from distributed.cli.dask_worker import main; main()"
SPACE = {"learning_rate": [1e-2, 1e-3]}


@pytest.fixture
def scheduler(start_python, tmp_path, fake_framework, monkeypatch):
    """The address of a scheduler with two workers of one thread each, whose trials take 6 s for 30 epochs."""
    monkeypatch.setenv("FAKE_EPOCH_S", "0.2")
    head = start_python(SCHEDULER, "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    told = next(line for line in head.stderr if b"Scheduler at:" in line)
    address = told.split()[-1].decode()
    for _ in range(2):
        start_python(WORKER, address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", tmp_path)
    return address


@needs_dask
@needs_proc
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_trial_is_lost_or_doubled_when_a_worker_is_killed_and_then_the_search(begin, scheduler, tmp_path):
    settings = {"trials": 2, "parallel": 2, "algorithm": "grid", "cluster": scheduler}
    running = begin(tmp_path, settings=settings, space=SPACE, epochs=30)
    running.wait_for("epoch-ended", run="small-0001", epoch=2)
    os.kill(parent(holder(tmp_path / "small-0001")), signal.SIGKILL)
    moved = running.wait_for("trial-started", number=1)
    assert moved["first_epoch"] >= 2
    assert any("The worker of trial 1 was lost" in event.get("text", "") for event in running.told)
    (process,) = children(parent(holder(tmp_path / "small-0001")))
    running.kill()
    wait_for_end(process)

    running = begin(tmp_path)
    assert running.finish() in ("finished", "exhausted")
    assert [(trial.state, trial.epochs) for trial in running.trials()] == [("finished", 30)] * 2
    for trial in running.trials():
        events = list(Run(tmp_path / trial.run).events())
        epochs = [event.epoch for event in events if isinstance(event, EpochEnded)]
        assert sorted(set(epochs)) == list(range(1, 31))
        starts = sum(isinstance(event, JobStarted) for event in events)
        assert len(epochs) <= 30 + starts - 1, "more was done again than the epochs that were broken off"


@needs_dask
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_on_a_cluster_of_its_own_each_trial_has_a_card_of_its_own(begin, fake_framework, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")  # which need not exist
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    settings = {"trials": 2, "parallel": 2, "algorithm": "grid", "cluster": "local"}
    running = begin(tmp_path, settings=settings, space=SPACE, epochs=1)
    assert running.finish() in ("finished", "exhausted")
    told = [event["text"] for event in running.told if event["event"] == "log" and "GPU" in event["text"]]
    assert {text[-2] for text in told} == {"0", "1"}
    assert [trial.state for trial in running.trials()] == ["finished"] * 2


@needs_dask
def test_request_to_stop_stays_and_nothing_follows_the_end(monkeypatch, tmp_path):
    from engine.search import dask_executor

    said, inbox = [], queue.SimpleQueue()
    monkeypatch.setattr(dask_executor, "Variable", lambda name, client: SimpleNamespace(set=said.append))
    client = SimpleNamespace(submit=lambda *arguments, **named: None)
    hand = dask_executor.DaskTrialHandle(
        client, TrialTask(7, Run(tmp_path / "s-0007"), tmp_path / "log"), inbox, "topic"
    )
    for wish in (Pause(), Stop(), Continue()):
        hand.send(wish)
    assert said == ["run", "pause", "stop"]
    hand.on_message("gone", (0, ""))
    hand.put(ProcessExited(-9, ""))
    assert inbox.get() == (7, ProcessExited(0, ""))
    assert inbox.empty()


@needs_dask
def test_a_scheduler_that_is_not_there_is_a_sentence(tiny, tmp_path):
    told, settings = [], {"cluster": "tcp://127.0.0.1:9"}
    order = Search(name="small", root=str(tmp_path), base=tiny(), space=SPACE, settings=settings)
    with pytest.raises(SearchError, match=r"There is no Dask scheduler at tcp://127\.0\.0\.1:9"):
        job.search(order, emit=told.append)
    assert isinstance(told[-1], SearchEnded)
    assert (told[-1].state, told[-1].reason[:37]) == ("failed", "There is no Dask scheduler at tcp://1")


@pytest.mark.parametrize(("cluster", "module"), [("tcp://head:8786", "distributed"), ("slurm", "dask_jobqueue")])
def test_a_missing_package_is_a_sentence_with_the_line_that_installs_it(monkeypatch, cluster, module):
    monkeypatch.setattr(trial_pool.importlib.util, "find_spec", lambda name: None if name == module else True)
    with pytest.raises(SearchError, match=r'pip install "engram-mri\[cluster\]"'):
        trial_pool.make_executor(SearchConfig(cluster=cluster), Path())


def test_a_cluster_that_there_is_not_is_a_sentence():
    with pytest.raises(SearchError, match=r"no cluster 'slrum'.*slurm"):
        trial_pool.make_executor(SearchConfig(cluster="slrum"), Path())
