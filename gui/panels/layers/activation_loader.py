"""Asks the explorer for networks and activations, and keeps what it says.

What is seen is asked for first, one question at a time and always the newest; what may be wanted next follows when
nothing else is waited for, so that it is there already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.messages import ComputeActivations, ListLayers, RequestFailed
from gui.panels.layers.network import INPUT, Network, parse_network
from gui.panels.layers.scans import ActivationKey
from gui.pixmaps import Array
from gui.recent import Recent
from gui.session import Session
from gui.widgets.timer import make_timer

NETWORK, SEEN, PREFETCH = "layers-network", "layers", "layers-ahead"
CACHE_SIZE, KEPT_BYTES = 96, 256 * 2**20
REST_MS = 120


@dataclass(frozen=True, eq=False)
class LayerActivation:
    """A scan, (size, size), and what a layer makes of it, (h, w, c); a layer of numbers is (1, 1, c)."""

    look: ActivationKey
    original: Array
    values: Array

    def count_bytes(self) -> int:
        """Return how much memory it takes."""
        return int(self.original.nbytes + self.values.nbytes)


class ActivationLoader(QObject):
    """Knows what is wanted, what is there, and what is still on its way."""

    network_found = Signal()
    seen_found = Signal(object)
    idle = Signal()
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self.session = session
        self.networks: dict[str, Network] = {}
        self.wanted: ActivationKey | None = None
        self._listing = ""
        self._asked: dict[str, ActivationKey] = {}
        self._ahead: list[ActivationKey] = []
        self._kept: Recent[ActivationKey, LayerActivation] = Recent(CACHE_SIZE, KEPT_BYTES, LayerActivation.count_bytes)
        self._rest = make_timer(self, REST_MS)
        self._rest.timeout.connect(self._go_on)
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)

    def open(self, run: str) -> None:
        """Have the layers of a run listed."""
        if run in self.networks or run == self._listing:
            return
        self._listing = run
        self.session.ask(ListLayers, NETWORK, run=run)

    def request(self, look: ActivationKey, ahead: Sequence[ActivationKey]) -> None:
        """Look at this; the others may be wanted next."""
        self.wanted = look
        self._ahead = [each for each in ahead if each != look]
        seen = self.seen(look)
        if seen is not None:
            self.seen_found.emit(seen)
        self._ask_wanted()
        self._rest.start()

    def seen(self, look: ActivationKey) -> LayerActivation | None:
        """What is there of a look."""
        return self._kept.get(look)

    def _ask_wanted(self) -> None:
        look = self.wanted
        if look is not None and look not in self._kept and not self.session.explorer.is_waiting(SEEN):
            self._ask(SEEN, look)

    def _go_on(self) -> None:
        """Ask for what may be wanted next, one after the other; then say that there is time for what takes long."""
        if self.wanted is None or self.session.explorer.is_waiting(SEEN):
            return
        left = [look for look in self._ahead if look not in self._kept]
        if left and not self.session.explorer.is_waiting(PREFETCH):
            self._ask(PREFETCH, left[0])
        elif not left and self.wanted in self._kept:
            self.idle.emit()

    def _ask(self, panel: str, look: ActivationKey) -> None:
        network = self.networks.get(look.run)
        if network is None or not network.layers:
            return
        self._asked[panel] = look
        layer = network.layers[0].name if look.layer == INPUT else look.layer
        self.session.ask(ComputeActivations, panel, run=look.run, layer=layer, **look.scan.request_fields())

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel not in (NETWORK, SEEN, PREFETCH):
            return
        try:
            if panel == NETWORK:
                self.networks[self._listing] = parse_network(content)
                self._listing = ""
                self.network_found.emit()
            else:
                self._take(panel, content)
        except (ValueError, KeyError) as error:
            self.failed.emit(f"The activations could not be read ({error}).")

    def _take(self, panel: str, content: dict[str, Any]) -> None:
        seen = seen_from(self._asked[panel], content)
        if self.wanted is not None:
            self._kept.get(self.wanted)  # what is wanted is the last to be evicted
        self._kept.put(seen.look, seen)
        self._ask_wanted()  # before this is drawn, so that the explorer works meanwhile
        self.seen_found.emit(seen)
        if panel == PREFETCH:
            self._ahead = [look for look in self._ahead if look != seen.look]  # once, even if it does not fit
            self._go_on()
        elif not self._rest.isActive():
            self._rest.start()

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        reason = f"{refused.reason} {refused.advice}".strip()
        if panel == NETWORK:
            self._listing = ""
            self.failed.emit(reason)
        elif panel == SEEN:
            if self._asked.get(SEEN) == self.wanted:
                self.failed.emit(reason)
            else:
                self._ask_wanted()
        elif panel == PREFETCH:
            self._ahead = [look for look in self._ahead if look != self._asked.get(PREFETCH)]


def seen_from(look: ActivationKey, content: dict[str, Any]) -> LayerActivation:
    """Read an answer to Activate. Raises KeyError."""
    original = content["originals"][0]
    if look.layer == INPUT:
        return LayerActivation(look, original, original[..., np.newaxis])
    values = content["activations"][0]
    return LayerActivation(look, original, values if values.ndim == 3 else values.reshape(1, 1, -1))
