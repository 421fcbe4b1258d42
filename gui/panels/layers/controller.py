"""User actions: choose what is shown, request what is missing, read values under the cursor."""

from PySide6.QtCore import QObject, Signal

from gui.panels.layers.channel_order import ColorScale
from gui.panels.layers.network import INPUT
from gui.panels.layers.presenter import LayersPresenter
from gui.panels.layers.state import MOST_SCANS, ScanRef
from gui.widgets.labels import fixed, format_number


class LayersController(QObject):
    """Every change of the choice goes through here; changed says that there is something to remember."""

    changed = Signal()
    layer_changed = Signal()
    channel_changed = Signal()
    unit_changed = Signal()
    scan_changed = Signal()

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

    def select_scan(self, at: int) -> None:
        """Look at another of the scans."""
        self._choice.at = at
        self.request_activations()
        self.scan_changed.emit()

    def set_scans(self, scans: list[ScanRef], at: int) -> None:
        """Have these scans, and stand at one of them."""
        self._choice.scans = scans[:MOST_SCANS]
        self.select_scan(min(max(at, 0), max(len(self._choice.scans) - 1, 0)))

    def change_scan(self, scan: ScanRef) -> None:
        """Put another scan in the place of the chosen one."""
        scans = list(self._choice.scans)
        scans[self._choice.at : self._choice.at + 1] = [scan]
        self.set_scans(scans, self._choice.at)

    def add_scan(self, scan: ScanRef | None) -> None:
        """Have one more; where there is no room, the last one gives way."""
        scans = self._choice.scans
        if scan is not None:
            kept = scans[: MOST_SCANS - 1]
            self.set_scans([*kept, scan], len(kept))

    def add_next(self) -> None:
        """Have the next scan of the data set that is not among them."""
        self.add_scan(self._showing.cards.scans.picker.after({scan.key for scan in self._choice.scans}))

    def remove_scan(self) -> None:
        """Take the chosen scan away, unless it is the only one."""
        scans, at = list(self._choice.scans), self._choice.at
        if len(scans) > 1:
            del scans[at]
            self.set_scans(scans, min(at, len(scans) - 1))


class HoverReadout(QObject):
    """Listens to all pictures of the panel."""

    pointed = Signal(str)

    def __init__(self, showing: LayersPresenter, parent: QObject) -> None:
        super().__init__(parent)
        self._showing, cards = showing, showing.cards
        mosaic, channel, scan = cards.mosaic, cards.channel, cards.scans.view
        mosaic.mosaic.hovered.connect(self._on_unit_hovered)
        channel.hovered.connect(self._on_channel_hovered)
        mosaic.large.hovered.connect(self._on_large_hovered)
        scan.hovered.connect(self._on_scan_hovered)
        for view in (mosaic.mosaic, channel, mosaic.large, scan):
            view.hover_ended.connect(self._on_hover_ended)

    def _on_unit_hovered(self, channel: int, x: int, y: int) -> None:
        self.pointed.emit(self.unit(channel, x, y))

    def _on_channel_hovered(self, x: int, y: int) -> None:
        self._on_unit_hovered(self._showing.choice.channel, x, y)

    def _on_scan_hovered(self, x: int, y: int) -> None:
        self.pointed.emit(self.pixel(x, y))

    def _on_large_hovered(self, place: int, x: int, y: int) -> None:
        """The scan stands first on the large page."""
        if place:
            self._on_channel_hovered(x, y)
        else:
            self._on_scan_hovered(x, y)

    def _on_hover_ended(self) -> None:
        self._showing.cards.show_unit(self._showing.choice.unit, self._showing.facts)
        self.pointed.emit("")

    def unit(self, channel: int, x: int, y: int) -> str:
        """Draw what a unit sees; return what the status bar says of it."""
        seen, facts = self._showing.seen, self._showing.facts
        if seen is None or not (0 <= y < seen.values.shape[0] and 0 <= x < seen.values.shape[1]):
            return ""
        box = facts.box(y, x) if facts else (x, y, 1, 1)
        value = format_number(float(seen.values[y, x, channel]), 4)
        cards = self._showing.cards
        cards.scans.show_field(box, facts.sees_text(y, x) if facts else f"One pixel at x {x}, y {y}.")
        cards.mosaic.field.set_box(box)
        return f"channel {channel} · x {x} · y {y} · value {value}"

    def pixel(self, x: int, y: int) -> str:
        """What the status bar says of a pixel of the scan."""
        if self._showing.seen is None:
            return ""
        return f"x {x} · y {y} · intensity {fixed(float(self._showing.seen.original[y, x]), 3)}"
