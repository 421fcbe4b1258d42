"""The right part of the panel: the card of images, as large as they fit, and the break-even card below."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from gui.formatting import format_fixed, format_signed
from gui.panels.denoise.break_even_card import BreakEvenCard
from gui.panels.denoise.results_data import NOISY, ORIGINAL, DenoisedImage, Picture
from gui.pixmaps import Colormap
from gui.theme import GAP
from gui.widgets.card import Card, NoticeBox
from gui.widgets.color_bar import ColorBar
from gui.widgets.image_board import BoardImage, ImageBoard
from gui.widgets.labels import FilterChip, label
from gui.widgets.region.region import RegionState
from gui.widgets.region.tool import RegionTool
from gui.widgets.swipe_view import SwipePair
from gui.widgets.view_state import View, ViewState

HINT = "double-click: look closer (Esc: back) · W + drag: window/level · hold F to flicker"
DIFFERENCE, INTERVAL = " −", " ±"
# Quantile of a map's values at the upper end of its colors, and the least upper end, in intensities.
INTERVAL_QUANTILE, MIN_INTERVAL = 0.999, 1e-3
NO_MAPS: Mapping[str, Picture] = {}
HEAD_PX = 66
MIN_BAR_PX, BAR_PX = 90, 150
LEAST_HELP_PX, LEAST_PICTURES_PX, LEAST_WIDTH = 236, 180, 520


class PictureCard(Card):
    """A card that shows the given images; the lesion region can be drawn on any of them."""

    pointed = Signal(str)
    shape_changed = Signal()
    alone_changed = Signal(bool)

    def __init__(self, state: ViewState, regions: RegionState) -> None:
        super().__init__("Denoise", HINT)
        self.board = ImageBoard(state, lambda view: RegionTool(view, regions))
        self.swipe, self.empty, self.bar = SwipePair(state), label(role="quiet", wrap=True), ColorBar()
        self.swiping, self.interval = FilterChip("Swipe"), FilterChip("90% interval")
        self.note, self._legend_title = label(role="caption", wrap=True), label("difference", role="caption")
        # The maps have colors of their own, and the zoom of the other images.
        self._heat = ViewState(View(window=0.1, level=0.05), self)
        self._maps: Mapping[str, Picture] | None = None
        RegionTool(self.swipe.view, regions)
        self._state, self._made = state, dict[str, DenoisedImage]()
        self._pages = QStackedWidget()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for page in (self.empty, self.board, self.swipe):
            self._pages.addWidget(page)
        self.add(self._pages, 1)
        self.add(self.note)
        self.note.hide()
        self.add_action(self._legend())
        self.add_action(self.interval)
        self.add_action(self.swiping)
        self._connect()
        self._show_bar()

    def _legend(self) -> QWidget:
        """Return the legend of the difference colors, which is always visible."""
        legend = QWidget()
        line = QHBoxLayout(legend)
        line.setContentsMargins(0, 0, 8, 0)
        self.bar.setMinimumWidth(MIN_BAR_PX)
        self.bar.setMaximumWidth(BAR_PX)
        line.addStretch()
        line.addWidget(self._legend_title)
        line.addWidget(self.bar, 1)
        return legend

    def _connect(self) -> None:
        for state in (self._state, self._heat):
            state.changed.connect(self._show_bar)
        self._state.changed.connect(lambda: _copy_zoom(self._state, self._heat))
        self._heat.changed.connect(lambda: _copy_zoom(self._heat, self._state))
        self.swiping.setToolTip("Compare two images by swiping (or double-click an image)")
        self.swiping.toggled.connect(self._show_page)
        self.board.maximized.connect(self._on_maximized)
        self.swipe.view.maximized.connect(lambda: self.swiping.setChecked(False))
        self.board.hovered.connect(self._on_hovered)
        self.swipe.view.hovered.connect(lambda x, y: self._on_hovered(NOISY, x, y))
        for view in (self.board, self.swipe.view):
            view.hover_ended.connect(lambda: self.pointed.emit(""))

    def show_message(self, text: str) -> None:
        """Show a sentence in place of the images."""
        self._made = {}
        self.empty.setText(text)
        self._show_page()

    def show_made(self, made: Mapping[str, DenoisedImage]) -> None:
        """Show the original, the noisy image and the denoised ones, in this order."""
        shape = len(self._made)
        self._made = dict(made)
        self._lay_out_board()
        self.swipe.set_pictures({each.title: each.image for each in made.values()})
        self._show_page()
        if len(made) != shape:
            self.shape_changed.emit()

    def show_intervals(self, maps: Mapping[str, Picture] | None) -> None:
        """Show these maps of half the width of an interval, by method, in place of the differences; None for those."""
        if maps is self._maps:
            return
        self._maps = maps
        self._legend_title.setText("difference" if maps is None else "interval ±")
        if maps:
            top = max(MIN_INTERVAL, *(float(np.quantile(each, INTERVAL_QUANTILE)) for each in maps.values()))
            self._heat.set_default_view(window=top, level=top / 2)
        self._lay_out_board()
        self._show_bar()

    def show_interval_note(self, *sentences: str) -> None:
        """Show the first of some sentences about the intervals below the images, all of them in its tool tip."""
        text, before = next(iter(sentences), ""), self.note.text()
        self.note.setText(text)
        self.note.setToolTip("\n\n".join(sentences))
        self.note.setVisible(bool(text))
        if text != before:
            self.shape_changed.emit()

    def _lay_out_board(self) -> None:
        self.board.set_pictures(layout_rows(list(self._made.values()), self._maps, self._heat))

    def replace(self, made: DenoisedImage) -> None:
        """Replace one of the images."""
        self._made[made.key] = made
        self.board.replace(picture_of(made))
        self.board.replace(difference_of(made))
        if self._pages.currentWidget() is self.swipe:
            self.swipe.set_pictures({each.title: each.image for each in self._made.values()})

    def set_orientation(self, letters: str | None) -> None:
        self.board.set_orientation(letters)
        self.swipe.view.set_orientation(letters)

    def fitting_height(self, width: int) -> int:
        """Return the height of the card when its images fill a width."""
        note = 0 if self.note.isHidden() else self.note.heightForWidth(width - 30) + self.body.spacing()
        return self.board.fitting_height(width - 30) + HEAD_PX + note

    def picture(self) -> QWidget | None:
        """Return the widget with the images, for a figure. Returns None if there are none."""
        return self._pages.currentWidget() if self._made else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the original in place of every image while F is held."""
        if event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self.board.set_flickering(True)
        elif event.key() == Qt.Key.Key_Escape and self.is_alone():
            self.swiping.setChecked(False)
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
        self.alone_changed.emit(page is self.swipe)

    def is_alone(self) -> bool:
        """Return whether one view takes the whole card, to look closer."""
        return self._pages.currentWidget() is self.swipe

    def _show_bar(self) -> None:
        if self._maps is None:
            self.bar.set_range(Colormap.SIGNED, -self._state.view.limit, self._state.view.limit)
        else:
            view = self._heat.view
            self.bar.set_range(Colormap.HEAT, view.level - view.window / 2, view.level + view.window / 2)

    def _on_maximized(self, key: str) -> None:
        made = self._made.get(key.removesuffix(DIFFERENCE).removesuffix(INTERVAL))
        self.swiping.setChecked(True)
        self.swipe.view.setFocus()
        if made is not None and made.key != ORIGINAL:
            self.swipe.choose(made.title)

    def _on_hovered(self, key: str, x: int, y: int) -> None:
        made = self._made.get(key.removesuffix(DIFFERENCE).removesuffix(INTERVAL))
        if made is not None:
            half = (self._maps or {}).get(made.key)
            width = "" if half is None else f" · 90% interval ±{format_fixed(float(half[_inside(half, x, y)]), 3)}"
            self.pointed.emit(pixel_text(made, x, y) + width)


