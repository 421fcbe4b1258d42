"""A real engine process, spoken to as the window speaks to it: a line in, lines out."""

import io
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from engine import messages, runs, worker
from engine.messages import Answer, Continued, EpochEnded, Event, JobEnded, JobStarted, Paused, Progress, Ready, Refused
from engine.studies import Study

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """An engine process and what it has said."""

    def __init__(self, scratch, how=("-m", "engine.worker")):
        command = [sys.executable, *how, "--scratch", str(scratch)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.process.stdout.close()
        self.lines.put(b"")

    def say(self, command):
        self.process.stdin.write(command.line().encode())
        self.process.stdin.flush()

    def wait_for(self, kind, **values):
        """Return the next event of a kind; everything else is passed over."""
        while line := self.lines.get(timeout=300):
            event = messages.read_event(line)
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items()):
                return event
        self.lines.put(b"")
        raise AssertionError(f"the engine process ended before {kind}")


@pytest.fixture(scope="module")
def child(tmp_path_factory):
    """One warm engine process for all the tests of this file that leave it alive."""
    child = Child(tmp_path_factory.mktemp("scratch"))
    ready = child.wait_for(Ready)
    assert ready.backend == "tensorflow"
    assert {"keras", "tensorflow", "python"} <= set(ready.versions)
    yield child
    child.process.stdin.close()
    assert child.process.wait(240) == 0


def test_a_run_from_start_to_end_then_its_pictures(child, tiny, tmp_path):
    settings = tiny(epochs=2)
    child.say(messages.Train(config=settings, name="one", root=str(tmp_path)))
    started = child.wait_for(JobStarted)
    assert (started.run, started.first_epoch, started.epochs) == ("one", 0, 2)
    child.wait_for(EpochEnded, epoch=1)
    assert child.wait_for(JobEnded).state == "finished"
    run = runs.open("one", tmp_path)
    assert run.state() == "finished"

    child.say(messages.LoadData(number=1, panel="data", config=settings.data))
    listing = child.wait_for(Answer, panel="data").content
    assert sum(len(split["rows"]) for split in listing["splits"].values()) == 36
    assert np.load(listing["store"], mmap_mode="r").shape[1:] == (32, 32)

    wish = {"runs": (str(run.path),), "data": settings.data, "split": "test", "indices": (0, 2)}
    child.say(messages.Reconstruct(number=2, panel="compare", **wish))
    content = child.wait_for(Answer, number=2).content
    originals = np.load(content["originals"])
    found = content["runs"][str(run.path)]
    reconstructed = np.load(found["images"])
    assert originals.shape == reconstructed.shape == (2, 32, 32)
    assert content["names"] == [listing["splits"]["test"]["names"][index] for index in (0, 2)]
    assert found["mse"] == pytest.approx(np.square(originals - reconstructed).mean((1, 2)), rel=1e-4)

    child.say(messages.Rank(number=3, panel="compare", run=str(run.path), data=settings.data, split="test"))
    ranked = child.wait_for(Answer, number=3).content
    assert [ranked["mse"][index] for index in (0, 2)] == pytest.approx(found["mse"], rel=1e-4)


def test_pause_continue_and_stop_while_paused(child, tiny, tmp_path):
    child.say(messages.Train(config=tiny(epochs=5000), name="long", root=str(tmp_path)))
    child.wait_for(EpochEnded)
    child.say(messages.Pause())
    child.wait_for(Paused, run="long")
    child.say(messages.Continue())
    child.wait_for(Continued, run="long")
    child.wait_for(Progress)
    child.say(messages.Pause())
    child.wait_for(Paused, run="long")
    child.say(messages.Stop())
    said = [child.wait_for(Event)]
    while not isinstance(said[-1], JobEnded):
        said.append(child.wait_for(Event))
    assert said[-1].state == "stopped"
    assert not [event for event in said if isinstance(event, Progress | EpochEnded)]  # not a batch more
    run = runs.open("long", tmp_path)
    assert run.state() == "stopped"
    assert run.model_path.exists()


