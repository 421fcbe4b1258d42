"""The strip of a network: how wide its boxes stand, what a click and the keys choose, what is brought into sight."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from gui.widgets.network_strip import MOST_PITCH_PX, PITCH_PX, NetworkStrip, StripBox


def boxes(count, title="conv"):
    return [
        StripBox(f"{title}{at}", "8×8×2", 0.5, ((f"{title}{at}", "conv"), (f"act{at}", "act"))) for at in range(count)
    ]


@pytest.fixture
def strip(qtbot):
    made = NetworkStrip()
    qtbot.addWidget(made)
    made.resize(600, made.sizeHint().height())
    made.show()
    return made


def test_few_boxes_share_the_width_and_many_scroll(strip):
    strip.set_boxes(boxes(6))
    assert strip.pitch() == 100
    assert strip.horizontalScrollBar().maximum() == 0
    strip.set_boxes(boxes(60))
    assert PITCH_PX <= strip.pitch() <= MOST_PITCH_PX
    assert strip.horizontalScrollBar().maximum() == round(strip.pitch() * 60) - 600


def test_long_names_have_room_where_it_scrolls_anyway(strip):
    strip.set_boxes(boxes(60, "a_name_that_is_very_long"))
    assert strip.pitch() == MOST_PITCH_PX


def test_chosen_box_is_brought_into_sight(strip):
    strip.set_boxes(boxes(60))
    strip.choose("act40")
    assert 0 <= strip.box_rect(40).left() <= 600
    assert strip.accessibleName() == "network: act40, 8×8×2, box 41 of 60"


def test_arrows_go_from_box_to_box_and_other_keys_are_left_to_the_panel(strip, qtbot):
    strip.set_boxes(boxes(6))
    strip.choose("act2")
    with qtbot.waitSignal(strip.chosen) as told:
        QTest.keyClick(strip, Qt.Key.Key_Right)
    assert told.args == ["conv3"]
    with qtbot.assertNotEmitted(strip.chosen):
        QTest.keyClicks(strip, "x")
