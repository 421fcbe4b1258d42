"""A box over an image: the pixels that one unit of a layer sees."""

from PySide6.QtCore import QObject, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from gui import palette
from gui.widgets.image_view import ImageView

Box = tuple[int, int, int, int]


class BoxOverlay(QObject):
    """Box over a view, in pixels of the image; a part of it may lie outside the image."""

    def __init__(self, view: ImageView) -> None:
        super().__init__(view)
        self._view = view
        self.box: Box | None = None
        view.add_overlay(self.paint)

    def set_box(self, box: Box | None) -> None:
        """Show (x, y, width, height), or nothing for None."""
        if box != self.box:
            self.box = box
            self._view.update()

    def paint(self, painter: QPainter) -> None:
        if self.box is None:
            return
        x, y, width, height = self.box
        placement = self._view.placement()
        left, top = placement.to_view((x, y))
        rect = QRectF(left, top, width * placement.scale, height * placement.scale)
        for colour, wide in ((palette.PICTURE_BACK, 3.5), (palette.PICTURE_CHOSEN, 1.5)):
            painter.setPen(QPen(QColor(colour), wide))
            painter.drawRect(rect)