def test_stop_that_comes_before_its_job_has_begun_is_heard(child, tiny, tmp_path):
    train = messages.Train(config=tiny(epochs=5000), name="long", root=str(tmp_path))
    child.process.stdin.write(train.line().encode() + messages.Stop().line().encode())
    child.process.stdin.flush()
    assert child.wait_for(JobEnded, run="long").state == "stopped"
    child.say(messages.Train(config=tiny(epochs=1), name="short", root=str(tmp_path)))
    assert child.wait_for(JobEnded, run="short").state == "finished"


def test_study_that_is_stopped_at_once_is_kept_and_told(child, tmp_path):
    out = tmp_path / "study"
    study = messages.MakeStudy(out=str(out), config={"quick": True}, settings={"size": 32, "filters": (4, 8)})
    child.process.stdin.write(study.line().encode() + messages.Stop().line().encode())
    child.process.stdin.flush()
    assert child.wait_for(messages.StudyEnded, out=str(out)).state == "stopped"
    assert Study(out).state() == "stopped"
    child.say(messages.MakeStudy(out=str(out), settings={"size": 33}))
    assert "Size 33" in child.wait_for(Refused).reason


def test_what_cannot_be_done_gets_a_sentence_and_the_process_stays(child, tiny, tmp_path):
    child.process.stdin.write(b"nonsense\n")
    child.process.stdin.flush()
    assert "could not be read" in child.wait_for(Refused).reason
    child.say(messages.Resume(run="nobody"))
    assert "no run 'nobody'" in child.wait_for(Refused).reason
    nowhere = tiny(source=str(tmp_path / "nowhere"))
    child.say(messages.LoadData(number=7, panel="data", config=nowhere.data))
    refused = child.wait_for(Refused)
    assert (refused.number, refused.panel) == (7, "data")
    child.say(messages.Train(config=nowhere, name="none", root=str(tmp_path)))
    assert "nowhere" in child.wait_for(Refused).reason
    assert not (tmp_path / "none").exists()
    child.say(messages.OpenScan(number=8, panel="compare", path=str(tmp_path)))
    assert child.wait_for(Refused).number == 8


def test_only_the_newest_request_of_a_panel_is_answered(child, tiny):
    ask = [messages.LoadData(number=number, panel="data", config=tiny().data) for number in range(20, 40)]
    child.process.stdin.write(b"".join(request.line().encode() for request in ask))
    child.process.stdin.flush()
    answered = []
    while 39 not in answered:
        answered.append(child.wait_for(Answer).number)
    assert len(answered) < 20
    assert answered == sorted(answered)


def test_the_process_ends_when_its_window_dies(tiny, tmp_path):
    child = Child(tmp_path / "scratch")
    child.say(messages.Train(config=tiny(epochs=5000), name="one", root=str(tmp_path)))
    child.wait_for(EpochEnded)
    child.process.stdin.close()
    assert child.process.wait(240) == 0
    assert runs.open("one", tmp_path).state() == "interrupted"


def test_a_killed_process_leaves_a_run_that_goes_on(child, tiny, tmp_path):
    victim = Child(tmp_path / "scratch")
    victim.say(messages.Train(config=tiny(epochs=5000), name="one", root=str(tmp_path)))
    epoch = victim.wait_for(EpochEnded, epoch=3).epoch
    os.kill(victim.process.pid, signal.SIGKILL)
    victim.process.wait()
    victim.process.stdin.close()
    run = runs.open("one", tmp_path)
    assert run.state() == "interrupted"
    config = json.loads((run.path / "config.json").read_text())
    config["training"]["epochs"] = len(run.history()) + 1
    run.write_json("config.json", config)
    child.say(messages.Resume(run=str(run.path)))
    assert child.wait_for(JobStarted).first_epoch >= epoch - 1
    assert child.wait_for(JobEnded).state == "finished"


