"""User actions: choose what is shown, request what is missing, read values under the cursor."""

from PySide6.QtCore import QObject, Signal

from gui.formatting import format_fixed, format_number
from gui.panels.layers.network import INPUT
from gui.panels.layers.presenter import LayersPresenter
from gui.panels.layers.state import MAX_SCANS, ColorScale
from gui.selection import ImageRef


class LayersController(QObject):
    """The controller of every change of the state; changed says that there is something to save."""

    changed = Signal()
    layer_changed = Signal()
    channel_changed = Signal()
    unit_changed = Signal()
    scan_changed = Signal()

    def __init__(self, presenter: LayersPresenter, parent: QObject) -> None:
        super().__init__(parent)
        self._presenter, self._choice, self._loader = presenter, presenter.choice, presenter.loader

    def choose_run(self, run: str) -> None:
        """Switch to another run."""
        self._choice.run, self._choice.unit = run, None
        self._loader.open(run)
        self.show_network()

    def show_network(self) -> None:
        """Show the network of the run, if it is known."""
        network, choice = self._presenter.network, self._choice
        if network is None:
            return
        choice.adopt_network(network)
        self._presenter.cards.strip.show_network(network, choice.run.replace("\\", "/").rsplit("/", 1)[-1])
        self.request_activations()
        self.layer_changed.emit()

    def choose_layer(self, name: str) -> None:
        """Switch to another layer."""
        if self._presenter.network is not None and name != self._choice.layer:
            self._choice.layer, self._choice.unit = name, None
            self.request_activations()
            self.layer_changed.emit()

    def step_layer(self, by: int, every: bool = False) -> None:
        """Go to the next box, or to the next layer of all."""
        network = self._presenter.network
        if network is not None:
            step = network.find_neighbor if every else network.step
            self.choose_layer(step(self._choice.layer, by))

    def toggle_counterpart(self) -> None:
        """Flip to what the channel is compared with; else from before the activation function to after it; or back."""
        if self._presenter.other is not None:
            self._presenter.flip()
            return
        facts = self._presenter.facts
        if facts is not None and facts.before and facts.after:
            self.choose_layer(facts.before if facts.name == facts.after else facts.after)

    def choose_channel(self, channel: int) -> None:
        """Switch to another channel, without a request."""
        self._choice.channel = channel
        self._presenter.show_channel()
        self.channel_changed.emit()
        self.changed.emit()

    def choose_unit(self, unit: tuple[int, int] | None) -> None:
        """Select one unit, (row, column), or the whole channel (None); a layer of numbers has no units."""
        facts = self._presenter.facts
        if self._presenter.seen is None or facts is None or not facts.has_units:
            return
        self._choice.unit = unit
        self._presenter.cards.show_unit(unit, facts)
        self.unit_changed.emit()

    def toggle_pin(self) -> None:
        """Pin the channel, so that it comes first in its layer, or unpin it."""
        if self._presenter.seen is not None and self._choice.layer != INPUT:
            self._choice.pin(self._choice.channel)
            self._presenter.show_channels()
            self.changed.emit()

    def sort(self, by: str) -> None:
        self._choice.sort = by
        self._presenter.show_channels()
        self.changed.emit()

    def set_color_scale(self, color_scale: ColorScale) -> None:
        self._choice.color_scale = color_scale
        self._presenter.show_channels()
        self.changed.emit()

    def request_activations(self) -> None:
        """Show what is chosen: cached activations at once, others when they arrive."""
        choice, network = self._choice, self._presenter.network
        self._presenter.show_scans()
        look = choice.activation_key()
        if network is None or look is None:
            return
        self._presenter.show_layer()
        self._loader.request(look, choice.prefetch_keys(network))
        self.changed.emit()

    def select_scan(self, at: int) -> None:
        """Switch to another of the images."""
        self._choice.at = at
        self.request_activations()
        self.scan_changed.emit()

    def set_scans(self, scans: list[ImageRef], at: int) -> None:
        """Replace the images, and switch to one of them."""
        self._choice.scans = scans[:MAX_SCANS]
        self.select_scan(min(max(at, 0), max(len(self._choice.scans) - 1, 0)))

    def change_scan(self, scan: ImageRef) -> None:
        """Replace the chosen image."""
        scans = list(self._choice.scans)
        scans[self._choice.at : self._choice.at + 1] = [scan]
        self.set_scans(scans, self._choice.at)

    def add_scan(self, scan: ImageRef | None) -> None:
        """Add an image; if there are too many, replace the last one."""
        scans = self._choice.scans
        if scan is not None:
            kept = scans[: MAX_SCANS - 1]
            self.set_scans([*kept, scan], len(kept))

    def add_next(self) -> None:
        """Add the next image of the dataset that is not among them."""
        self.add_scan(self._presenter.cards.scans.picker.after({scan.key for scan in self._choice.scans}))

    def remove_scan(self) -> None:
        """Remove the chosen image, unless it is the only one."""
        scans, at = list(self._choice.scans), self._choice.at
        if len(scans) > 1:
            del scans[at]
            self.set_scans(scans, min(at, len(scans) - 1))


class HoverReadout(QObject):
    """A readout of the value under the cursor in any image of the panel, with its receptive field."""

    pointed = Signal(str)

    def __init__(self, presenter: LayersPresenter, parent: QObject) -> None:
        super().__init__(parent)
        self._presenter, cards = presenter, presenter.cards
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
        self._on_unit_hovered(self._presenter.choice.channel, x, y)

    def _on_scan_hovered(self, x: int, y: int) -> None:
        self.pointed.emit(self.pixel(x, y))

    def _on_large_hovered(self, place: int, x: int, y: int) -> None:
        """Read the image, which is first on the enlarged page, or the channel."""
        if place:
            self._on_channel_hovered(x, y)
        else:
            self._on_scan_hovered(x, y)

    def _on_hover_ended(self) -> None:
        self._presenter.cards.show_unit(self._presenter.choice.unit, self._presenter.facts)
        self.pointed.emit("")

    def unit(self, channel: int, x: int, y: int) -> str:
        """Draw the receptive field of a unit; return the text of the status bar."""
        seen, facts = self._presenter.seen, self._presenter.facts
        if seen is None or not (0 <= y < seen.values.shape[0] and 0 <= x < seen.values.shape[1]):
            return ""
        box = facts.box(y, x) if facts else (x, y, 1, 1)
        value = format_number(float(seen.values[y, x, channel]), 4)
        cards = self._presenter.cards
        cards.scans.show_field(box, facts.sees_text(y, x) if facts else f"One pixel at x {x}, y {y}.")
        cards.mosaic.field.set_box(box)
        return f"channel {channel} · x {x} · y {y} · value {value}"

    def pixel(self, x: int, y: int) -> str:
        """Return the text of the status bar for a pixel of the image."""
        if self._presenter.seen is None:
            return ""
        return f"x {x} · y {y} · intensity {format_fixed(float(self._presenter.seen.original[y, x]), 3)}"
