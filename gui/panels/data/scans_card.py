"""The card of all images as thumbnails, filtered by class and split."""

from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Signal
from PySide6.QtWidgets import QStackedLayout, QWidget

from gui.formatting import format_count
from gui.loaded_data import PARTS, SPLITS, LoadedData, class_title
from gui.pixmaps import Array
from gui.widgets.card import Card
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.image_grid import ImageGrid
from gui.widgets.labels import FilterChip, label

EMPTY = "No dataset loaded.\n\nChoose a source on the left and press 'Load dataset', or drop a folder here."


class DataScansCard(Card):
    """A grid of thumbnails; a double click requests to open the image in another panel."""

    opened = Signal(str, int)
    pointed = Signal(str)
    _is_complete = False

    def __init__(self) -> None:
        super().__init__("Images")
        self.grid, self._chips = ImageGrid(captioned=False), QWidget()
        self.data: LoadedData | None = None
        self.classes: dict[int, FilterChip] = {}
        self.splits = {number: self._chip(PARTS[name]) for number, name in enumerate(SPLITS)}
        self.leaked = self._chip("Leaked test images only")
        self._between = label("in", role="quiet", parent=self._chips)
        self._pages, pages = QStackedLayout(), QWidget()
        self._empty = label(EMPTY, role="quiet", wrap=True)
        self._flow = FlowLayout(self._chips)
        pages.setLayout(self._pages)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self.grid)
        self._empty.setAlignment(self._empty.alignment().AlignCenter)
        self.grid.setAccessibleName("images")
        self.add(self._chips)
        self.add(pages, 1)
        self._chips.hide()
        self.grid.opened.connect(self._on_opened)
        self.grid.hovered.connect(lambda row: self.pointed.emit(self.describe(row)))
        self.grid.hover_ended.connect(lambda: self.pointed.emit(""))
        self._is_complete = True

    def show_data(self, data: LoadedData) -> None:
        """Show all images of a newly loaded dataset."""
        self.data = data
        for part in self._parts():
            self._flow.removeWidget(part)
        for chip in self.classes.values():
            chip.deleteLater()
        self.classes = {number: self._chip(class_title(name)) for number, name in enumerate(data.classes)}
        for part in self._parts():
            self._flow.addWidget(part)
            part.show()
        for before, after in pairwise([*self.classes.values(), *self.splits.values(), self.leaked, self.grid]):
            QWidget.setTabOrder(before, after)
        self.leaked.setVisible(bool(len(data.leaked)))
        self.leaked.setChecked(self.leaked.isChecked() and bool(len(data.leaked)))
        self._chips.show()
        self.grid.set_images(cast(Array, data.thumbnails), data.names)  # as an array of images, one at a time
        self._pages.setCurrentWidget(self.grid)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Keep the word between the chips as high as they are in the new style."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._is_complete:
            self._between.setFixedHeight(self.splits[0].sizeHint().height())

    def chosen(self) -> NDArray[np.intp]:
        """Return the rows that pass the chips; all rows if no chip is pressed."""
        if self.data is None:
            return np.zeros(0, np.intp)
        data, seen = self.data, self.data.splits >= 0
        for chips, of_rows in ((self.classes, data.labels), (self.splits, data.splits)):
            pressed = [number for number, chip in chips.items() if chip.isChecked()]
            if pressed:
                seen = seen & np.isin(of_rows, pressed)
        return np.flatnonzero(seen & data.leaked_rows() if self.leaked.isChecked() else seen)

    def refresh(self) -> None:
        """Show the images that pass the chips, and their number."""
        rows = self.chosen()
        self.grid.show_only(rows)
        words = [
            " and ".join(chip.accessibleName() for chip in chips.values() if chip.isChecked()) or everything
            for chips, everything in ((self.classes, "all classes"), (self.splits, "all sets"))
        ]
        words += ["leaked test images only"] * self.leaked.isChecked()
        self.set_subtitle(" · ".join([format_count(len(rows)), *words, "sorted by file"]))

    def describe(self, row: int) -> str:
        """Return the status text of an image."""
        if self.data is None:
            return ""
        parts = [self.data.names[row], class_title(self.data.class_name(row)), PARTS[SPLITS[self.data.splits[row]]]]
        return " · ".join(parts + ["leaked"] * bool(self.data.leaked_rows()[row]))

    def _parts(self) -> tuple[QWidget, ...]:
        """Return the groups of chips, in their order on screen."""
        return *self.classes.values(), self._between, *self.splits.values(), self.leaked

    def _chip(self, text: str) -> FilterChip:
        chip = FilterChip(text, parent=self._chips)
        chip.toggled.connect(self.refresh)
        return chip

    def _on_opened(self, row: int) -> None:
        if self.data is not None:
            self.opened.emit(SPLITS[self.data.splits[row]], int(self.data.places[row]))
