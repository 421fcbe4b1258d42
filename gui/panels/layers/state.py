"""State of the Layers panel: run, layer, channel, images, order, color scale. Pure data."""

from dataclasses import dataclass, field
from typing import Any

from engine.config import DataConfig
from gui.loaded_data import scan_title
from gui.opened_scan import OpenedScan
from gui.panels.layers.channel_order import SORTS, ColorScale
from gui.panels.layers.network import INPUT, Network

MOST_SCANS = 8


@dataclass(frozen=True)
class ScanRef:
    """One image of the data set, or one slice of a file."""

    name: str
    data: DataConfig
    split: str = ""
    index: int = 0
    opened: OpenedScan | None = None

    @property
    def key(self) -> str:
        """What its lesion is remembered by."""
        return f"{self.opened.path} {self.opened.slice}" if self.opened else f"{self.data.source} {self.name}"

    @property
    def title(self) -> str:
        return self.opened.title if self.opened else scan_title(self.name)

    @property
    def orientation(self) -> str | None:
        return self.opened.orientation if self.opened else None

    def request_fields(self) -> dict[str, Any]:
        """The fields of a request about it."""
        if self.opened is not None:
            return {"data": self.data, "scan": self.opened.path, "slice": self.opened.slice}
        return {"data": self.data, "split": self.split, "indices": (self.index,)}


@dataclass(frozen=True)
class ActivationKey:
    """One layer of a run while a scan passes through it; `run` is the folder of the run."""

    run: str
    layer: str
    scan: ScanRef


@dataclass
class LayersState:
    """All that the user has chosen.

    `run` is the folder of the run, `unit` a (row, column) in the channel, None for the whole of it, `pinned` the
    channels of each layer by its name.
    """

    run: str = ""
    layer: str = ""
    channel: int = -1  # the first in the order, before one is chosen
    unit: tuple[int, int] | None = None
    scans: list[ScanRef] = field(default_factory=list)
    at: int = 0
    sort: str = "energy"
    lighting: ColorScale = field(default_factory=ColorScale)
    pinned: dict[str, list[int]] = field(default_factory=dict)

    @property
    def scan(self) -> ScanRef | None:
        return self.scans[self.at] if self.at < len(self.scans) else None

    def activation_key(self, layer: str = "", scan: ScanRef | None = None) -> ActivationKey | None:
        """What is looked at, or the same at another layer or in another scan."""
        scan = scan or self.scan
        return (
            ActivationKey(self.run, layer or self.layer, scan) if self.run and scan and (layer or self.layer) else None
        )

    def prefetch_keys(self, network: Network) -> list[ActivationKey]:
        """What may be wanted next: this layer in the other scans, then the layers beside it."""
        others = [self.activation_key(scan=scan) for scan in self.scans]
        facts = network.by_name.get(self.layer)
        near = [network.step(self.layer, 1), network.step(self.layer, -1)]
        near += [name for name in (facts.after, facts.before) if name] if facts else []
        near += [network.step(network.step(self.layer, 1), 1), network.find_neighbor(self.layer, 1)]
        beside = [self.activation_key(layer=name) for name in dict.fromkeys(near)]
        return [look for look in (*others, *beside) if look is not None]

    def pins(self) -> list[int]:
        """The pinned channels of the layer."""
        return self.pinned.get(self.layer, [])

    def pin(self, channel: int) -> None:
        """Pin a channel, or let it go."""
        pins = self.pins()
        self.pinned[self.layer] = [each for each in pins if each != channel] if channel in pins else [*pins, channel]

    def adopt_network(self, network: Network) -> None:
        """Stay at the layer of the same name in another network, else at the first that works."""
        if self.layer not in network.names:
            self.layer = network.layers[0].name if network.layers else INPUT

    def to_dict(self) -> dict[str, Any]:
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

    def restore(self, kept: dict[str, Any]) -> None:
        """Take what can be used of it; scans are found once there are any."""
        layer, channel, sort, pinned = (kept.get(name) for name in ("layer", "channel", "sort", "pinned"))
        if isinstance(layer, str):
            self.layer = layer
        if isinstance(channel, int):
            self.channel = max(channel, -1)
        if sort in SORTS:
            self.sort = str(sort)
        self.lighting = ColorScale(kept.get("shared") is not False, kept.get("signed") is True)
        if isinstance(pinned, dict):
            known = {str(name): pins for name, pins in pinned.items() if isinstance(pins, list)}
            self.pinned = {name: [pin for pin in pins if isinstance(pin, int)] for name, pins in known.items()}
