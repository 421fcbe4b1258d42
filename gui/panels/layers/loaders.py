"""Loaders of networks, activations and statistics of channels: they request them from the explorer and cache them.

What is shown is requested first, one request at a time and always the newest. What may be wanted next is prefetched
when nothing else is pending. Statistics are requested last, and kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.config import DataConfig
from engine.lru_cache import LRUCache
from engine.messages import (
    ComputeActivations,
    ComputeActivationsReply,
    ComputeChannelStatistics,
    ComputeChannelStatisticsReply,
    ListLayers,
    ListLayersReply,
    RequestFailed,
)
from gui.explorer_request import ExplorerRequest
from gui.panels.layers.network import INPUT, Network, to_network
from gui.panels.layers.state import ActivationKey, LayersState, Numbers
from gui.pixmaps import Array
from gui.session import Session
from gui.widgets.timers import make_timer

NETWORK, SEEN, PREFETCH = "layers-network", "layers", "layers-ahead"
CACHE_SIZE, CACHE_BYTES = 96, 256 * 2**20
PREFETCH_DELAY_MS = 120
PANEL, SPLIT = "layers-statistics", "validation"


@dataclass(frozen=True, eq=False)
class LayerActivation:
    """An image, (size, size), and its activations, (h, w, c); those of a layer of numbers are (1, 1, c)."""

    look: ActivationKey
    original: Array
    values: Array

    def count_bytes(self) -> int:
        """Return the memory that the activations take, in bytes."""
        return int(self.original.nbytes + self.values.nbytes)


class ActivationLoader(QObject):
    """A loader that knows what is wanted, what is cached, and what is pending.

    network_found says that the layers of a run were listed, seen_found carries new activations, idle says that nothing
    is left to prefetch, failed carries a sentence.
    """

    network_found = Signal()
    seen_found = Signal(object)
    idle = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.networks: dict[str, Network] = {}
        self.wanted: ActivationKey | None = None
        self._listing = ExplorerRequest(session, self)
        self._pending: dict[str, ActivationKey] = {}
        self._ahead: list[ActivationKey] = []
        self._cache: LRUCache[ActivationKey, LayerActivation] = LRUCache(
            CACHE_SIZE, CACHE_BYTES, LayerActivation.count_bytes
        )
        self._rest = make_timer(self, PREFETCH_DELAY_MS)
        self._rest.timeout.connect(self._prefetch)
        self._listing.finished.connect(self._on_listed)
        self._listing.failed.connect(self.failed)

    def open(self, run: str) -> None:
        """List the layers of a run, unless they are known."""
        if run not in self.networks:
            self._listing.send(ListLayers(panel=NETWORK, run=run))

    def request(self, look: ActivationKey, ahead: Sequence[ActivationKey]) -> None:
        """Load activations; `ahead` is what may be wanted next."""
        self.wanted = look
        self._ahead = [each for each in ahead if each != look]
        seen = self.seen(look)
        if seen is not None:
            self.seen_found.emit(seen)
        self._request_wanted()
        self._rest.start()

    def seen(self, look: ActivationKey) -> LayerActivation | None:
        """Return cached activations; None if there are none."""
        return self._cache.get(look)

    def _request_wanted(self) -> None:
        look = self.wanted
        if look is not None and look not in self._cache and SEEN not in self._pending:
            self._send(SEEN, look)

    def _prefetch(self) -> None:
        """Request what may be wanted next, one after the other; then say that there is time for long requests."""
        if self.wanted is None or SEEN in self._pending:
            return
        left = [look for look in self._ahead if look not in self._cache]
        if left and PREFETCH not in self._pending:
            self._send(PREFETCH, left[0])
        elif not left and self.wanted in self._cache:
            self.idle.emit()

    def _send(self, panel: str, look: ActivationKey) -> None:
        network = self.networks.get(look.run)
        if network is None or not network.layers:
            return
        self._pending[panel] = look
        layer = network.layers[0].name if look.layer == INPUT else look.layer
        fields = look.scan.request_fields()
        handle = self.session.request(ComputeActivations(panel=panel, run=look.run, layer=layer, **fields))
        handle.finished.connect(lambda reply: self._on_activations(panel, reply))
        handle.failed.connect(lambda failure: self._on_failed(panel, failure))

    def _on_listed(self, reply: ListLayersReply) -> None:
        self.networks[reply.run] = to_network(reply)
        self.network_found.emit()

    def _on_activations(self, panel: str, reply: ComputeActivationsReply) -> None:
        seen = to_activation(self._pending.pop(panel), reply)
        if self.wanted is not None:
            self._cache.get(self.wanted)  # what is wanted is the last to be evicted
        self._cache.put(seen.look, seen)
        self._request_wanted()  # before this is drawn, so that the explorer works meanwhile
        self.seen_found.emit(seen)
        if panel == PREFETCH:
            self._ahead = [look for look in self._ahead if look != seen.look]  # once, even if it does not fit
            self._prefetch()
        elif not self._rest.isActive():
            self._rest.start()

    def _on_failed(self, panel: str, failure: RequestFailed) -> None:
        look = self._pending.pop(panel)
        if panel == PREFETCH:
            self._ahead = [each for each in self._ahead if each != look]
        elif look == self.wanted:
            self.failed.emit(failure.sentence)
        else:
            self._request_wanted()


def to_activation(look: ActivationKey, reply: ComputeActivationsReply) -> LayerActivation:
    """Return the activations of the one image of a reply."""
    original = reply.originals[0]
    if look.layer == INPUT:
        return LayerActivation(look, original, original[..., np.newaxis])
    values = reply.activations[0]
    return LayerActivation(look, original, values if values.ndim == 3 else values.reshape(1, 1, -1))


class StatisticsLoader(QObject):
    """A loader that requests the statistics of one run at a time.

    changed says that statistics arrived, progressed that the text about them is another.
    """

    changed = Signal()
    progressed = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._found: dict[ComputeChannelStatistics, dict[str, Numbers]] = {}
        self._images: dict[ComputeChannelStatistics, int] = {}
        self._failed: dict[ComputeChannelStatistics, str] = {}
        self._pending: ComputeChannelStatistics | None = None
        self._wanted: ComputeChannelStatistics | None = None
        self._progress = ""

    def request_for(self, choice: LayersState) -> None:
        """Request the statistics of the chosen run over the dataset of the chosen image."""
        if choice.scan is not None:
            self.request(choice.run, choice.scan.data)

    def request(self, run: str, data: DataConfig) -> None:
        """Request the statistics of a run over a dataset, unless they are known or pending, or failed before."""
        message = self._wanted = ComputeChannelStatistics(panel=PANEL, run=run, data=data, split=SPLIT)
        if message in self._found or message in self._failed or message == self._pending:
            return
        self._pending, self._progress = message, ""
        handle = self._session.request(message)
        handle.finished.connect(lambda reply: self._on_finished(message, reply))
        handle.failed.connect(lambda failure: self._on_failed(message, failure))
        handle.progressed.connect(self._on_progressed)
        self.progressed.emit()

    def numbers(self, run: str, layer: str) -> tuple[Numbers, str]:
        """Return the statistics of a layer, and over what they are; empty if they are not known yet."""
        wanted = self._wanted
        if wanted is None or wanted.run != run or wanted not in self._found:
            return {}, ""
        return self._found[wanted].get(layer, {}), f"over {self._images[wanted]:,} {SPLIT} images"

    def state(self, run: str) -> str:
        """Return a sentence about statistics that are pending or failed; empty if they are known."""
        wanted = self._wanted
        if wanted is None or wanted.run != run or wanted in self._found:
            return ""
        if wanted in self._failed:
            return self._failed[wanted]
        return f"Computing statistics over the dataset{self._progress}. Until then: this image only."

    def _on_finished(self, message: ComputeChannelStatistics, reply: ComputeChannelStatisticsReply) -> None:
        self._pending = None
        self._images[message] = reply.images
        self._found[message] = {
            layer: {name: np.asarray(values) for name, values in numbers} for layer, numbers in reply.layers.items()
        }
        self.changed.emit()

    def _on_failed(self, message: ComputeChannelStatistics, failure: RequestFailed) -> None:
        self._pending = None
        self._failed[message] = f"No statistics over the dataset: {failure.reason}"
        self.progressed.emit()

    def _on_progressed(self, done: int, total: int) -> None:
        self._progress = f": {done:,} of {total:,}"
        self.progressed.emit()