def test_measuring_gives_way_and_has_its_turn_after_all(child, tiny):
    settings = tiny(size=64, phantom_count=600).data
    child.say(messages.Measure(number=31, panel="compare-measure", run="pca:16", data=settings))
    child.say(messages.LoadData(number=32, panel="data", config=settings))
    answers = [child.wait_for(Answer) for _ in range(2)]
    assert [answer.number for answer in answers] == [32, 31]
    assert answers[1].content["splits"]["test"]["n"] == 100


ENDLESS_AUDITS = """
import time
from engine import worker
from engine.data import LoadingStopped
from engine.messages import RequestProgress

audit = worker.answer_audit

def endless(request, emit, should_stop):
    if request.config.phantom_count < 1000:
        return audit(request, emit, should_stop)
    emit(RequestProgress(number=request.number, panel=request.panel, done=1, total=2))
    while not should_stop():
        time.sleep(0.01)
    raise LoadingStopped("The audit was stopped.")

worker.answer_audit = endless
worker.main()
"""


@pytest.fixture
def auditing(tmp_path):
    """An engine process whose large audits end only when nobody wants them any more."""
    yield from running(tmp_path, ENDLESS_AUDITS)


def running(scratch, program):
    """An engine process that a program has altered; it ends when its window does."""
    child = Child(scratch, ("-c", program))
    child.wait_for(Ready)
    yield child
    child.process.stdin.close()
    assert child.process.wait(240) == 0


def test_an_audit_is_answered_beside_other_requests_and_given_up_for_other_data(auditing, tiny):
    child, large = auditing, tiny(phantom_count=6000).data
    child.say(messages.Audit(number=900, panel="audit", config=large))
    child.wait_for(messages.RequestProgress, number=900)
    child.say(messages.OpenScan(number=901, panel="compare", path="/nowhere"))
    assert child.wait_for((Answer, Refused)).number == 901
    child.say(messages.LoadData(number=902, panel="data", config=tiny().data))
    told = [child.wait_for((Refused, Answer)) for _ in range(2)]  # whichever comes first
    given_up, loaded = (next(event for event in told if isinstance(event, kind)) for kind in (Refused, Answer))
    assert (given_up.number, given_up.panel, given_up.reason) == (900, "audit", "The audit was stopped.")
    assert loaded.number == 902
    assert loaded.content["repeats"]["splits"]["test"]["test_clean"] == 6
    assert loaded.content["leaked"] == []


def test_a_newer_audit_takes_the_place_of_the_one_before(auditing, tiny):
    auditing.say(messages.Audit(number=900, panel="audit", config=tiny(phantom_count=6000).data))
    auditing.wait_for(messages.RequestProgress, number=900)
    auditing.say(messages.Audit(number=901, panel="audit", config=tiny().data))
    answer = auditing.wait_for(Answer, number=901).content
    assert answer["near"]["splits"]["test"] == {"near_duplicates": 0, "near_train": 0, "near_clean": 6}


def test_what_gave_way_has_its_turn_only_when_nothing_is_asked_for_a_while(tmp_path, tiny):
    serving = worker.Worker([], io.BytesIO(), tmp_path)
    gave_way = messages.Measure(number=1, panel="compare", run="pca:16", data=tiny().data)
    urgent = messages.OpenScan(number=2, panel="data", path="/nowhere")
    serving._later.append(gave_way)
    coming, waits = iter([urgent]), []

    def get(timeout):
        waits.append(timeout)
        if (found := next(coming, None)) is None:
            raise queue.Empty
        return found

    serving._queue.get = get
    assert serving._next() is urgent
    assert serving._next() is gave_way
    assert waits == [worker.QUIET_S] * 2


def test_what_is_patient_begins_after_all_that_waits(tmp_path, tiny):
    serving, answered = worker.Worker([], io.BytesIO(), tmp_path), []
    serving.explorer.answer = lambda request: answered.append(request) or {}
    place = {"run": "a", "data": tiny().data}
    waiting = messages.Neighbours(number=1, panel="scan", indices=(0,), **place)
    patient = messages.MapErrors(number=2, panel="errors", **place)
    serving._newest |= {"scan": 1, "errors": 2}
    serving._later.append(waiting)
    serving._answer(patient)
    assert answered == []
    while serving._later:
        serving._answer(serving._later.pop())
    assert answered == [waiting, patient]


