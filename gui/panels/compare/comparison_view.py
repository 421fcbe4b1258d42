"""The images: a grid of rows, one image side by side, or two images to swipe and flicker between."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QStackedWidget

from gui.panels.compare.comparison import Comparison, grid_rows, pixel_text, single_scan_rows
from gui.widgets.buttons import IconButton
from gui.widgets.card import Card, NoticeBox
from gui.widgets.image_rows import GAP, HEADER_PX, LEAST_CELL, TEXT_PX, ImageRows
from gui.widgets.labels import label
from gui.widgets.swipe_view import SwipePair
from gui.widgets.view_state import ViewState

ORIGINAL = "original"
TURNS = {-1: Qt.Key.Key_PageUp, 1: Qt.Key.Key_PageDown}
LEAST_COLUMNS, MOST_COLUMNS = 3, 12


class ComparisonView(Card):
    """A view that shows a comparison in the chosen layout."""

    page_requested = Signal(int)
    resized = Signal()
    maximized = Signal(int)
    pointed = Signal(str)
    chosen = Signal(int)  # column of the grid

    def __init__(self, state: ViewState) -> None:
        super().__init__("Compare")
        self.rows, self.swipe, self.empty = ImageRows(state), SwipePair(state), label(role="quiet", wrap=True)
        self._pages = QStackedWidget()
        self._shown: Comparison | None = None
        self._layout = "grid"
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.back, self.forth = (
            IconButton("chevron-left", "Previous images"),
            IconButton("chevron-right", "Next images"),
        )
        for button, step in ((self.back, -1), (self.forth, 1)):
            button.clicked.connect(lambda _=False, step=step: self.page_requested.emit(step))
            self.add_action(button)
            keys = QShortcut(QKeySequence(TURNS[step]), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            keys.activated.connect(lambda step=step: self.page_requested.emit(step))
        for page in (self.empty, self.rows, self.swipe):
            self._pages.addWidget(page)
        self.notice = NoticeBox()
        self.add(self.notice)
        self.add(self._pages, 1)
        self.rows.maximized.connect(lambda row, column: self.maximized.emit(column))
        self.swipe.view.maximized.connect(lambda: self.maximized.emit(0))
        self.rows.chosen.connect(lambda column: self.chosen.emit(column) if self._layout == "grid" else None)
        self.rows.hovered.connect(self._on_rows_hovered)
        self.swipe.view.hovered.connect(self._on_swipe_hovered)
        for view in (self.rows, self.swipe.view):
            view.hover_ended.connect(lambda: self.pointed.emit(""))

    def show_message(self, text: str) -> None:
        """Show a sentence in place of the images."""
        self._shown = None
        self.empty.setText(text)
        self._pages.setCurrentWidget(self.empty)

    def show_pictures(self, shown: Comparison, layout: str, orientation: str | None) -> None:
        self._shown, self._layout = shown, layout
        if layout in ("swipe", "flicker"):
            self.swipe.view.set_orientation(orientation)
            self.swipe.set_pictures({ORIGINAL: shown.originals[0]} | {made.run: made.images[0] for made in shown.made})
            self.swipe.view.set_split(0.5 if layout == "swipe" else 1.0)
            self._pages.setCurrentWidget(self.swipe)
            return
        self._show_rows()
        self.rows.set_orientation(orientation)
        self._pages.setCurrentWidget(self.rows)

    def show_turning(self, back: bool, forth: bool) -> None:
        self.back.setEnabled(back)
        self.forth.setEnabled(forth)

    def best_column_count(self, runs: int) -> int:
        """Return how many columns fill the view for a number of compared runs."""
        rows, room = 1 + 2 * runs, self._pages.size()
        tallest = (room.height() - TEXT_PX * rows) / rows - GAP

        def rate(columns: int) -> tuple[bool, float]:
            """Return whether the numbers below an image fit its width, and the area that images cover."""
            wide = (room.width() - HEADER_PX) / columns - GAP
            return wide >= LEAST_CELL, columns * min(wide, tallest) ** 2

        return max(range(LEAST_COLUMNS, MOST_COLUMNS + 1), key=rate)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def shown(self) -> Comparison | None:
        """Return what is shown. Returns None if nothing is."""
        return self._shown

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Show the originals in place of the reconstructions of the grid while F is held."""
        if event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self._show_rows(flicker=True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F and not event.isAutoRepeat():
            self._show_rows()
        else:
            super().keyReleaseEvent(event)

    def _show_rows(self, flicker: bool = False) -> None:
        if self._shown is None:
            return
        if self._layout == "grid":
            self.rows.set_rows(grid_rows(self._shown, flicker), self._shown.titles)
        elif self._layout == "closer":
            self.rows.set_rows(*single_scan_rows(self._shown))

    def _on_rows_hovered(self, row: int, column: int, x: int, y: int) -> None:
        if self._shown is None:
            return
        height, width = self.rows.view(row, column).picture_size()[::-1]
        place, made = ((x + 0.5) / width, (y + 0.5) / height), len(self._shown.made)
        if self._layout == "closer":
            self.pointed.emit(pixel_text(self._shown, 0, place, column - 1 if column else None))
        else:
            self.pointed.emit(pixel_text(self._shown, column, place, (row - 1) % made if row and made else None))

    def _on_swipe_hovered(self, x: int, y: int) -> None:
        if self._shown is not None:
            width, height = self.swipe.view.picture_size()
            self.pointed.emit(pixel_text(self._shown, 0, ((x + 0.5) / width, (y + 0.5) / height), None))
