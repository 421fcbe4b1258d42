"""Steps taken one a beat."""

from PySide6.QtCore import QObject, QTimer

from gui.widgets.step_queue import StepQueue
from gui.widgets.timer import make_timer


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