def layout_rows(
    made: list[DenoisedImage], maps: Mapping[str, Picture] | None = None, heat: ViewState | None = None
) -> list[list[BoardImage | None]]:
    """Return one row for a single method, its difference last; else the differences in a second row.

    With `maps`, those of the intervals stand in place of the differences; a method without one has an empty cell.
    """
    pictures: list[BoardImage | None] = [picture_of(each) for each in made]
    below: list[BoardImage | None] = [
        difference_of(each) if maps is None else interval_of(each, maps, heat) for each in made if each.key != ORIGINAL
    ]
    is_single = sum(each.key not in (ORIGINAL, NOISY) for each in made) <= 1
    return [[*pictures, *below[-1:]]] if is_single else [pictures, [None, *below]]


def picture_of(made: DenoisedImage) -> BoardImage:
    """Return the image to show; a flicker shows the original in its place."""
    caption = "" if made.key == ORIGINAL else made.caption
    return BoardImage(made.key, made.title, made.image, Colormap.GRAY, caption, made.original)


def difference_of(made: DenoisedImage) -> BoardImage:
    """Return the signed difference of an image and the original."""
    key, title, short = made.key + DIFFERENCE, made.difference_title, made.short_difference_title
    return BoardImage(key, title, made.difference, Colormap.SIGNED, short_title=short)


