"""The cards of the panel, and their layout."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.panel import scroll_column
from gui.panels.layers.channel_card import ChannelCard
from gui.panels.layers.mosaic_card import MosaicCard
from gui.panels.layers.network import LayerSummary
from gui.panels.layers.network_card import NetworkCard
from gui.panels.layers.scans_card import LayerScansCard
from gui.theme import GAP
from gui.widgets.buttons import Button
from gui.widgets.region.state import RegionState
from gui.widgets.view_state import ViewState

RIGHT_PX = 336


class LayersView(QWidget):
    """Network and channels at the left; the chosen channel and the images at the right."""

    def __init__(self, undo: QUndoStack) -> None:
        super().__init__()
        self.regions = RegionState(undo, self)
        self.strip, self.mosaic = NetworkCard(), MosaicCard()
        self.channel, self.export = ChannelCard(ViewState(parent=self)), ExportRow()
        self.scans = LayerScansCard(ViewState(parent=self), self.regions)
        self.channel.add(self.export)
        self.left = QVBoxLayout()
        self.left.setSpacing(GAP)
        self.left.addWidget(self.strip)
        self.left.addWidget(self.mosaic, 1)
        right = scroll_column(self.channel, self.scans)
        right.setFixedWidth(RIGHT_PX)
        right.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.setSpacing(GAP)
        row.addLayout(self.left, 1)
        row.addWidget(right)

    def show_unit(self, unit: tuple[int, int] | None, layer: LayerSummary | None) -> None:
        """Mark a unit, (row, column), in the channel image, and its receptive field in the image; or nothing."""
        box = layer.box(*unit) if unit and layer else None
        self.channel.mark(unit)
        self.scans.show_field(box, layer.sees_text(*unit) if unit and layer else "")
        self.mosaic.field.set_box(box)


class ExportRow(QWidget):
    """The buttons that export the figure, the statistics, and a script."""

    figure_wanted = Signal()
    numbers_wanted = Signal()
    copy_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.figure, self.numbers, self.copy = Button("Figure…"), Button("Values…"), Button("Copy as Python")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        signals = (self.figure_wanted, self.numbers_wanted, self.copy_wanted)
        tips = (
            "Save the channels as shown, as PNG or PDF",
            "Save statistics of every channel of the layer, as CSV",
            "Copy a Python script that computes the same",
        )
        for button, signal, tip in zip((self.figure, self.numbers, self.copy), signals, tips, strict=True):
            button.clicked.connect(signal)
            button.setToolTip(tip)
            button.setProperty("kind", "chip")
            line.addWidget(button)
        line.addStretch()