def test_of_two_that_can_wait_the_newer_has_its_turn_first_after_what_is_urgent(child, tiny):
    settings = tiny(size=64, phantom_count=600).data
    place = {"data": settings, "split": "test", "indices": (0,)}
    levels = tuple(level / 1000 for level in range(1, 300))
    child.say(messages.Measure(number=41, panel="compare-measure", run="pca:24", data=settings))
    child.say(messages.DenoiseCurve(number=42, panel="denoise-curve", runs=("pca:16",), sigmas=levels, **place))
    child.say(messages.Denoise(number=43, panel="denoise", runs=("pca:16",), sigma=0.1, **place))
    assert [child.wait_for(Answer).number for _ in range(3)] == [43, 42, 41]


PATIENT_FILTERS = """
import threading
from engine import worker
from engine.explore.explorer import Explorer
from engine.messages import Filter, OpenScan

answer, opened, at_work = Explorer.answer, threading.Event(), []

def patient(self, request):
    if isinstance(request, OpenScan):
        opened.set()
    if not isinstance(request, Filter):
        return answer(self, request)
    at_work.append(request.number)
    opened.wait(60)
    content = answer(self, request) | {"at_work": list(at_work)}
    at_work.remove(request.number)
    return content

Explorer.answer = patient
worker.main()
"""


@pytest.fixture
def filtering(tmp_path):
    """An engine process whose classical methods end only when a scan has been opened meanwhile."""
    yield from running(tmp_path, PATIENT_FILTERS)


def test_classical_methods_work_beside_other_requests_and_one_after_the_other(filtering, tiny):
    place = {"data": tiny().data, "split": "test", "indices": (0,), "panel": "denoise-filter", "method": "median"}
    filtering.say(messages.Filter(number=51, sigma=0.1, **place))
    filtering.say(messages.Filter(number=52, sigma=0.2, **place))
    filtering.say(messages.OpenScan(number=53, panel="compare", path="/nowhere"))
    assert filtering.wait_for((Answer, Refused)).number == 53
    told = [filtering.wait_for(Answer)]
    if told[0].number == 51:  # it had begun before the newer one came
        told.append(filtering.wait_for(Answer))
    assert told[-1].number == 52
    assert all(answer.content["at_work"] == [answer.number] for answer in told)


HELD_EXPLORER = """
import threading
from engine import worker
from engine.messages import Answer

weighed, emit = threading.Event(), worker.Worker.emit

def told(self, event):
    emit(self, event)
    if isinstance(event, Answer) and event.panel == "weigh":
        weighed.set()

def held(self, request):
    return {"weighed first": weighed.wait(60)}

worker.Worker.emit, worker.Explorer.answer = told, held
worker.main()
"""


def test_settings_are_weighed_while_the_explorer_is_busy(tiny, tmp_path):
    child = Child(tmp_path, ("-c", HELD_EXPLORER))
    child.say(messages.OpenScan(number=61, panel="compare", path="/nowhere"))
    space, trials = {"latent": [4, 8]}, tuple(({"latent": 4 + 4 * (n % 2)}, 1.0 + n % 2) for n in range(8))
    child.say(messages.WeighSettings(number=62, panel="weigh", base=tiny(), space=space, trials=trials))
    child.say(messages.WeighSettings(number=63, panel="weigh", base=tiny(), space={"latent": []}, trials=()))
    answers = {event.number: event for event in (child.wait_for((Answer, Refused)) for _ in range(3))}
    assert answers[61].content == {"weighed first": True}
    (latent,) = answers[62].content["weighed"]
    assert (latent["name"], latent["sign"], latent["effect"]) == ("latent", 1, pytest.approx(1.0))
    assert "is empty" in answers[63].reason
    child.process.stdin.close()
    assert child.process.wait(240) == 0
