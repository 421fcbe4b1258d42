"""Questions to the explorer: numbered, the newest of a panel wins."""

import pytest

from engine.config import DataConfig
from engine.messages import Answer, LoadData, OpenScan, Refused, RequestProgress, Stop
from gui.questions import Questions


@pytest.fixture
def questions(qtbot, tmp_path, fake_engines):
    made = Questions(tmp_path)
    made.warm_up("tensorflow")
    made.heard = []
    for signal in (made.answered, made.refused, made.progressed):
        signal.connect(made.heard.append)
    yield made
    made.close()
    made.deleteLater()


def test_answer_reaches_whoever_asked(questions):
    number = questions.ask(OpenScan, "scan", path="a.png")
    assert questions.engine.sent == [OpenScan(number=number, panel="scan", path="a.png")]
    assert questions.is_waiting("scan")
    answer = Answer(number=number, panel="scan", content={})
    questions.engine.say(answer)
    assert questions.heard == [answer]
    assert not questions.is_waiting("scan")


def test_answer_that_was_overtaken_is_dropped(questions):
    old = questions.ask(OpenScan, "scan", path="a.png")
    new = questions.ask(OpenScan, "scan", path="b.png")
    for number in (old, new):
        questions.engine.say(Answer(number=number, panel="scan", content={"number": number}))
    assert [event.number for event in questions.heard] == [new]


def test_overtaken_refusal_and_progress_are_dropped_too(questions):
    old = questions.ask(LoadData, "data", config=DataConfig())
    questions.ask(LoadData, "data", config=DataConfig(size=64))
    questions.engine.say(RequestProgress(number=old, panel="data", done=1, total=2))
    questions.engine.say(Refused(reason="stopped", number=old, panel="data"))
    assert questions.heard == []
    assert questions.is_waiting("data")


def test_panels_do_not_overtake_each_other(questions):
    first = questions.ask(OpenScan, "one", path="a.png")
    questions.ask(OpenScan, "two", path="b.png")
    questions.engine.say(Answer(number=first, panel="one", content={}))
    assert len(questions.heard) == 1


def test_cancelled_question_gets_no_answer(questions):
    number = questions.ask(LoadData, "data", config=DataConfig())
    questions.cancel("data")
    assert questions.engine.sent[-1] == Stop()
    questions.engine.say(Refused(reason="Loading the images was stopped.", number=number, panel="data"))
    assert questions.heard == []


def test_killed_explorer_is_told_to_whoever_waits_and_replaced(questions):
    questions.ask(OpenScan, "one", path="a.png")
    questions.ask(OpenScan, "two", path="b.png")
    questions.engine.die(9)
    assert [(event.panel, "signal 9" in event.reason) for event in questions.heard] == [("one", True), ("two", True)]
    questions.warm_up("tensorflow")
    assert questions.engine.is_running()
