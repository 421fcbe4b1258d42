"""Questions to the explorer: numbered, the newest of a panel wins."""

import numpy as np
import pytest

from engine.config import DataConfig
from engine.messages import LoadData, OpenScan, RequestFailed, RequestProgress, Response, Stop
from gui.explorer_client import ExplorerClient


@pytest.fixture
def questions(qtbot, tmp_path, fake_engines):
    made = ExplorerClient(tmp_path)
    made.warm_up("tensorflow")
    made.heard = []
    for signal in (made.responded, made.failed, made.progressed):
        signal.connect(made.heard.append)
    yield made
    made.close()
    made.deleteLater()


def test_answer_reaches_whoever_asked(questions):
    number = questions.request(OpenScan, "scan", path="a.png")
    assert questions.engine.sent == [OpenScan(number=number, panel="scan", path="a.png")]
    assert questions.is_waiting("scan")
    answer = Response(number=number, panel="scan", content={})
    questions.engine.say(answer)
    assert questions.heard == [answer]
    assert not questions.is_waiting("scan")


def test_answer_that_was_overtaken_is_dropped(questions):
    old = questions.request(OpenScan, "scan", path="a.png")
    new = questions.request(OpenScan, "scan", path="b.png")
    for number in (old, new):
        questions.engine.say(Response(number=number, panel="scan", content={"number": number}))
    assert [event.number for event in questions.heard] == [new]


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "answer-1.npy"
    np.save(path, np.arange(3))
    return path


def test_answer_is_passed_on_with_its_arrays_and_their_files_are_deleted(questions, written):
    number = questions.request(OpenScan, "scan", path="a.png")
    content = {"runs": {"a": {"images": [str(written), "a.npy"]}}, "path": None}
    questions.engine.say(Response(number=number, panel="scan", content=content))
    array, name = questions.heard[0].content["runs"]["a"]["images"]
    assert (array.tolist(), name, questions.heard[0].content["path"]) == ([0, 1, 2], "a.npy", None)
    assert not written.exists()


def test_files_of_an_answer_that_was_overtaken_are_deleted(questions, written):
    old = questions.request(OpenScan, "scan", path="a.png")
    questions.request(OpenScan, "scan", path="b.png")
    questions.engine.say(Response(number=old, panel="scan", content={"images": str(written)}))
    assert questions.heard == []
    assert not written.exists()


def test_answer_whose_file_is_gone_is_asked_for_once_more(questions, written):
    number = questions.request(OpenScan, "scan", path="a.png")
    answer = Response(number=number, panel="scan", content={"images": str(written)})
    content = written.read_bytes()
    written.unlink()
    questions.engine.say(answer)
    assert questions.heard == []
    assert questions.is_waiting("scan")
    assert questions.engine.sent == [OpenScan(number=number, panel="scan", path="a.png")] * 2
    written.write_bytes(content)
    questions.engine.say(answer)
    assert questions.heard[0].content["images"].tolist() == [0, 1, 2]


def test_answer_that_cannot_be_read_twice_is_refused(questions, written):
    number = questions.request(OpenScan, "scan", path="a.png")
    answer = Response(number=number, panel="scan", content={"images": str(written)})
    for content in (b"", b"no array"):
        written.write_bytes(content)
        questions.engine.say(answer)
    assert [type(event) for event in questions.heard] == [RequestFailed]
    assert "cannot be read" in questions.heard[0].reason
    assert not questions.is_waiting("scan")
    assert len(questions.engine.sent) == 2


def test_overtaken_refusal_and_progress_are_dropped_too(questions):
    old = questions.request(LoadData, "data", config=DataConfig())
    questions.request(LoadData, "data", config=DataConfig(size=64))
    questions.engine.say(RequestProgress(number=old, panel="data", done=1, total=2))
    questions.engine.say(RequestFailed(reason="stopped", number=old, panel="data"))
    assert questions.heard == []
    assert questions.is_waiting("data")


def test_panels_do_not_overtake_each_other(questions):
    first = questions.request(OpenScan, "one", path="a.png")
    questions.request(OpenScan, "two", path="b.png")
    questions.engine.say(Response(number=first, panel="one", content={}))
    assert len(questions.heard) == 1


def test_cancelled_question_gets_no_answer(questions):
    number = questions.request(LoadData, "data", config=DataConfig())
    questions.cancel("data")
    assert questions.engine.sent[-1] == Stop()
    questions.engine.say(RequestFailed(reason="Loading the images was stopped.", number=number, panel="data"))
    assert questions.heard == []


def test_killed_explorer_is_told_to_whoever_waits_and_replaced(questions):
    questions.request(OpenScan, "one", path="a.png")
    questions.request(OpenScan, "two", path="b.png")
    questions.engine.die(9)
    assert [(event.panel, "signal 9" in event.reason) for event in questions.heard] == [("one", True), ("two", True)]
    questions.warm_up("tensorflow")
    assert questions.engine.is_running()
