import ast
import locale

import pytest
from PySide6.QtCore import QObject, QTimer

from gui.widgets.timers import StepQueue, make_timer
from tests.conftest import ROOT

TURKISH = "tr_TR.UTF-8"  # the capital of its i is no I


@pytest.fixture(params=["C", TURKISH])
def _letters(request):
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, request.param)
    except locale.Error:
        pytest.skip(f"the locale {request.param} is not installed: localedef -i tr_TR -f UTF-8 {TURKISH}")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


@pytest.mark.usefixtures("_letters", "qapp")
@pytest.mark.parametrize("single_shot", [True, False])
def test_timer_has_its_interval_in_every_locale(single_shot):
    parent = QObject()
    timer = make_timer(parent, 40, single_shot)
    assert (timer.interval(), timer.isSingleShot(), timer.isActive()) == (40, single_shot, False)


def properties_with_i(source):
    """Return the keywords of Qt classes that begin with i: in a Turkish locale their setters are not found."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("Q"):
            yield from (word.arg for word in node.keywords if word.arg and word.arg.startswith("i"))


def test_no_property_that_begins_with_i_is_set_by_keyword():
    assert list(properties_with_i("QTimer(self, interval=3)")) == ["interval"]
    for path in sorted((ROOT / "gui").rglob("*.py")):
        assert not list(properties_with_i(path.read_text("utf-8"))), path


def test_steps_are_taken_in_turn_and_the_window_lives_between_them(qtbot):
    parent, done = QObject(), []
    beats = StepQueue(parent)
    beats.schedule(
        [lambda: (done.append("a"), QTimer.singleShot(0, parent, lambda: done.append("window"))), lambda: None]
    )
    assert done == []
    beats.schedule([lambda: done.append("b"), lambda: done.append("c")])
    qtbot.waitUntil(lambda: "c" in done)
    assert done == ["b", "c"]  # those that were still to come are void


def test_something_else_has_its_turn_between_two_steps(qtbot):
    parent, done = QObject(), []
    other = make_timer(parent, 0, single_shot=False)
    other.timeout.connect(lambda: done.append("window"))
    other.start()
    StepQueue(parent).schedule([lambda: done.append("a"), lambda: done.append("b")])
    qtbot.waitUntil(lambda: "b" in done)
    assert "window" in done[done.index("a") : done.index("b")]


def test_steps_at_once_take_the_place_of_those_to_come(qtbot):
    parent, done = QObject(), []
    beats = StepQueue(parent)
    beats.schedule([lambda: done.append("late")])
    beats.run_now([lambda: done.append("now")])
    assert done == ["now"]
    QTimer.singleShot(0, parent, lambda: done.append("end"))
    qtbot.waitUntil(lambda: "end" in done)
    assert "late" not in done
