"""A few images side by side, as large as they fit, with one shared view but each in its own colors."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from gui.pixmaps import Array, Colormap
from gui.widgets.color_bar import ColorBar
from gui.widgets.image_view import Box, ImageView
from gui.widgets.labels import ElidedLabel
from gui.widgets.view_state import ViewState

GAP, TEXT_PX, BAR_PX = 12, 20, 28
LEAST = 48
# Share of the view that the box takes after `look_at`.
BOX_SHARE = 0.4


@dataclass(frozen=True, eq=False)
class LinkedImage:
    """Image, its title, its color map and limits; gray images in [0, 1] need no color bar."""

    title: str
    values: Array
    limits: tuple[float, float] = (0.0, 1.0)
    scale: Colormap = Colormap.GRAY


class LargeCell(QWidget):
    """Image above its name and its color bar."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.view, self.title, self.bar = ImageView(ViewState(), self), ElidedLabel(parent=self), ColorBar(self)
        self.view.set_orientation("")

    def show_picture(self, picture: LinkedImage) -> None:
        low, high = picture.limits
        self.view.state.set_default_view(window=high - low, level=(low + high) / 2, limit=max(abs(low), abs(high)))
        self.view.set_image(picture.values, picture.scale)
        self.view.setAccessibleName(picture.title)
        self.title.setText(picture.title)
        self.bar.set_range(picture.scale, low, high)
        self.bar.setVisible(picture.scale is not Colormap.GRAY)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = self.height() - TEXT_PX - BAR_PX
        self.view.setGeometry(0, 0, self.width(), side)
        self.title.setGeometry(0, side, self.width(), TEXT_PX)
        self.bar.setGeometry(0, side + TEXT_PX, self.width(), BAR_PX)


class LinkedImages(QWidget):
    """Row of images that share zoom and center; `hovered` gives the image and the pixel."""

    hovered = Signal(int, int, int)  # position, x, y
    hover_ended = Signal()
    close_wanted = Signal()

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells = [LargeCell(self) for _ in range(cells)]
        self._count = 0
        self._linking = False
        for at, cell in enumerate(self.cells):
            cell.hide()
            cell.view.state.changed.connect(lambda at=at: self._link(at))
            cell.view.hovered.connect(lambda x, y, at=at: self.hovered.emit(at, x, y))
            cell.view.hover_ended.connect(self.hover_ended)
            cell.view.maximized.connect(self.close_wanted)

    def show_pictures(self, pictures: Sequence[LinkedImage]) -> None:
        """Show these images, as many as there are cells."""
        count, self._count = self._count, min(len(pictures), len(self.cells))
        for at, cell in enumerate(self.cells):
            cell.setVisible(at < self._count)
            if at < self._count:
                cell.show_picture(pictures[at])
        if count != self._count:
            self._arrange()

    def look_at(self, box: Box | None) -> None:
        """Zoom all images in on a box, (x, y, width, height) in pixels, or out to the whole image for None."""
        view = self.cells[0].view
        wide, high = view.picture_size()
        if box is None or not box[2] * box[3]:
            view.state.update(zoom=1.0, centre=(0.5, 0.5))
            return
        x, y, width, height = box
        centre = (x + width / 2) / wide, (y + height / 2) / high
        view.state.update(zoom=BOX_SHARE * min(wide / width, high / height), centre=centre)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_wanted.emit()
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Center the cells, as large as width and height allow for all of them."""
        count = max(self._count, 1)
        side = min((self.width() - GAP * (count - 1)) // count, self.height() - TEXT_PX - BAR_PX)
        side = max(side, LEAST)
        left = max((self.width() - count * side - GAP * (count - 1)) // 2, 0)
        for at, cell in enumerate(self.cells):
            cell.setGeometry(QRect(left + at * (side + GAP), 0, side, side + TEXT_PX + BAR_PX))

    def _link(self, at: int) -> None:
        """Copy the view of this image to all of them."""
        if self._linking:
            return
        self._linking = True
        view = self.cells[at].view.state.view
        for cell in self.cells:
            cell.view.state.update(zoom=view.zoom, centre=view.centre, crosshair=view.crosshair)
        self._linking = False
