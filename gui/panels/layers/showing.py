"""What is chosen and what has been found, brought to the cards."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject

from gui.panels.layers.cards import Cards
from gui.panels.layers.choice import Choice
from gui.panels.layers.inquiry import Inquiry, Seen
from gui.panels.layers.network import INPUT, LayerFacts, Network
from gui.panels.layers.order import Numbers, limits_of, marks_of, numbers_of, ordered
from gui.pixmaps import Array, Scale
from gui.widgets.channel_mosaic import Channels
from gui.widgets.large_board import LargePicture
from gui.widgets.thumbnail_pairs import Pair

Counted = Callable[[str, str], tuple[Numbers, str]]


class Showing(QObject):
    """Shows; asks nothing. `counted` gives the numbers over the data set of a run's layer, and over what they are."""

    def __init__(self, choice: Choice, inquiry: Inquiry, cards: Cards, parent: QObject) -> None:
        super().__init__(parent)
        self.choice, self.inquiry, self.cards = choice, inquiry, cards
        self.counted: Counted = lambda run, layer: ({}, "")
        self.seen: Seen | None = None
        self._limits: dict[int | None, tuple[float, float]] = {}
        self._numbers: Numbers = {}

    @property
    def network(self) -> Network | None:
        return self.inquiry.networks.get(self.choice.run)

    @property
    def facts(self) -> LayerFacts | None:
        return self.network.by_name.get(self.choice.layer) if self.network else None

    def say(self, text: str) -> None:
        """Show a sentence where pictures would be."""
        self.seen = None
        self.cards.mosaic.say(text)
        self.cards.channel.show_nothing("")
        self.cards.scans.show_field(None)

    def show_layer(self) -> None:
        """Mark the layer in the strip at once, before its pictures are there."""
        network = self.network
        if network is not None:
            self.cards.strip.show_layer(network, self.choice.layer)

    def show_seen(self, seen: Seen) -> None:
        """Show the channels of what was wanted; of another scan only the answer beside its thumbnail."""
        if seen.look != self.choice.look():
            self.show_pairs()
            return
        self.seen, self._limits = seen, {}
        self._numbers = numbers_of(seen.values)
        self.choice.channel = min(self.choice.channel, seen.values.shape[-1] - 1)
        scan = self.choice.scan
        self.cards.scans.show_original(seen.original, scan.orientation if scan and scan.opened else None)
        self.show_channels()

    def numbers(self) -> tuple[Numbers, str]:
        """Numbers of the channels over the data set where they were counted, else of this scan; and which of them."""
        counted, over = self.counted(self.choice.run, self.choice.layer)
        return (counted, over) if counted else (self._numbers, "on this scan")

    def limits(self, channel: int | None) -> tuple[float, float]:
        """The ends of the colours, of all channels or of one."""
        choice, seen = self.choice, self.seen
        key = None if choice.lighting.shared else channel
        if seen is None:
            return 0.0, 1.0
        if key not in self._limits:
            self._limits[key] = limits_of(seen.values, choice.lighting, key)
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
        order = ordered(choice.sort, numbers, choice.pins(), count)
        marks = marks_of(choice.pins(), dead)
        channels = Channels(seen.values, order, self.limits, choice.lighting.scale, marks)
        shared = self.limits(None) if choice.lighting.shared else None
        dead_text = f"{len(dead)} dead" if "dead" in numbers else ""
        shape = "×".join(map(str, self.facts.shape if self.facts else seen.values.shape))
        by = f"sorted {over}" if choice.sort != "number" else ""
        subtitle = " · ".join(filter(None, (shape, by, dead_text)))
        self.cards.mosaic.show_channels("input" if choice.layer == INPUT else choice.layer, subtitle, channels, shared)
        self.show_channel()

    def show_channel(self) -> None:
        """Show the chosen channel: marked in the mosaic, large, and beside each scan."""
        seen, choice = self.seen, self.choice
        if seen is None:
            return
        channel, limits = choice.channel, self.limits(choice.channel)
        self.cards.mosaic.mosaic.choose(channel)
        self.cards.channel.show_channel(channel, seen.values[..., channel], limits, choice.lighting)
        numbers, over = self.numbers()
        self.cards.channel.show_facts(self.facts, numbers, channel, f"Counted {over}." if over else "")
        self.cards.scans.show_field(None)
        self.show_pairs()
        self.show_large()

    def show_pairs(self) -> None:
        """All scans, each beside what the channel makes of it, in the colours of the chosen one."""
        choice, pairs = self.choice, []
        for scan in choice.scans:
            look = choice.look(scan=scan)
            seen = self.inquiry.seen(look) if look else None
            answer = seen.values[..., choice.channel] if seen and choice.channel < seen.values.shape[-1] else None
            image = seen.original if seen else None
            pairs.append(Pair(scan.title, image, answer, self.limits(choice.channel), choice.lighting.scale))
        self.cards.scans.show_pairs(pairs, choice.at)

    def show_large(self) -> None:
        """The scan, the channel, and beside it the channel before or after the non-linearity."""
        if self.cards.mosaic.is_large():
            self.cards.mosaic.show_large(self.large())

    def large(self) -> list[LargePicture]:
        """What stands on the large page."""
        seen, choice = self.seen, self.choice
        if seen is None:
            return []
        limits, scale = self.limits(choice.channel), choice.lighting.scale
        made = [LargePicture("the scan", seen.original, (0.0, 1.0), Scale.GRAY)]
        for name in self.around():
            look = choice.look(layer=name)
            other = self.inquiry.seen(look) if look else None
            if other is not None and choice.channel < other.values.shape[-1]:
                values: Array = other.values[..., choice.channel]
                title = f"{name} · channel {choice.channel}"
                made.append(LargePicture(title, values, limits, scale))
        return made

    def around(self) -> list[str]:
        """The layer, and its other side of the non-linearity: what is before stands first."""
        facts, layer = self.facts, self.choice.layer
        if facts is None or facts.before is None or facts.after is None:
            return [layer]
        return [facts.before, facts.after] if layer in (facts.before, facts.after) else [layer, facts.after]
