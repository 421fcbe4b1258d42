"""The pictures: original, noisy, what each method makes of it, and the differences; or two in one place."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from gui.panels.denoise.results_data import NOISY, ORIGINAL, DenoisedImage
from gui.pixmaps import Colormap
from gui.widgets.card import Card
from gui.widgets.chip import FilterChip
from gui.widgets.color_bar import ColorBar
from gui.widgets.image_board import ImageBoard, Picture
from gui.widgets.labels import fixed, label
from gui.widgets.region.state import RegionState
from gui.widgets.region.tool import RegionTool
from gui.widgets.swipe_view import SwipePair
from gui.widgets.view_state import ViewState

HINT = "shared window/level (W + drag) · linked zoom · hold F to flicker"
DIFFERENCE = " −"
HEAD_PX = 66
BAR_PX = 150


class PictureCard(Card):
    """Shows what it is given; the lesion can be drawn on any picture."""

    pointed = Signal(str)
    shape_changed = Signal()

    def __init__(self, state: ViewState, regions: RegionState) -> None:
        super().__init__("Denoise", HINT)
        self.board = ImageBoard(state, lambda view: RegionTool(view, regions))
        self.swipe, self.empty, self.bar = SwipePair(state), label(role="quiet", wrap=True), ColorBar()
        self.swiping = FilterChip("Swipe")
        RegionTool(self.swipe.view, regions)
        self._state, self._made = state, dict[str, DenoisedImage]()
        self._pages = QStackedWidget()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for page in (self.empty, self.board, self.swipe):
            self._pages.addWidget(page)
        self.add(self._pages, 1)
        self.add_action(self._legend())
        self.add_action(self.swiping)
        self._connect()
        self._show_bar()

    def _legend(self) -> QWidget:
        """What the colours of the differences mean, always in sight."""
        legend = QWidget()
        line = QHBoxLayout(legend)
        line.setContentsMargins(0, 0, 8, 0)
        self.bar.setFixedWidth(BAR_PX)
        line.addWidget(label("difference", role="caption"))
        line.addWidget(self.bar)
        return legend

    def _connect(self) -> None:
        self._state.changed.connect(self._show_bar)
        self.swiping.setToolTip("Compare two images by swiping (or double-click an image)")
        self.swiping.toggled.connect(self._show_page)
        self.board.maximized.connect(self._on_maximized)
        self.swipe.view.maximized.connect(lambda: self.swiping.setChecked(False))
        self.board.hovered.connect(self._on_hovered)
        self.swipe.view.hovered.connect(lambda x, y: self._on_hovered(NOISY, x, y))
        for view in (self.board, self.swipe.view):
            view.hover_ended.connect(lambda: self.pointed.emit(""))

    def show_message(self, text: str) -> None:
        """Show a sentence in the place of pictures."""
        self._made = {}
        self.empty.setText(text)
        self._show_page()

    def show_made(self, made: Mapping[str, DenoisedImage]) -> None:
        """Show the original, the noisy picture and what was made of it, in this order."""
        shape = len(self._made)
        self._made = dict(made)
        self.board.set_pictures(layout_rows(list(made.values())))
        self.swipe.set_pictures({each.title: each.image for each in made.values()})
        self._show_page()
        if len(made) != shape:
            self.shape_changed.emit()

    def replace(self, made: DenoisedImage) -> None:
        """Show another picture in the place of one."""
        self._made[made.key] = made
        self.board.replace(picture_of(made))
        self.board.replace(difference_of(made))
        if self._pages.currentWidget() is self.swipe:
            self.swipe.set_pictures({each.title: each.image for each in self._made.values()})

    def set_orientation(self, letters: str | None) -> None:
        self.board.set_orientation(letters)
        self.swipe.view.set_orientation(letters)

    def fitting_height(self, width: int) -> int:
        """How high the card is when its pictures fill a width."""
        return self.board.fitting_height(width - 30) + HEAD_PX

    def picture(self) -> QWidget | None:
        """The widget that holds the pictures, for a figure; None while there are none."""
        return self._pages.currentWidget() if self._made else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """While F is held, every picture gives way to the original."""
        if event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self.board.set_flickering(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self.board.set_flickering(False)
        else:
            super().keyReleaseEvent(event)

    def _show_page(self) -> None:
        page = self.empty if not self._made else self.swipe if self.swiping.isChecked() else self.board
        self._pages.setCurrentWidget(page)

    def _show_bar(self) -> None:
        self.bar.set_range(Colormap.SIGNED, -self._state.view.limit, self._state.view.limit)

    def _on_maximized(self, key: str) -> None:
        made = self._made.get(key.removesuffix(DIFFERENCE))
        self.swiping.setChecked(True)
        if made is not None and made.key != ORIGINAL:
            self.swipe.choose(made.title)

    def _on_hovered(self, key: str, x: int, y: int) -> None:
        made = self._made.get(key.removesuffix(DIFFERENCE))
        if made is not None:
            self.pointed.emit(pixel_text(made, x, y))


def layout_rows(made: list[DenoisedImage]) -> list[list[Picture | None]]:
    """One row for a single method, its difference at the end; else the differences stand under the pictures."""
    pictures: list[Picture | None] = [picture_of(each) for each in made]
    differences: list[Picture | None] = [difference_of(each) for each in made if each.key != ORIGINAL]
    return [[*pictures, *differences[-1:]]] if len(made) <= 3 else [pictures, [None, *differences]]


def picture_of(made: DenoisedImage) -> Picture:
    """A picture; while flickering the original is seen in its place."""
    caption = "" if made.key == ORIGINAL else made.caption
    return Picture(made.key, made.title, made.image, Colormap.GRAY, caption, made.original)


def difference_of(made: DenoisedImage) -> Picture:
    """What a picture has more or less than the original."""
    return Picture(made.key + DIFFERENCE, f"{made.title} − original", made.difference, Colormap.SIGNED)


def pixel_text(made: DenoisedImage, x: int, y: int) -> str:
    """Return what the status bar says of a pixel."""
    height, width = made.image.shape
    x, y = min(x, width - 1), min(y, height - 1)
    was, noisy, now = (float(image[y, x]) for image in (made.original, made.noisy, made.image))
    words = [f"x {x}", f"y {y}", f"original {fixed(was, 3)}", f"noisy {fixed(noisy, 3)}"]
    if made.key not in (ORIGINAL, NOISY):
        words.append(f"{made.title}{'' if made.exact else ' (preview)'} {fixed(now, 3)}")
    if made.key != ORIGINAL:
        words.append(f"difference {fixed(now - was, 3)}")
    return " · ".join(words)