def interval_of(made: DenoisedImage, maps: Mapping[str, Picture], heat: ViewState | None) -> BoardImage | None:
    """Return the map of half the width of a result's interval. Returns None if it is not known."""
    half = maps.get(made.key)
    if half is None:
        return None
    key, title = made.key + INTERVAL, f"{made.title} ±"
    return BoardImage(key, title, half, Colormap.HEAT, light=heat, short_title="90% ±")


def _copy_zoom(source: ViewState, target: ViewState) -> None:
    view = source.view
    target.update(zoom=view.zoom, centre=view.centre, crosshair=view.crosshair)


def _inside(image: Picture, x: int, y: int) -> tuple[int, int]:
    """Return the index of a pixel, or of the nearest one within the image."""
    return min(y, image.shape[0] - 1), min(x, image.shape[1] - 1)


def pixel_text(made: DenoisedImage, x: int, y: int) -> str:
    """Return the status text of a pixel."""
    y, x = _inside(made.image, x, y)
    was, noisy, now = (float(image[y, x]) for image in (made.original, made.noisy, made.image))
    words = [f"x {x}", f"y {y}", f"original {format_fixed(was, 3)}", f"noisy {format_fixed(noisy, 3)}"]
    if made.residual is not None:
        result = f"{made.title} {format_fixed(now, 3)}"
        return " · ".join([*words[:2], f"image {format_fixed(was, 3)}", result, f"removed {format_signed(was - now)}"])
    if made.key not in (ORIGINAL, NOISY):
        words.append(f"{made.title}{'' if made.exact else ' (preview)'} {format_fixed(now, 3)}")
    if made.key != ORIGINAL:
        words.append(f"difference {format_signed(now - was)}")
    return " · ".join(words)


class PictureArea(QWidget):
    """An area that gives the images the height they need, and the curve the rest."""

    def __init__(self, state: ViewState, regions: RegionState) -> None:
        super().__init__()
        self.pictures, self.help, self.notice = PictureCard(state, regions), BreakEvenCard(), NoticeBox()
        for part in (self.pictures, self.help, self.notice):
            part.setParent(self)
        self.notice.installEventFilter(self)
        self.pictures.shape_changed.connect(self._divide_height)
        self.pictures.alone_changed.connect(self._on_alone)

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

    def _on_alone(self, is_alone: bool) -> None:
        """Give one view that is looked at closer all the room."""
        self.help.setVisible(not is_alone)
        self._divide_height()

    def _divide_height(self) -> None:
        """Give the images their height, as far as the curve stays readable."""
        width, top = self.width(), 0
        if not self.notice.isHidden():
            said = self.notice.heightForWidth(width)
            self.notice.setGeometry(0, 0, width, said)
            top = said + GAP
        room = self.height() - top - GAP - LEAST_HELP_PX
        height = max(min(self.pictures.fitting_height(width), room), LEAST_PICTURES_PX)
        if self.pictures.is_alone():
            height = self.height() - top
        self.pictures.setGeometry(0, top, width, height)
        self.help.setGeometry(0, top + height + GAP, width, max(self.height() - top - height - GAP, 0))
