"""The images that pass through the network, and the receptive field of a unit on the chosen one."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from gui.loaded_data import CLEAN, PARTS, LoadedData, scan_title
from gui.panels.layers.state import MAX_SCANS
from gui.pixmaps import Array
from gui.selection import ImageRef
from gui.widgets.buttons import IconButton
from gui.widgets.card import Card
from gui.widgets.combo_boxes import SearchableComboBox
from gui.widgets.image_view import BoxOverlay, ImageView
from gui.widgets.labels import label
from gui.widgets.number_fields import SliceRow
from gui.widgets.region.region import RegionState
from gui.widgets.region.tool import RegionTool
from gui.widgets.thumbnail_pairs import ThumbnailPair, ThumbnailPairs
from gui.widgets.view_state import ViewState

PICTURE_PX = 200
FIELD_HINT = "The receptive field of the unit under the cursor is drawn on the image."


class LayerScansCard(Card):
    """A card with the chosen image, all images next to their channels, and buttons to add and remove.

    `picker` changes the chosen image; it stands in the card of the network, beside the run.
    """

    scan_selected = Signal(int)
    changed = Signal(object)
    add_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, state: ViewState, regions: RegionState) -> None:
        super().__init__("Images")
        self.setToolTip("Each image with the channel below it")
        self.view, self.pairs, self.picker = ImageView(state), ThumbnailPairs(), ScanPicker()
        self.add_button, self.remove = IconButton("plus", "Add an image"), IconButton("minus", "Remove this image")
        self.field, self.hint = BoxOverlay(self.view), label(FIELD_HINT, role="caption", wrap=True)
        self.facts = label(role="caption", wrap=True)
        RegionTool(self.view, regions)
        self.view.setFixedHeight(PICTURE_PX)
        self.view.set_orientation("")
        line = QHBoxLayout()
        line.addWidget(self.hint, 1)
        for button in (self.add_button, self.remove):
            self.add_action(button)
        for part in (self.view, line, self.pairs, self.facts):
            self.add(part)
        self.pairs.chosen.connect(self.scan_selected)
        self.picker.chosen.connect(self.changed)
        self.add_button.clicked.connect(self.add_wanted)
        self.remove.clicked.connect(self.remove_wanted)
        self.pairs.remove_wanted.connect(self.remove_wanted)

    def show_scans(self, scans: Sequence[ImageRef], at: int, facts: str = "") -> None:
        """Show the chosen image in the picker, what is known of one from a file, and which buttons apply."""
        self.facts.setText(facts)
        self.facts.setVisible(bool(facts))
        self.picker.show_scan(scans[at] if scans else None)
        self.remove.setEnabled(len(scans) > 1)
        self.add_button.setEnabled(bool(scans) and len(scans) < MAX_SCANS)
        self.view.setAccessibleName(f"image {scans[at].title}" if scans else "image")

    def show_pairs(self, pairs: Sequence[ThumbnailPair], at: int) -> None:
        """Show every image next to its channel."""
        self.pairs.set_pairs(pairs, at)

    def show_original(self, original: Array | None, orientation: str | None) -> None:
        self.view.set_image(original)
        self.view.set_orientation(orientation)

    def show_field(self, box: tuple[int, int, int, int] | None, text: str = "") -> None:
        """Draw the receptive field of a unit, and describe it."""
        self.field.set_box(box)
        self.hint.setText(text or FIELD_HINT)


class ScanPicker(QWidget):
    """A picker of a set of the dataset and an image in it, searchable by name, or of a slice of a volume."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.part, self.case, self.slices = QComboBox(), SearchableComboBox("image"), SliceRow()
        self.back, self.forth = IconButton("chevron-left", "Previous image"), IconButton("chevron-right", "Next image")
        self.data: LoadedData | None = None
        self._scan: ImageRef | None = None
        self._lay_out()
        self.part.activated.connect(self._on_part_chosen)
        self.case.activated.connect(lambda _: self._emit_choice())
        self.back.clicked.connect(lambda: self.turn(-1))
        self.forth.clicked.connect(lambda: self.turn(1))
        self.slices.moved.connect(self._on_slice_moved)

    def _lay_out(self) -> None:
        column, line = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        line.setSpacing(6)
        line.addWidget(self.part, 1)
        line.addWidget(self.case, 1)
        for button in (self.back, self.forth):
            line.addWidget(button)
        self.part.setAccessibleName("set of images")
        column.addLayout(line)
        column.addWidget(self.slices)
        self.slices.hide()

    def show_data(self, data: LoadedData | None) -> None:
        """Offer the images of a dataset."""
        if data is self.data:
            return
        self.data = data
        with QSignalBlocker(self.part):
            self.part.clear()
            for name, size in (data.subsets() if data else {}).items():
                if size:
                    self.part.addItem(PARTS[name], name)
            at = self.part.findData(CLEAN)
            self.part.setCurrentIndex(at if at >= 0 else self.part.count() - 1)
        self._list_cases()

    def show_scan(self, scan: ImageRef | None) -> None:
        """Select an image without a signal."""
        self._scan = scan
        opened = scan.opened if scan else None
        self.slices.setVisible(opened is not None and opened.slices > 1)
        if opened is not None:
            self.slices.show_slice(opened.slice, opened.slices)
        elif scan is not None and self.data is not None and scan.data == self.data.config:
            self._go_to(scan)
        line = self.case.lineEdit()
        if line is not None and scan is not None:
            line.setText(scan.title)
            line.setCursorPosition(0)

    def current(self) -> ImageRef | None:
        """Return the selected image of the dataset; None if there is none."""
        data, at = self.data, self.case.currentData()
        if data is None or at is None:
            return None
        split, _ = data.indices_in(self.part.currentData())
        return ImageRef(data.names[int(data.rows(split)[at])], data.config, split, at)

    def after(self, taken: set[str]) -> ImageRef | None:
        """Return the next image of the set whose key is not among these; None if there is none."""
        start = max(self.case.currentIndex(), 0)
        for step in range(self.case.count()):
            scan = self._at((start + step) % self.case.count())
            if scan is not None and scan.key not in taken:
                return scan
        return None

    def named(self, split: str, title: str) -> ImageRef | None:
        """Return the image of a split and title; None if there is none."""
        data = self.data
        if data is None or split not in PARTS:
            return None
        for place, row in enumerate(data.rows(split)):
            if scan_title(data.names[int(row)]) == title:
                return ImageRef(data.names[int(row)], data.config, split, place)
        return None

    def turn(self, step: int) -> None:
        """Select the image that is `step` images further on, or back if negative."""
        at = self.case.currentIndex() + step
        if 0 <= at < self.case.count():
            self.case.setCurrentIndex(at)
            self._emit_choice()

    def _at(self, place: int) -> ImageRef | None:
        data = self.data
        if data is None:
            return None
        split, index = data.indices_in(self.part.currentData())[0], self.case.itemData(place)
        return ImageRef(data.names[int(data.rows(split)[index])], data.config, split, index)

    def _go_to(self, scan: ImageRef) -> None:
        part = self.part.currentData()
        data = self.data
        assert data is not None
        split, places = data.indices_in(part) if part else ("", [])
        if split != scan.split or scan.index not in places:
            with QSignalBlocker(self.part):
                at = next((at for at in range(self.part.count()) if self._holds(self.part.itemData(at), scan)), 0)
                self.part.setCurrentIndex(at)
            self._list_cases()
        with QSignalBlocker(self.case):
            self.case.setCurrentIndex(self.case.findData(scan.index))

    def _holds(self, part: str, scan: ImageRef) -> bool:
        split, places = self.data.indices_in(part) if self.data else ("", [])
        return split == scan.split and scan.index in places

    def _on_part_chosen(self) -> None:
        self._list_cases()
        self._emit_choice()

    def _on_slice_moved(self, number: int) -> None:
        if self._scan is not None and self._scan.opened is not None:
            opened = self._scan.opened.with_slice(number)
            self.chosen.emit(ImageRef(opened.name, self._scan.data, opened=opened))

    def _list_cases(self) -> None:
        data = self.data
        with QSignalBlocker(self.case):
            self.case.clear()
            if data is not None and self.part.count():
                split, places = data.indices_in(self.part.currentData())
                rows = data.rows(split)
                for place in places:
                    self.case.addItem(scan_title(data.names[int(rows[place])]), place)

    def _emit_choice(self) -> None:
        scan = self.current()
        if scan is not None:
            self.chosen.emit(scan)
