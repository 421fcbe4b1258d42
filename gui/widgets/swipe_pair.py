"""Two of several images in one view, and the choice of the two."""

from collections.abc import Mapping

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from gui.pixmaps import Array
from gui.widgets.labels import label
from gui.widgets.swipe_view import SwipeView
from gui.widgets.view_state import ViewState


class SwipePair(QWidget):
    """Choice of a left and a right image by name; the user swipes or flickers between them."""

    def __init__(self, state: ViewState) -> None:
        super().__init__()
        self.view, self.left, self.right = SwipeView(state), QComboBox(), QComboBox()
        self._pictures: Mapping[str, Array] = {}
        line = QHBoxLayout()
        for text, box in (("left", self.left), ("right, and while F is held", self.right)):
            line.addWidget(label(text, role="quiet"))
            line.addWidget(box)
            box.setMinimumWidth(140)
            box.setAccessibleName(text)
            box.activated.connect(self._draw)
        line.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(line)
        column.addWidget(self.view, 1)

    def set_pictures(self, pictures: Mapping[str, Array]) -> None:
        """Offer images by name; keep the current two if they are still there."""
        names = list(pictures)
        for box, first in ((self.left, 0), (self.right, 1)):
            kept = box.currentText()
            if names != [box.itemText(at) for at in range(box.count())]:
                box.clear()
                box.addItems(names)
                box.setCurrentText(kept if kept in names else names[min(first, len(names) - 1)])
        self._pictures = pictures
        self._draw()

    def choose(self, name: str) -> None:
        """Choose the image at the right."""
        self.right.setCurrentText(name)
        self._draw()

    def _draw(self) -> None:
        names = self.left.currentText(), self.right.currentText()
        if all(name in self._pictures for name in names):
            self.view.set_pair(self._pictures[names[0]], self._pictures[names[1]], names)
