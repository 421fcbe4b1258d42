"""Two images in one place."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.pixmaps import pixels_of
from gui.widgets.swipe_view import SwipeView


@pytest.fixture
def view(qtbot):
    made = SwipeView()
    qtbot.addWidget(made)
    made.resize(200, 200)
    made.set_orientation("")
    made.set_pair(np.zeros((10, 10)), np.ones((10, 10)), ("original", "reconstruction"))
    made.show()
    return made


def row_of(view):
    """Return the brightness along a line through the middle."""
    return pixels_of(view.grab().toImage())[120].max(axis=1)


def test_first_is_left_and_second_right_of_the_border(view):
    shown = row_of(view)
    assert shown[5:95].max() == 0
    assert shown[105:195].min() == 255


def test_drag_and_arrows_move_the_border(view, drag):
    drag(view, (100, 50), (40, 50))
    assert view.split == pytest.approx(0.2)
    assert row_of(view)[45:190].min() == 255
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert view.split == pytest.approx(0.22)
    drag(view, (100, 50), (900, 50))
    assert view.split == 1.0


def test_holding_f_shows_the_second_everywhere_and_letting_go_ends_it(view):
    QTest.keyPress(view, Qt.Key.Key_F)
    assert row_of(view)[5:195].min() == 255
    QTest.keyRelease(view, Qt.Key.Key_F)
    assert row_of(view)[5:95].max() == 0


def test_both_images_obey_the_same_light(view):
    view.state.update(window=1.0, level=1.0)
    assert set(row_of(view)[105:195]) == {128}
    view.state.update(invert=True)
    assert set(row_of(view)[105:195]) == {127}


def test_w_drag_lights_instead_of_swiping(view, drag):
    QTest.keyPress(view, Qt.Key.Key_W)
    drag(view, (100, 50), (120, 50))
    assert view.split == 0.5
    assert view.state.view.window > 1
