"""Many small pictures of channels: whoever has the keys sees it."""

from PySide6.QtCore import Qt

from gui import palette
from gui.widgets.channel_mosaic import ChannelMosaic


def test_keyboard_focus_is_framed_within_the_widget(qtbot):
    mosaic = ChannelMosaic()
    qtbot.addWidget(mosaic)
    mosaic.show()
    mosaic.activateWindow()
    qtbot.waitUntil(mosaic.isActiveWindow)
    mosaic.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(mosaic.hasFocus)
    framed = mosaic.viewport().grab().toImage()
    inner = framed.width() - 2, framed.height() - 2
    assert {framed.pixelColor(*at).name() for at in ((1, 1), inner)} == {palette.current().focus}
