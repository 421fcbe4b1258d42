"""The curve over named stages: what is pointed at and chosen, by mouse and by keys."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui import palette
from gui.widgets.stage_curve import Stage, StageCurve


@pytest.fixture
def curve(qtbot):
    made = StageCurve()
    qtbot.addWidget(made)
    made.resize(400, 160)
    made.set_stages([Stage(name, share, share, f"{name} said") for name, share in (("a", 1.0), ("b", 0.6), ("c", 0.2))])
    made.show()
    return made


def test_less_is_lower_and_later_is_further_right(curve):
    places = [curve.point(at, stage.held) for at, stage in enumerate(curve.stages)]
    assert places[0].y() < places[1].y() < places[2].y()
    assert places[0].x() < places[1].x() < places[2].x()


def test_cursor_points_at_the_nearest_stage_and_a_click_chooses_it(curve, qtbot):
    place = curve.point(1, 0.6).toPoint()
    with qtbot.waitSignal(curve.pointed) as told:
        QTest.mouseMove(curve, place)
    assert told.args == ["b said"]
    with qtbot.waitSignal(curve.chosen) as told:
        QTest.mouseClick(curve, Qt.MouseButton.LeftButton, pos=place)
    assert told.args == ["b"]


def test_arrows_and_enter_do_the_same(curve, qtbot):
    QTest.keyClick(curve, Qt.Key.Key_Right)
    QTest.keyClick(curve, Qt.Key.Key_Right)
    with qtbot.waitSignal(curve.chosen) as told:
        QTest.keyClick(curve, Qt.Key.Key_Return)
    assert told.args == ["b"]


def test_keyboard_focus_is_framed_within_the_widget(curve, qtbot):
    curve.activateWindow()
    qtbot.waitUntil(curve.isActiveWindow)
    curve.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(curve.hasFocus)
    framed = curve.grab().toImage()
    inner = framed.width() - 2, framed.height() - 2
    assert {framed.pixelColor(*at).name() for at in ((1, 1), inner)} == {palette.current().focus}
