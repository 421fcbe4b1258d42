"""Cards of the shown images: their order, layout and window/level, or one file in place of the dataset."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout

from engine.messages import JudgeScanReply
from gui.loaded_data import PARTS
from gui.opened_files import OpenedScan, describe
from gui.panels.compare.comparison import ORDERS
from gui.run_record import RunRecord
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.combo_boxes import FocusComboBox
from gui.widgets.labels import form_rows, label
from gui.widgets.number_fields import SliceRow, SliderRange, SliderRow
from gui.widgets.view_state import ViewState

LAYOUTS = {"grid": "Grid", "closer": "Single image", "swipe": "Swipe", "flicker": "Flicker (hold F)"}
FIT, COLUMNS = 0, (4, 6, 8, 12)
LABEL_PX = 84
CONTRAST_HELP = {
    "window": ("Window", SliderRange(0.05, 2.0, 1.0)),
    "level": ("Level", SliderRange(0.0, 1.0, 0.5)),
    "limit": ("Difference ±", SliderRange(0.01, 1.0, 0.3, log=True)),
}


class CompareScanCard(Card):
    """A card with name, slice slider, orientation, notes, and a button that returns to the dataset."""

    slice_changed = Signal(object)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Opened image")
        self._scan: OpenedScan | None = None
        self.name, self._facts = label(wrap=True), label(role="caption", wrap=True)
        self.judged = NoticeBox()
        self.row, self.back = SliceRow(), Button("Back to the dataset")
        self.slider = self.row.slider
        for part in (self.name, self.row, self._facts, self.judged):
            self.add(part)
        self.body.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        self.row.moved.connect(self._on_slice_moved)
        self.back.clicked.connect(self.closed)
        self.hide()

    def show_scan(self, scan: OpenedScan | None, run: RunRecord | None) -> None:
        """Show what is known of a file, and what a run sees of it."""
        if scan != self._scan:
            self.judged.show_notice("")
        self._scan = scan
        self.setVisible(scan is not None)
        if scan is None:
            return
        self.row.show_slice(scan.slice, scan.slices)
        self.row.setVisible(scan.slices > 1)
        self.name.setText(scan.name)
        self._facts.setText(describe(scan, run))

    def show_judged(self, reply: JudgeScanReply, names: Mapping[str, str]) -> None:
        """Show how unusual the image is for each run; `names` are those of the runs."""
        notes = [f"{names[run]}: {note}" for run, note in reply.notes.items() if run in names]
        self.judged.show_notice("\n".join(notes), "warning" if reply.flagged else "info")

    def _on_slice_moved(self, number: int) -> None:
        if self._scan is not None:
            self._scan = self._scan.with_slice(number)
            self.judged.show_notice("")
            self.slice_changed.emit(self._scan)


class ViewCard(Card):
    """A card with the controls of images, layout and contrast."""

    changed = Signal()
    linked_changed = Signal(bool)
    figure_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self, state: ViewState) -> None:
        super().__init__("Images")
        self._state = state
        self.split, self.order, self.layout_, self.columns = (
            FocusComboBox(),
            FocusComboBox(),
            FocusComboBox(),
            FocusComboBox(),
        )
        self.linked, self.sliders = QCheckBox("Same for all images"), dict[str, SliderRow]()
        for box, titles in ((self.order, ORDERS), (self.layout_, LAYOUTS), (self.columns, _numbers())):
            for key, title in titles.items():
                box.addItem(title, key)
        self.linked.setChecked(True)
        self.add(form_rows({"Show": self.split, "Sort by": self.order}, LABEL_PX))
        self.add(label("View", role="title"))
        self.add(form_rows({"Layout": self.layout_, "Per page": self.columns, "Contrast": self.linked}, LABEL_PX))
        self._add_light()
        self.add(self._buttons())
        for box in (self.split, self.order, self.layout_, self.columns):
            box.activated.connect(self.changed)
        self.linked.toggled.connect(self.linked_changed)
        state.changed.connect(self._show_light)

    def values(self) -> dict[str, Any]:
        boxes = {"split": self.split, "order": self.order, "layout": self.layout_, "columns": self.columns}
        return {name: box.currentData() for name, box in boxes.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Set those of these values that are available."""
        boxes = {"split": self.split, "order": self.order, "layout": self.layout_, "columns": self.columns}
        for name, box in boxes.items():
            at = box.findData(values.get(name))
            if at >= 0:
                box.setCurrentIndex(at)

    def show_splits(self, sizes: Mapping[str, int], wanted: str) -> None:
        """Offer the splits that have images; select the last one if the wanted one is missing."""
        chosen = self.split.currentData() or wanted
        with QSignalBlocker(self.split):
            self.split.clear()
            for name, size in sizes.items():
                if size:
                    self.split.addItem(PARTS[name], name)
            at = self.split.findData(chosen)
            self.split.setCurrentIndex(at if at >= 0 else self.split.count() - 1)

    def show_for(self, layout: str, scan: bool) -> None:
        """Disable the controls that have no effect now."""
        self.columns.setEnabled(layout == "grid" and not scan)
        for box in (self.split, self.order):
            box.setEnabled(not scan)

    def _add_light(self) -> None:
        for name, (title, values) in CONTRAST_HELP.items():
            row = SliderRow(title, values)
            row.label.setFixedWidth(LABEL_PX)
            row.label.setProperty("role", "quiet")
            row.edit.setFixedWidth(58)
            row.value_changed.connect(lambda value, name=name: self._state.update(**{name: value}))
            self.sliders[name] = row
            self.add(row)

    def _show_light(self) -> None:
        for name, row in self.sliders.items():
            with QSignalBlocker(row):
                row.set_value(getattr(self._state.view, name))

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        for text, wanted in (("Figure…", self.figure_wanted), ("Copy as Python", self.copy_wanted)):
            button = Button(text)
            button.clicked.connect(wanted)
            line.addWidget(button)
        line.addStretch()
        return line


def _numbers() -> dict[int, str]:
    return {FIT: "as many as fit"} | {count: f"{count} images" for count in COLUMNS}
