"""What the user does: changes what is chosen, shows what is there, asks for what is not."""

from PySide6.QtCore import QObject, Signal

from gui.panels.layers.channel_order import ColorScale
from gui.panels.layers.network import INPUT
from gui.panels.layers.presenter import LayersPresenter


class LayersController(QObject):
    """Every change of the choice goes through here; changed says that there is something to remember."""

    changed = Signal()
    layer_changed = Signal()
    channel_changed = Signal()
    unit_changed = Signal()

    def __init__(self, showing: LayersPresenter, parent: QObject) -> None:
        super().__init__(parent)
        self._showing, self._choice, self._inquiry = showing, showing.choice, showing.inquiry

    def choose_run(self, run: str) -> None:
        """Look into another run."""
        self._choice.run, self._choice.unit = run, None
        self._inquiry.open(run)
        self.show_network()

    def show_network(self) -> None:
        """Show the network of the run, if it is known by now."""
        network, choice = self._showing.network, self._choice
        if network is None:
            return
        choice.adopt_network(network)
        self._showing.cards.strip.show_network(network, choice.run.replace("\\", "/").rsplit("/", 1)[-1])
        self.request_activations()
        self.layer_changed.emit()

    def choose_layer(self, name: str) -> None:
        """Turn to another layer."""
        if self._showing.network is not None and name != self._choice.layer:
            self._choice.layer, self._choice.unit = name, None
            self.request_activations()
            self.layer_changed.emit()

    def step_layer(self, by: int, every: bool = False) -> None:
        """Go to the next box, or to the next layer of all."""
        network = self._showing.network
        if network is not None:
            step = network.find_neighbor if every else network.step
            self.choose_layer(step(self._choice.layer, by))

    def toggle_counterpart(self) -> None:
        """Turn to what the channel is beside, or back; else from before the non-linearity to after it, or back."""
        if self._showing.other is not None:
            self._showing.flip()
            return
        facts = self._showing.facts
        if facts is not None and facts.before and facts.after:
            self.choose_layer(facts.before if facts.name == facts.after else facts.after)

    def choose_channel(self, channel: int) -> None:
        """Turn to another channel: nobody is asked."""
        self._choice.channel = channel
        self._showing.show_channel()
        self.channel_changed.emit()
        self.changed.emit()

    def choose_unit(self, unit: tuple[int, int] | None) -> None:
        """Ask one unit, (row, column), of the channel, or the whole of it again; a layer of numbers has no units."""
        facts = self._showing.facts
        if self._showing.seen is None or facts is None or not facts.has_units:
            return
        self._choice.unit = unit
        self._showing.cards.show_unit(unit, facts)
        self.unit_changed.emit()

    def toggle_pin(self) -> None:
        """Put the channel first in its layer, or let it go."""
        if self._showing.seen is not None and self._choice.layer != INPUT:
            self._choice.pin(self._choice.channel)
            self._showing.show_channels()
            self.changed.emit()

    def sort(self, by: str) -> None:
        self._choice.sort = by
        self._showing.show_channels()
        self.changed.emit()

    def set_color_scale(self, lighting: ColorScale) -> None:
        self._choice.lighting = lighting
        self._showing.show_channels()
        self.changed.emit()

    def request_activations(self) -> None:
        """Show what is chosen: at once what is known, the rest when it comes."""
        choice, network = self._choice, self._showing.network
        self._showing.cards.scans.show_scans(choice.scans, choice.at)
        look = choice.activation_key()
        if network is None or look is None:
            return
        self._showing.show_layer()
        self._inquiry.request(look, choice.prefetch_keys(network))
        self.changed.emit()
