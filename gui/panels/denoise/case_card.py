"""The card with the chosen image and its noise."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QWidget

from gui.loaded_data import CLEAN, PARTS, LoadedData, scan_title
from gui.opened_files import OpenedScan, describe
from gui.panels.denoise.noise_picker import NoisePicker, field_label
from gui.run_record import RunRecord
from gui.selection import ImageRef
from gui.widgets.buttons import Button, IconButton
from gui.widgets.card import Card
from gui.widgets.combo_boxes import ElidedComboBox, SearchableComboBox
from gui.widgets.labels import FilterChip, label
from gui.widgets.number_fields import SliceRow


class CasePicker(QWidget):
    """The picker of an image of the dataset: a set, and an image in it, searchable by name."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.part, self.case, self.known = ElidedComboBox(), SearchableComboBox("case"), FilterChip("lesion")
        self.back, self.forth = IconButton("chevron-left", "Previous image"), IconButton("chevron-right", "Next image")
        self._data: LoadedData | None = None
        self._known: set[str] = set()
        self._wanted: tuple[str, str] | None = None
        self._lay_out()
        self.part.activated.connect(self._on_part_chosen)
        self.known.toggled.connect(self._on_part_chosen)
        self.case.currentIndexChanged.connect(self._on_case_chosen)
        self.back.clicked.connect(lambda: self.step(-1))
        self.forth.clicked.connect(lambda: self.step(1))

    def _lay_out(self) -> None:
        form, line = QFormLayout(self), QHBoxLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(6)
        line.setSpacing(2)
        line.addWidget(self.part, 1)
        for button in (self.known, self.back, self.forth):
            line.addWidget(button)
        self.part.setAccessibleName("show")
        # As narrow as the column wants: "deduplicated test" would push the buttons out of it.
        self.part.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for title, field in (("Show", self.part), ("Image", self.case)):
            form.addRow(field_label(title, field), self.case if field is self.case else line)
        self.known.setToolTip("Only images with a known lesion")
        self.known.setAccessibleName("only images with a known lesion")

    def show_data(self, data: LoadedData | None, known: set[str]) -> None:
        """Offer the images of a dataset; `known` are the names of those with a known lesion."""
        if data is self._data:
            return
        self._data, self._known = data, known
        self.known.setVisible(bool(known))
        kept, wanted = self._wanted or (self.part.currentData() or CLEAN, self.case.currentText())
        self._wanted = None
        with QSignalBlocker(self.part):
            self.part.clear()
            for name, size in (data.subsets() if data else {}).items():
                if size:
                    self.part.addItem(PARTS[name], name)
            at = self.part.findData(kept)
            self.part.setCurrentIndex(at if at >= 0 else self.part.count() - 1)
        self._list_cases(wanted)

    def chosen(self) -> ImageRef | None:
        """Return the chosen image. Returns None if there is none."""
        data, at = self._data, self.case.currentData()
        if data is None or at is None:
            return None
        split, _ = data.indices_in(self.part.currentData())
        return ImageRef(data.names[int(data.rows(split)[at])], data.config, split, at)

    def choose(self, part: str, title: str) -> None:
        """Choose an image of a set by its title, else the first one; wait for the dataset if none is loaded."""
        if self._data is None:
            self._wanted = part, title
            return
        at = self.part.findData(part)
        if at >= 0:
            with QSignalBlocker(self.part):
                self.part.setCurrentIndex(at)
        self._list_cases(title)

    def go_to(self, split: str, index: int) -> None:
        """Choose an image by its index in a split."""
        if self._data is not None:
            with QSignalBlocker(self.known):
                self.known.setChecked(False)
            self.choose(split, scan_title(self._data.names[int(self._data.rows(split)[index])]))

    def step(self, step: int) -> None:
        """Choose the image that is some images further on, or back."""
        at = self.case.currentIndex() + step
        if 0 <= at < self.case.count():
            self.case.setCurrentIndex(at)

    def _on_case_chosen(self) -> None:
        line = self.case.lineEdit()
        if line is not None:
            line.setCursorPosition(0)  # the start of a long name says more than its end
        self.changed.emit()

    def _on_part_chosen(self) -> None:
        self._list_cases(self.case.currentText())

    def _list_cases(self, wanted: str) -> None:
        """List the images of the set; keep the wanted one if it is among them."""
        with QSignalBlocker(self.case):
            self.case.clear()
            for title, place in self._offered():
                self.case.addItem(title, place)
            self.case.setCurrentIndex(max(self.case.findText(wanted), 0) if self.case.count() else -1)
        self._on_case_chosen()

    def _offered(self) -> Sequence[tuple[str, int]]:
        data = self._data
        if data is None or not self.part.count():
            return ()
        split, places = data.indices_in(self.part.currentData())
        rows = data.rows(split)
        named = [(data.names[int(rows[place])], place) for place in places]
        only = self.known.isChecked() and not self.known.isHidden()
        return [(scan_title(name), place) for name, place in named if not only or name in self._known]


class SlicePicker(QWidget):
    """The picker of a slice of a file, with a button that returns to the dataset."""

    changed = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.scan: OpenedScan | None = None
        self.run: RunRecord | None = None
        self.name, self.facts = label(wrap=True), label(role="caption", wrap=True)
        self.row, self.back = SliceRow(), Button("Back to the dataset")
        self.slider = self.row.slider
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(6)
        form.addRow(field_label("Image"), self.name)
        form.addRow(field_label("Slice", self.slider), self.row)
        form.addRow(self.facts)
        form.addRow(field_label(""), self.back)
        self._form = form
        self.row.moved.connect(self._on_slice_moved)
        self.back.clicked.connect(self.closed)
        self.hide()

    def show_run(self, run: RunRecord | None) -> None:
        """Say what the model of a run sees of the file."""
        self.run = run
        if self.scan is not None:
            self.facts.setText(describe(self.scan, run))

    def show_scan(self, scan: OpenedScan | None) -> None:
        self.scan = scan
        self.setVisible(scan is not None)
        if scan is None:
            return
        self.row.show_slice(scan.slice, scan.slices)
        self._form.setRowVisible(self.row, scan.slices > 1)
        self.name.setText(scan.name)
        self.facts.setText(describe(scan, self.run))

    def _on_slice_moved(self, number: int) -> None:
        if self.scan is not None:
            self.scan = self.scan.with_slice(number)
            self.changed.emit()


class CaseCard(Card):
    """A card with the pickers of the image and of the noise."""

    changed = Signal()

    def __init__(self, undo: QUndoStack) -> None:
        super().__init__("Image")
        self.images, self.scan, self.noise = CasePicker(), SlicePicker(), NoisePicker(undo)
        for part in (self.images, self.scan, self.noise):
            self.add(part)
            part.changed.connect(self.changed)

    def show_scan(self, scan: OpenedScan | None) -> None:
        """Show a slice of a file, or the dataset again."""
        self.scan.show_scan(scan)
        self.images.setVisible(scan is None)
        self.changed.emit()

    def case(self, data: Any) -> ImageRef | None:
        """Return the chosen image; a slice of a file is prepared as `data` says."""
        if self.scan.scan is not None:
            return ImageRef(self.scan.scan.name, data, opened=self.scan.scan)
        return self.images.chosen()
