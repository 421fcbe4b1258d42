"""The cards of the panel and their layout, and the card of the network."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.formatting import format_number
from gui.panel import scroll_column
from gui.panels.layers.channel_cards import ChannelCard, MosaicCard
from gui.panels.layers.network import INPUT, LayerSummary, Network
from gui.panels.layers.scans_card import LayerScansCard, ScanPicker
from gui.run_chooser import RunChooser
from gui.session import Session
from gui.theme import GAP
from gui.widgets.buttons import Button
from gui.widgets.card import Card, PlainScrollArea
from gui.widgets.labels import label
from gui.widgets.network_strip import NetworkStrip
from gui.widgets.region.region import RegionState
from gui.widgets.view_state import ViewState

HINT = "click a layer · keys , and . for previous/next · arcs are skip connections"
NO_RUN = "No trained model yet. Train one first."
# Widths of the right column, and the width of the panel below which it is the narrow one.
RIGHT_PX, RIGHT_LEAST_PX, NARROW_PX = 336, 262, 1200
COPY, COPY_SHORT = "Copy as Python", "Python"


class NetworkCard(Card):
    """A card with the layers of the run, which is chosen at the right of the title, and the picker of the image."""

    layer_chosen = Signal(str)

    def __init__(self, session: Session, picker: ScanPicker) -> None:
        super().__init__("Layers", HINT)
        self.run, self.strip, self.words = RunChooser(session, "Run"), NetworkStrip(), label(role="quiet", wrap=True)
        self.add_action(self.run)
        self.add(picker)
        self.add(self.strip)
        self.add(self.words)
        self.strip.chosen.connect(self.layer_chosen)

    def show_run(self, name: str) -> None:
        """Show which run is chosen; an empty name says that there is none."""
        self.run.show_run(name)
        if not name:
            self.words.setText(NO_RUN)

    def show_network(self, network: Network, name: str) -> None:
        self.set_title(name)
        self.strip.set_boxes(network.boxes())

    def show_layer(self, network: Network, name: str, other: str = "") -> None:
        """Mark a layer and describe it."""
        self.strip.choose(name, other)
        self.words.setText(describe_layer(network, name))


def describe_layer(network: Network, name: str) -> str:
    """Return the sentences that describe a layer."""
    if name == INPUT:
        return f"Input image: {network.size} × {network.size} pixels, intensities 0–1."
    facts = network.by_name[name]
    description = " ".join(facts.words)
    return description or f"{facts.kind}, {format_number(facts.parameters)} parameters, output {facts.shape_text}."


class LayersView(QWidget):
    """A view with network and channels at the left, the chosen channel and the images at the right."""

    def __init__(self, session: Session, regions: RegionState) -> None:
        super().__init__()
        self.regions = regions
        self.channel, self.export = ChannelCard(ViewState(parent=self)), ExportRow()
        self.scans = LayerScansCard(ViewState(parent=self), self.regions)
        self.strip, self.mosaic = NetworkCard(session, self.scans.picker), MosaicCard()
        self.channel.add(self.export)
        # Each column scrolls by itself: the image and its channel stay in sight while the tools are read.
        column, left = QWidget(), PlainScrollArea()
        column.setProperty("kind", "plain")
        self.left = QVBoxLayout(column)
        self.left.setContentsMargins(0, 0, 0, 0)
        self.left.setSpacing(GAP)
        self.left.addWidget(self.strip)
        self.left.addWidget(self.mosaic, 1)
        left.setWidget(column)
        self._right = right = scroll_column(self.channel, self.scans)
        right.setFixedWidth(RIGHT_PX)
        right.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.setSpacing(GAP)
        row.addWidget(left, 1)
        row.addWidget(right)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_wide = self.width() >= NARROW_PX
        self._right.setFixedWidth(RIGHT_PX if is_wide else RIGHT_LEAST_PX)
        self.export.copy.setText(COPY if is_wide else COPY_SHORT)

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
        self.figure, self.numbers, self.copy = Button("Figure…"), Button("CSV…"), Button(COPY)
        self.copy.setAccessibleName(COPY)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        signals = (self.figure_wanted, self.numbers_wanted, self.copy_wanted)
        tips = (
            "Save the channels as a figure for paper: PDF, SVG or PNG",
            "Save statistics of every channel of the layer, as CSV",
            "Copy a Python script that computes the same",
        )
        for button, signal, tip in zip((self.figure, self.numbers, self.copy), signals, tips, strict=True):
            button.clicked.connect(signal)
            button.setToolTip(tip)
            button.setProperty("kind", "chip")
            line.addWidget(button)
        line.addStretch()
