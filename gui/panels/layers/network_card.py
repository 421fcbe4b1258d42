"""The network: the run, its layers as a strip, and a description of the chosen layer."""

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox

from gui.formatting import format_number
from gui.panels.layers.network import INPUT, Network
from gui.widgets.card import Card
from gui.widgets.labels import label
from gui.widgets.network_strip import NetworkStrip

HINT = "click a layer · keys , and . for previous/next · arcs are skip connections"
NO_RUN = "No trained model yet. Train one first."


class NetworkCard(Card):
    """A card with the layers of the run, which is chosen at the right of the title."""

    run_chosen = Signal(str)
    layer_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__("Layers", HINT)
        self.run, self.strip, self.words = QComboBox(), NetworkStrip(), label(role="quiet", wrap=True)
        self.run.setAccessibleName("run")
        self.run.setMinimumContentsLength(14)
        self.run.setPlaceholderText("No run")
        self.add_action(self.run)
        self.add(self.strip)
        self.add(self.words)
        self.run.activated.connect(lambda _: self.run_chosen.emit(self.run.currentData()))
        self.strip.chosen.connect(self.layer_chosen)

    def set_runs(self, runs: Mapping[str, str], chosen: str) -> None:
        """Offer runs, folder to name."""
        offered = {self.run.itemData(at): self.run.itemText(at) for at in range(self.run.count())}
        with QSignalBlocker(self.run):
            if offered != dict(runs):
                self.run.clear()
                for path, name in runs.items():
                    self.run.addItem(name, path)
            self.run.setCurrentIndex(self.run.findData(chosen))
        if not runs:
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
