"""The right part of the panel: images as large as they fit, and the break-even card below."""

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.panels.denoise.break_even_card import BreakEvenCard
from gui.panels.denoise.picture_card import PictureCard
from gui.theme import GAP
from gui.widgets.notice import NoticeBox
from gui.widgets.region.state import RegionState
from gui.widgets.view_state import ViewState

LEAST_HELP_PX, LEAST_PICTURES_PX, LEAST_WIDTH = 236, 180, 520


class PictureArea(QWidget):
    """An area that gives the images the height they need, and the curve the rest."""

    def __init__(self, state: ViewState, regions: RegionState) -> None:
        super().__init__()
        self.pictures, self.help, self.notice = PictureCard(state, regions), BreakEvenCard(), NoticeBox()
        for part in (self.pictures, self.help, self.notice):
            part.setParent(self)
        self.notice.installEventFilter(self)
        self.pictures.shape_changed.connect(self._divide_height)

    def minimumSizeHint(self) -> QSize:
        return QSize(LEAST_WIDTH, LEAST_HELP_PX + GAP + LEAST_PICTURES_PX)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._divide_height()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Divide the height again when the content of a card changes."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.LayoutRequest):
            self._divide_height()
        return False

    def _divide_height(self) -> None:
        """Give the images their height, as far as the curve stays readable."""
        width, top = self.width(), 0
        if not self.notice.isHidden():
            said = self.notice.heightForWidth(width)
            self.notice.setGeometry(0, 0, width, said)
            top = said + GAP
        room = self.height() - top - GAP - LEAST_HELP_PX
        height = max(min(self.pictures.fitting_height(width), room), LEAST_PICTURES_PX)
        self.pictures.setGeometry(0, top, width, height)
        self.help.setGeometry(0, top + height + GAP, width, max(self.height() - top - height - GAP, 0))
