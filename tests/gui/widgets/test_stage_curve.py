"""The curve over named stages: what is pointed at and chosen, by mouse and by keys."""

import pytest
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtTest import QTest

from gui import palette
from gui.widgets.stage_curve import Stage, StageCurve, hidden, place_label


@pytest.fixture
def curve(qtbot):
    made = StageCurve()
    qtbot.addWidget(made)
    made.resize(400, 160)
    made.set_stages([Stage(name, share, share, f"{name} said") for name, share in (("a", 1.0), ("b", 0.6), ("c", 0.2))])
    made.show()
    return made


def test_less_is_lower_and_later_is_further_right(curve):
    places = [curve.point(at, stage.retained) for at, stage in enumerate(curve.stages)]
    assert places[0].y() < places[1].y() < places[2].y()
    assert places[0].x() < places[1].x() < places[2].x()


@pytest.mark.parametrize("shares", [(1, 1, 1, 0.98), (1, 0.9, 0.2, 0.2), (1, 1, 0.5, 0.45), (1, 0.02, 0.01, 0.01)])
def test_words_at_the_worst_stage_lie_in_the_image_and_hide_nothing_of_the_line(curve, shares):
    curve.set_stages([Stage(str(at), share, share, "") for at, share in enumerate(shares)])
    line = [curve.point(at, share) for at, share in enumerate(shares)]
    for at in range(1, len(shares)):
        box = place_label(line, at, QSizeF(90, 15), QRectF(curve.rect()))
        assert QRectF(curve.rect()).contains(box)
        assert not hidden(line, box)
        assert abs(box.center().y() - line[at].y()) < 30


def test_where_there_is_no_free_place_words_hide_as_little_as_can_be(curve):
    line = [QPointF(0, 60), QPointF(100, 60), QPointF(101, 0), QPointF(102, 120), QPointF(200, 0)]
    box = place_label(line, 1, QSizeF(60, 15), QRectF(0, 0, 400, 160))
    assert box.right() < 100


def test_both_lines_are_distinguished_in_words(curve):
    picture = curve.grab().toImage()
    ground = picture.pixel(6, picture.height() - 6)
    below = range(round(curve.room().bottom()) + 4, picture.height() - 4)
    assert sum(picture.pixel(x, y) != ground for x in range(140, 280) for y in below) > 200


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
