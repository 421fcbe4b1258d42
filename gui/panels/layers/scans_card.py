"""The scans that pass through the network, and on the chosen one what a unit sees of it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from gui.panels.layers.scan_picker import ScanPicker
from gui.panels.layers.scans import ScanRef
from gui.panels.layers.state import MOST_SCANS
from gui.pixmaps import Array
from gui.widgets.box_overlay import BoxOverlay
from gui.widgets.buttons import IconButton
from gui.widgets.card import Card
from gui.widgets.image_view import ImageView
from gui.widgets.labels import label
from gui.widgets.region.state import RegionState
from gui.widgets.region.tool import RegionTool
from gui.widgets.thumbnail_pairs import ThumbnailPair, ThumbnailPairs
from gui.widgets.view_state import ViewState

PICTURE_PX = 200
FIELD_HINT = "The receptive field of the unit under the cursor is drawn on the image."


class LayerScansCard(Card):
    """Picture of the chosen scan; all scans with the channel's answer beside each; add, change, remove."""

    scan_selected = Signal(int)
    changed = Signal(object)
    add_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, state: ViewState, regions: RegionState) -> None:
        super().__init__("Images", "each with the channel")
        self.view, self.pairs, self.picker = ImageView(state), ThumbnailPairs(), ScanPicker()
        self.add_button, self.remove = IconButton("plus", "Add an image"), IconButton("minus", "Remove this image")
        self.field, self.hint = BoxOverlay(self.view), label(FIELD_HINT, role="caption", wrap=True)
        RegionTool(self.view, regions)
        self.view.setFixedHeight(PICTURE_PX)
        self.view.set_orientation("")
        self.view.set_empty_text("No dataset loaded. Choose a source in Data, or drop an image here.")
        line = QHBoxLayout()
        line.addWidget(self.hint, 1)
        for button in (self.add_button, self.remove):
            self.add_action(button)
        for part in (self.view, line, self.pairs, self.picker):
            self.add(part)
        self.pairs.chosen.connect(self.scan_selected)
        self.picker.chosen.connect(self.changed)
        self.add_button.clicked.connect(self.add_wanted)
        self.remove.clicked.connect(self.remove_wanted)
        self.pairs.remove_wanted.connect(self.remove_wanted)

    def show_scans(self, scans: Sequence[ScanRef], at: int) -> None:
        """Say which scans there are, and stand at one of them."""
        self.picker.show_scan(scans[at] if scans else None)
        self.remove.setEnabled(len(scans) > 1)
        self.add_button.setEnabled(bool(scans) and len(scans) < MOST_SCANS)
        self.view.setAccessibleName(f"image {scans[at].title}" if scans else "image")

    def show_pairs(self, pairs: Sequence[ThumbnailPair], at: int) -> None:
        """Show every scan beside the channel's answer to it."""
        self.pairs.set_pairs(pairs, at)

    def show_original(self, original: Array | None, orientation: str | None) -> None:
        self.view.set_image(original)
        self.view.set_orientation(orientation)

    def show_field(self, box: tuple[int, int, int, int] | None, text: str = "") -> None:
        """Draw what a unit sees, and say it."""
        self.field.set_box(box)
        self.hint.setText(text or FIELD_HINT)
