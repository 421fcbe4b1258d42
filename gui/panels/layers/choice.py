"""What is looked at in the Layers panel: run, layer, channel, scans, order, colours; pure data."""

from dataclasses import dataclass, field
from typing import Any

from gui.panels.layers.network import INPUT, Network
from gui.panels.layers.order import SORTS, Lighting
from gui.panels.layers.scans import Look, Scan

MOST_SCANS = 8


@dataclass
class Choice:
    """All that the user has chosen.

    `run` is the folder of the run, `unit` a (row, column) in the channel, None for the whole of it, `pinned` the
    channels of each layer by its name.
    """

    run: str = ""
    layer: str = ""
    channel: int = -1  # the first in the order, before one is chosen
    unit: tuple[int, int] | None = None
    scans: list[Scan] = field(default_factory=list)
    at: int = 0
    sort: str = "energy"
    lighting: Lighting = field(default_factory=Lighting)
    pinned: dict[str, list[int]] = field(default_factory=dict)

    @property
    def scan(self) -> Scan | None:
        return self.scans[self.at] if self.at < len(self.scans) else None

    def look(self, layer: str = "", scan: Scan | None = None) -> Look | None:
        """What is looked at, or the same at another layer or in another scan."""
        scan = scan or self.scan
        return Look(self.run, layer or self.layer, scan) if self.run and scan and (layer or self.layer) else None

    def ahead(self, network: Network) -> list[Look]:
        """What may be wanted next: this layer in the other scans, then the layers beside it."""
        others = [self.look(scan=scan) for scan in self.scans]
        facts = network.by_name.get(self.layer)
        near = [network.step(self.layer, 1), network.step(self.layer, -1)]
        near += [name for name in (facts.after, facts.before) if name] if facts else []
        near += [network.step(network.step(self.layer, 1), 1), network.neighbour(self.layer, 1)]
        beside = [self.look(layer=name) for name in dict.fromkeys(near)]
        return [look for look in (*others, *beside) if look is not None]

    def pins(self) -> list[int]:
        """The pinned channels of the layer."""
        return self.pinned.get(self.layer, [])

    def pin(self, channel: int) -> None:
        """Pin a channel, or let it go."""
        pins = self.pins()
        self.pinned[self.layer] = [each for each in pins if each != channel] if channel in pins else [*pins, channel]

    def turn_to(self, network: Network) -> None:
        """Stay at the layer of the same name in another network, else at the first that works."""
        if self.layer not in network.names:
            self.layer = network.layers[0].name if network.layers else INPUT

    def memory(self) -> dict[str, Any]:
        """What the next session should find again; scans by their split and title, files left out."""
        return {
            "layer": self.layer,
            "channel": self.channel,
            "sort": self.sort,
            "shared": self.lighting.shared,
            "signed": self.lighting.signed,
            "pinned": self.pinned,
            "scans": [[scan.split, scan.title] for scan in self.scans if scan.opened is None],
        }

    def recall(self, kept: dict[str, Any]) -> None:
        """Take what can be used of it; scans are found once there are any."""
        layer, channel, sort, pinned = (kept.get(name) for name in ("layer", "channel", "sort", "pinned"))
        if isinstance(layer, str):
            self.layer = layer
        if isinstance(channel, int):
            self.channel = max(channel, -1)
        if sort in SORTS:
            self.sort = str(sort)
        self.lighting = Lighting(kept.get("shared") is not False, kept.get("signed") is True)
        if isinstance(pinned, dict):
            known = {str(name): pins for name, pins in pinned.items() if isinstance(pins, list)}
            self.pinned = {name: [pin for pin in pins if isinstance(pin, int)] for name, pins in known.items()}
