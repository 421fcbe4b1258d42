"""The status bar: what runs, how fast, how much memory."""

import os

import pytest
from PySide6.QtWidgets import QLabel

from engine.config import DataConfig
from engine.formatting import format_duration
from engine.messages import (
    Audit,
    EvaluateRun,
    ListLayers,
    LoadData,
    OpenScan,
    Reconstruct,
    RequestFailed,
    RequestProgress,
)
from gui.engine_process import resident_bytes
from gui.status import ProgressLine, StatusBar


@pytest.fixture
def bar(qtbot, session):
    made = StatusBar(session)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (102, "1 min 42 s"), (3600, "1 h 0 min"), (7500, "2 h 5 min"), (-3, "0 s")],
)
def test_time_is_written_as_people_say_it(seconds, text):
    assert format_duration(seconds) == text


def test_reading_images_is_reported_with_its_share(bar, session):
    assert bar.line._text.text() == "Ready"
    session.load_data(DataConfig())
    assert bar.line.bar.maximum() == 0
    session.explorer.engine.say(RequestProgress(number=1, panel="data", done=150, total=600))
    assert bar.line._text.text() == "Reading images · 150 of 600"
    assert bar.line.bar.value() == 250


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (Audit(panel="audit", config=DataConfig()), "Searching for near-duplicates · 3 of 4"),
        (EvaluateRun(panel="compare-measure", run="a", data=DataConfig()), "Measuring test images · 3 of 4"),
        (ListLayers(panel="layers-network", run="a"), "Working · 3 of 4"),
    ],
)
def test_progress_of_every_request_is_reported_by_its_kind(bar, session, request_, text):
    session.request(request_)
    session.explorer.engine.say(RequestProgress(number=1, panel=request_.panel, done=3, total=4))
    assert bar.line._text.text() == text


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (Reconstruct(panel="search", runs=(), data=DataConfig()), "Reconstructing images"),
        (OpenScan(panel="image", path="head.nii", data=DataConfig(), runs=("ae-0001",)), "Opening the image"),
        (LoadData(panel="data", config=DataConfig()), "Reading images"),
    ],
)
def test_pending_request_is_reported_until_it_is_over(bar, session, request_, text):
    session.request(request_)
    assert bar.line._text.text() == text
    session.explorer.engine.say(RequestFailed(reason="No.", number=1, panel=request_.panel))
    assert bar.line._text.text() == "Ready"


def test_memory_of_the_engines_is_shown_while_there_are_any(bar, session):
    bar.show_memory()
    assert not bar.ram.isVisible()
    session.warm_up("tensorflow")
    session.explorer.engine.pid = os.getpid()
    bar.show_memory()
    assert bar.ram.isVisible()
    assert bar.ram.text().startswith("RAM ")
    assert resident_bytes(os.getpid()) > 1e6
    assert resident_bytes(2**30) is None


def test_progress_shows_share_text_and_rate(qtbot):
    line = ProgressLine()
    qtbot.addWidget(line)
    line.show_progress("epoch 23 / 40", 0.575, "412 img/s")
    assert line.bar.value() / line.bar.maximum() == pytest.approx(0.575)
    assert {label.text() for label in line.findChildren(QLabel)} == {"epoch 23 / 40", "412 img/s"}
    assert line.bar.accessibleName() == "epoch 23 / 40"
    line.show_progress("starting", None)
    assert line.bar.maximum() == 0
    line.show_progress("ready", 7.0)
    assert line.bar.value() == line.bar.maximum() > 0
