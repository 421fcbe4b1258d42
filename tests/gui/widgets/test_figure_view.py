"""A figure that is fitted, zoomed and moved."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui.widgets.figure_view import MOST, FigureView


@pytest.fixture
def view(qtbot, tmp_path):
    Image.fromarray(np.zeros((400, 1000), np.uint8)).save(tmp_path / "a.png")
    made = FigureView()
    qtbot.addWidget(made)
    made.resize(500, 500)
    made.show()
    assert made.show_figure(tmp_path / "a.png")
    return made


def turn_wheel(view, steps):
    place = QPointF(100, 100)
    buttons, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turned = QPoint(0, 120 * steps)
    event = QWheelEvent(place, place, QPoint(), turned, buttons, keys, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(view.viewport(), event)


def test_figure_is_fitted_and_follows_its_place(view):
    assert view.scale_now() == pytest.approx(0.5, abs=0.01)
    view.resize(250, 250)
    assert view.scale_now() == pytest.approx(0.25, abs=0.01)


def test_small_figure_is_not_blown_up(view):
    view.resize(2000, 2000)
    assert view.scale_now() == 1


def test_wheel_zooms_within_limits_and_a_double_click_fits(view):
    turn_wheel(view, 2)
    zoomed = view.scale_now()
    assert zoomed == pytest.approx(0.5 * 1.25**2, rel=0.02)
    view.resize(300, 300)
    assert view.scale_now() == pytest.approx(zoomed)
    turn_wheel(view, 100)
    assert view.scale_now() == pytest.approx(MOST)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton)
    assert view.scale_now() == pytest.approx(0.3, abs=0.01)


def test_keys_zoom_and_fit(view):
    QTest.keyClick(view, Qt.Key.Key_Plus)
    assert view.scale_now() > 0.6
    QTest.keyClick(view, Qt.Key.Key_Minus)
    QTest.keyClick(view, Qt.Key.Key_Minus)
    assert view.scale_now() < 0.45
    QTest.keyClick(view, Qt.Key.Key_R)
    assert view.scale_now() == pytest.approx(0.5, abs=0.01)


def test_what_is_no_image_is_reported(view, tmp_path):
    (tmp_path / "b.png").write_text("no")
    assert not view.show_figure(tmp_path / "b.png")
    assert view.show_figure(None)
