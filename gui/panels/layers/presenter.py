"""What is chosen and what has been found, brought to the cards."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from gui.panels.layers.activation_loader import ActivationLoader, LayerActivation
from gui.panels.layers.channel_order import Numbers, marks_of, numbers_of, sort_channels, value_limits
from gui.panels.layers.network import INPUT, LayerSummary, Network
from gui.panels.layers.state import LayersState
from gui.panels.layers.view import LayersView
from gui.pixmaps import Array, Colormap
from gui.widgets.channel_mosaic import MosaicData
from gui.widgets.linked_images import LinkedImage
from gui.widgets.thumbnail_pairs import ThumbnailPair

Counted = Callable[[str, str], tuple[Numbers, str]]


@dataclass(frozen=True, eq=False)
class Counterpart:
    """What the chosen channel is beside: its name, its values, (h, w), the ends of their colours."""

    title: str
    values: Array
    limits: tuple[float, float]


class LayersPresenter(QObject):
    """Shows; asks nothing.

    `counted` gives the numbers over the data set of a run's layer and over what they are, `counting` what is being done
    about those that are not there yet. shown says that other pictures are seen: of what was wanted, or beside it.
    """

    shown = Signal(bool)

    def __init__(self, choice: LayersState, inquiry: ActivationLoader, cards: LayersView, parent: QObject) -> None:
        super().__init__(parent)
        self.choice, self.inquiry, self.cards = choice, inquiry, cards
        self.counted: Counted = lambda run, layer: ({}, "")
        self.counting: Callable[[str], str] = lambda run: ""
        self.seen: LayerActivation | None = None
        self.other: Counterpart | None = None
        self._flipped = False
        self._limits: dict[int | None, tuple[float, float]] = {}
        self._numbers: Numbers = {}

    @property
    def network(self) -> Network | None:
        return self.inquiry.networks.get(self.choice.run)

    @property
    def facts(self) -> LayerSummary | None:
        return self.network.by_name.get(self.choice.layer) if self.network else None

    def show_message(self, text: str) -> None:
        """Show a sentence where pictures would be."""
        self.seen = None
        self.cards.mosaic.show_message(text)
        self.cards.channel.show_nothing("")
        self.cards.show_unit(None, None)

    def show_layer(self) -> None:
        """Mark the layer in the strip at once, before its pictures are there."""
        network = self.network
        if network is not None:
            self.cards.strip.show_layer(network, self.choice.layer)

    def show_seen(self, seen: LayerActivation) -> None:
        """Show the channels of what was wanted; of another scan only the answer beside its thumbnail."""
        if seen.look != self.choice.activation_key():
            self.show_pairs()
            self.shown.emit(False)
            return
        self.seen, self._limits = seen, {}
        self._numbers = numbers_of(seen.values)
        self.choice.channel = min(self.choice.channel, seen.values.shape[-1] - 1)
        scan = self.choice.scan
        self.cards.scans.show_original(seen.original, scan.orientation if scan and scan.opened else None)
        self.show_channels()
        self.shown.emit(True)

    def numbers(self) -> tuple[Numbers, str]:
        """Numbers of the channels over the data set where they were counted, else of this scan; and which of them."""
        counted, over = self.counted(self.choice.run, self.choice.layer)
        return (counted, over) if counted else (self._numbers, "on this image")

    def limits(self, channel: int | None) -> tuple[float, float]:
        """The ends of the colours, of all channels or of one."""
        choice, seen = self.choice, self.seen
        key = None if choice.lighting.shared else channel
        if seen is None:
            return 0.0, 1.0
        if key not in self._limits:
            self._limits[key] = value_limits(seen.values, choice.lighting, key)
        return self._limits[key]

    def show_channels(self) -> None:
        """Order, colour and mark all channels anew."""
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
        marks = marks_of(choice.pins(), dead)
        channels = MosaicData(seen.values, order, self.limits, choice.lighting.scale, marks)
        shared = self.limits(None) if choice.lighting.shared else None
        shape = "×".join(map(str, self.facts.shape if self.facts else seen.values.shape))
        subtitle = f"{shape} · {len(dead)} dead" if "dead" in numbers else f"{shape} · sorted {over}"
        self.cards.mosaic.show_channels("input" if choice.layer == INPUT else choice.layer, subtitle, channels, shared)
        self.cards.mosaic.sort.setToolTip(f"Statistics {over}")
        self.show_channel()

    def show_channel(self) -> None:
        """Show the chosen channel: marked in the mosaic, large, and beside each scan."""
        seen, choice = self.seen, self.choice
        if seen is None:
            return
        channel, limits = choice.channel, self.limits(choice.channel)
        self._flipped = False
        self.cards.mosaic.mosaic.choose(channel)
        self.cards.channel.show_channel(channel, seen.values[..., channel], limits, choice.lighting)
        self.show_facts()
        self.cards.show_unit(choice.unit, self.facts)
        self.show_pairs()
        self.show_large()

    def show_facts(self) -> None:
        """Write the numbers of the channel, and whether better ones are on their way."""
        numbers, over = self.numbers()
        state = self.counting(self.choice.run)
        self.cards.channel.show_facts(self.facts, numbers, self.choice.channel, state or f"Statistics {over}.")

    def set_other(self, other: Counterpart | None) -> None:
        """Have something to flip to."""
        self.other = other
        if self._flipped:
            self.flip()

    def flip(self) -> None:
        """Turn the large picture to what the channel is beside, or back."""
        seen, choice, other = self.seen, self.choice, self.other
        self._flipped = not self._flipped and other is not None
        if seen is None:
            return
        values = seen.values[..., choice.channel]
        if other is None:
            self.cards.channel.show_channel(choice.channel, values, self.limits(choice.channel), choice.lighting)
            return
        shown = other.values if self._flipped else values
        self.cards.channel.show_channel(choice.channel, shown, other.limits, choice.lighting)
        if self._flipped:
            self.cards.channel.set_title(other.title)

    def show_pairs(self) -> None:
        """All scans, each beside what the channel makes of it, in the colours of the chosen one."""
        choice, pairs = self.choice, []
        for scan in choice.scans:
            look = choice.activation_key(scan=scan)
            seen = self.inquiry.seen(look) if look else None
            answer = seen.values[..., choice.channel] if seen and choice.channel < seen.values.shape[-1] else None
            image = seen.original if seen else None
            pairs.append(ThumbnailPair(scan.title, image, answer, self.limits(choice.channel), choice.lighting.scale))
        self.cards.scans.show_pairs(pairs, choice.at)

    def show_large(self) -> None:
        """The scan, the channel, and beside it the channel before or after the non-linearity."""
        if self.cards.mosaic.is_large():
            self.cards.mosaic.show_large(large_pictures(self.choice, self.inquiry))


def large_pictures(choice: LayersState, inquiry: ActivationLoader) -> list[LinkedImage]:
    """What stands on the large page: the scan, the channel, and it before or after the non-linearity.

    Values right before and after it have one scale; a convolution before a normalisation has one of its own.
    """
    look, network = choice.activation_key(), inquiry.networks.get(choice.run)
    seen = inquiry.seen(look) if look else None
    if seen is None or network is None:
        return []
    facts, key = network.by_name.get(choice.layer), None if choice.lighting.shared else choice.channel
    looks = {name: choice.activation_key(layer=name) for name in nonlinearity_pair(facts, choice.layer)}
    found = {name: inquiry.seen(look) for name, look in looks.items() if look}
    there = {name: each.values for name, each in found.items() if each and choice.channel < each.values.shape[-1]}
    limits = {name: value_limits(values, choice.lighting, key) for name, values in there.items()}
    if facts is not None and choice.layer in (facts.before, facts.after):
        ends = min(low for low, _ in limits.values()), max(high for _, high in limits.values())
        limits = dict.fromkeys(limits, ends)
    made = [LinkedImage("image", seen.original, (0.0, 1.0), Colormap.GRAY)]
    for name, values in there.items():
        title = f"{name} · channel {choice.channel}"
        made.append(LinkedImage(title, values[..., choice.channel], limits[name], choice.lighting.scale))
    return made


def nonlinearity_pair(facts: LayerSummary | None, layer: str) -> list[str]:
    """The layer, and its other side of the non-linearity: what is before stands first."""
    if facts is None or facts.before is None or facts.after is None:
        return [layer]
    return [facts.before, facts.after] if layer in (facts.before, facts.after) else [layer, facts.after]
