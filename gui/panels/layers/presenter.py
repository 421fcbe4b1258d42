"""The presenter of the panel: brings the state and the loaded activations to the cards."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from gui.opened_files import describe
from gui.panels.layers.loaders import ActivationLoader, LayerActivation
from gui.panels.layers.network import INPUT, LayerSummary, Network
from gui.panels.layers.state import LayersState, Numbers, compute_numbers, sort_channels, to_marks, value_limits
from gui.panels.layers.view import LayersView
from gui.pixmaps import Array, Colormap
from gui.run_record import RunRecord
from gui.widgets.channel_mosaic import MosaicData
from gui.widgets.linked_images import LinkedImage
from gui.widgets.thumbnail_pairs import ThumbnailPair

Counted = Callable[[str, str], tuple[Numbers, str]]


@dataclass(frozen=True, eq=False)
class Counterpart:
    """The counterpart of the chosen channel: its title, its values, (h, w), and their color limits."""

    title: str
    values: Array
    limits: tuple[float, float]


class LayersPresenter(QObject):
    """A presenter that shows, and requests nothing.

    `counted` returns the statistics of a run's layer over the dataset, and a text that says what they cover. `counting`
    returns a text about statistics that are still pending, `find_record` the record of a run. shown says that other
    activations are visible; its argument says whether they are those of the chosen image.
    """

    shown = Signal(bool)

    def __init__(self, choice: LayersState, loader: ActivationLoader, cards: LayersView, parent: QObject) -> None:
        super().__init__(parent)
        self.choice, self.loader, self.cards = choice, loader, cards
        self.counted: Counted = lambda run, layer: ({}, "")
        self.counting: Callable[[str], str] = lambda run: ""
        self.find_record: Callable[[str], RunRecord | None] = lambda run: None
        self.seen: LayerActivation | None = None
        self.other: Counterpart | None = None
        self._flipped = False
        self._limits: dict[int | None, tuple[float, float]] = {}
        self._numbers: Numbers = {}

    @property
    def network(self) -> Network | None:
        return self.loader.networks.get(self.choice.run)

    @property
    def facts(self) -> LayerSummary | None:
        return self.network.by_name.get(self.choice.layer) if self.network else None

    def show_scans(self) -> None:
        """Show which images are chosen, and what is known of one from a file."""
        choice = self.choice
        opened = choice.scan.opened if choice.scan else None
        facts = describe(opened, self.find_record(choice.run)) if opened else ""
        self.cards.scans.show_scans(choice.scans, choice.at, facts)

    def show_message(self, text: str) -> None:
        """Show a text in place of the images."""
        self.seen = None
        self.cards.mosaic.show_message(text)
        self.cards.channel.show_nothing("")
        self.cards.show_unit(None, None)

    def show_layer(self) -> None:
        """Mark the layer in the strip at once, before its activations arrive."""
        network = self.network
        if network is not None:
            self.cards.strip.show_layer(network, self.choice.layer)

    def show_seen(self, seen: LayerActivation) -> None:
        """Show the channels of the chosen image; of another image only the channel next to its thumbnail."""
        if seen.look != self.choice.activation_key():
            self.show_pairs()
            self.shown.emit(False)
            return
        self.seen, self._limits = seen, {}
        self._numbers = compute_numbers(seen.values)
        self.choice.channel = min(self.choice.channel, seen.values.shape[-1] - 1)
        scan = self.choice.scan
        self.cards.scans.show_original(seen.original, scan.orientation if scan and scan.opened else None)
        self.show_channels()
        self.shown.emit(True)

    def numbers(self) -> tuple[Numbers, str]:
        """Return the channel statistics over the dataset, or of this image until those arrive, and which they are."""
        counted, over = self.counted(self.choice.run, self.choice.layer)
        return (counted, over) if counted else (self._numbers, "on this image")

    def limits(self, channel: int | None) -> tuple[float, float]:
        """Return the color limits of one channel, or of all (None)."""
        choice, seen = self.choice, self.seen
        key = None if choice.color_scale.shared else channel
        if seen is None:
            return 0.0, 1.0
        if key not in self._limits:
            self._limits[key] = value_limits(seen.values, choice.color_scale, key)
        return self._limits[key]

    def show_channels(self) -> None:
        """Sort, color and mark all channels."""
        seen, choice = self.seen, self.choice
        if seen is None:
            return
        self._limits = {}
        numbers, over = self.numbers()
        count = seen.values.shape[-1]
        dead = [int(at) for at in np.flatnonzero(numbers["dead"])] if "dead" in numbers else []
        order = sort_channels(choice.sort, numbers, choice.pins(), count)
        if choice.channel < 0:
            choice.channel = order[0]
        marks = to_marks(choice.pins(), dead)
        channels = MosaicData(seen.values, order, self.limits, choice.color_scale.scale, marks)
        shared = self.limits(None) if choice.color_scale.shared else None
        shape = "×".join(map(str, self.facts.shape if self.facts else seen.values.shape))
        subtitle = f"{shape} · {len(dead)} dead" if "dead" in numbers else f"{shape} · sorted {over}"
        self.cards.mosaic.show_channels("input" if choice.layer == INPUT else choice.layer, subtitle, channels, shared)
        self.cards.mosaic.sort.setToolTip(f"Statistics {over}")
        self.show_channel()

    def show_channel(self) -> None:
        """Show the chosen channel: marked in the mosaic, large, and next to each image."""
        seen, choice = self.seen, self.choice
        if seen is None:
            return
        channel, limits = choice.channel, self.limits(choice.channel)
        self._flipped = False
        self.cards.mosaic.mosaic.choose(channel)
        self.cards.channel.show_channel(channel, seen.values[..., channel], limits, choice.color_scale)
        self.show_facts()
        self.cards.show_unit(choice.unit, self.facts)
        self.show_pairs()
        self.show_large()

    def show_facts(self) -> None:
        """Show the statistics of the channel, and whether better ones are pending."""
        numbers, over = self.numbers()
        state = self.counting(self.choice.run)
        self.cards.channel.show_facts(self.facts, numbers, self.choice.channel, state or f"Statistics {over}.")

    def set_other(self, other: Counterpart | None) -> None:
        """Set what `flip` shows."""
        self.other = other
        if self._flipped:
            self.flip()

    def flip(self) -> None:
        """Flip the large image to what the channel is compared with, or back."""
        seen, choice, other = self.seen, self.choice, self.other
        self._flipped = not self._flipped and other is not None
        if seen is None:
            return
        values = seen.values[..., choice.channel]
        if other is None:
            self.cards.channel.show_channel(choice.channel, values, self.limits(choice.channel), choice.color_scale)
            return
        shown = other.values if self._flipped else values
        self.cards.channel.show_channel(choice.channel, shown, other.limits, choice.color_scale)
        if self._flipped:
            self.cards.channel.set_title(other.title)

    def show_pairs(self) -> None:
        """Show all images, each next to its channel, with the color limits of the chosen image."""
        choice, pairs = self.choice, []
        for scan in choice.scans:
            look = choice.activation_key(scan=scan)
            seen = self.loader.seen(look) if look else None
            answer = seen.values[..., choice.channel] if seen and choice.channel < seen.values.shape[-1] else None
            image = seen.original if seen else None
            pairs.append(
                ThumbnailPair(scan.title, image, answer, self.limits(choice.channel), choice.color_scale.scale)
            )
        self.cards.scans.show_pairs(pairs, choice.at)

    def show_large(self) -> None:
        """Show the image, and the channel before and after the activation function, if enlarged."""
        if self.cards.mosaic.is_large():
            self.cards.mosaic.show_large(large_pictures(self.choice, self.loader))


def large_pictures(choice: LayersState, loader: ActivationLoader) -> list[LinkedImage]:
    """Return the enlarged images: the image, and the channel before and after the activation function.

    Values right before and after it share one scale; a convolution before a normalization has its own.
    """
    look, network = choice.activation_key(), loader.networks.get(choice.run)
    seen = loader.seen(look) if look else None
    if seen is None or network is None:
        return []
    facts, key = network.by_name.get(choice.layer), None if choice.color_scale.shared else choice.channel
    looks = {name: choice.activation_key(layer=name) for name in nonlinearity_pair(facts, choice.layer)}
    found = {name: loader.seen(look) for name, look in looks.items() if look}
    there = {name: each.values for name, each in found.items() if each and choice.channel < each.values.shape[-1]}
    limits = {name: value_limits(values, choice.color_scale, key) for name, values in there.items()}
    if facts is not None and choice.layer in (facts.before, facts.after):
        ends = min(low for low, _ in limits.values()), max(high for _, high in limits.values())
        limits = dict.fromkeys(limits, ends)
    made = [LinkedImage("image", seen.original, (0.0, 1.0), Colormap.GRAY)]
    for name, values in there.items():
        title = f"{name} · channel {choice.channel}"
        made.append(LinkedImage(title, values[..., choice.channel], limits[name], choice.color_scale.scale))
    return made


def nonlinearity_pair(facts: LayerSummary | None, layer: str) -> list[str]:
    """Return the layer and its counterpart across the activation function, in network order."""
    if facts is None or facts.before is None or facts.after is None:
        return [layer]
    return [facts.before, facts.after] if layer in (facts.before, facts.after) else [layer, facts.after]
