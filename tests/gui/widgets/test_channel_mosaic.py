"""Many small images of channels: keyboard focus is visible."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from gui import palette
from gui.widgets.channel_mosaic import CELL_PX, TILE_PX, ChannelMosaic, MosaicData


@pytest.fixture
def mosaic(qtbot):
    made = ChannelMosaic()
    qtbot.addWidget(made)
    made.resize(400, 220)
    made.show()
    return made


def test_frame_of_the_chosen_image_lies_within_that_of_the_focus(mosaic):
    mosaic.set_channels(MosaicData(np.zeros((8, 8, 4)), range(4), lambda _: (0.0, 1.0)))
    cell = mosaic.cell(0)
    outside = mosaic.viewport().grab().toImage()
    assert outside.pixelColor(cell.left() - 1, cell.center().y()).name() == palette.PICTURE_MARK
    assert min(cell.left(), cell.top()) >= 4
    last = mosaic.cell(mosaic.columns() - 1)
    assert last.right() < mosaic.viewport().width() - 3


def test_keyboard_focus_is_framed_within_the_widget(mosaic, qtbot):
    mosaic.activateWindow()
    qtbot.waitUntil(mosaic.isActiveWindow)
    mosaic.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(mosaic.hasFocus)
    framed = mosaic.viewport().grab().toImage()
    inner = framed.width() - 2, framed.height() - 2
    assert {framed.pixelColor(*at).name() for at in ((1, 1), inner)} == {palette.current().focus}


def test_channels_fill_the_view_until_the_user_chooses_a_size(mosaic, qtbot):
    assert mosaic.tile() == CELL_PX
    with qtbot.waitSignal(mosaic.tile_changed):
        mosaic.set_channels(MosaicData(np.zeros((8, 8, 4)), range(4), lambda _: (0.0, 1.0)))
    filled = mosaic.tile()
    assert filled > CELL_PX
    assert mosaic.columns() == 4
    mosaic.set_tile(9999)
    assert mosaic.tile() == TILE_PX[1]
    mosaic.set_tile(None)
    assert mosaic.tile() == filled
