"""Lets the pages under the channels follow what is chosen, and lets them choose."""

from collections.abc import Mapping

from PySide6.QtCore import QObject

from gui.panels.layers.controller import LayersController
from gui.panels.layers.scan_actions import ScanActions
from gui.panels.layers.scans import ScanRef
from gui.panels.layers.tools_card import ChannelToolsCard


class LesionTrace(QObject):
    """Stands between the pages and the rest of the panel."""

    def __init__(self, more: ChannelToolsCard, actions: LayersController, scans: ScanActions, parent: QObject) -> None:
        super().__init__(parent)
        self._more, self._scans = more, scans
        self._showing = more.lesion.presenter
        self._runs: Mapping[str, str] = {}
        inquiry = self._showing.inquiry
        self._showing.shown.connect(self._on_shown)
        inquiry.network_found.connect(self._on_network_found)
        actions.layer_changed.connect(self._on_layer_changed)
        actions.channel_changed.connect(self._on_channel_changed)
        actions.unit_changed.connect(self._on_unit_changed)
        self._showing.cards.channel.unit_chosen.connect(lambda row, column: actions.choose_unit((row, column)))
        more.saliency.whole_wanted.connect(lambda: actions.choose_unit(None))
        scans.changed.connect(self._on_scan_changed)
        more.lesion.layer_wanted.connect(actions.choose_layer)
        more.both.network_wanted.connect(inquiry.open)
        more.favorites.scan_wanted.connect(self._on_scan_wanted)

    def offer(self, runs: Mapping[str, str]) -> None:
        """Offer runs to stand beside, folder to name."""
        self._runs = runs
        self._more.both.offer(runs)

    def _on_shown(self, wanted: bool) -> None:
        """The channels of what was wanted are there; of another scan, what the page may show beside them."""
        if wanted or self._more.page() is self._more.both:
            self._more.follow()

    def _on_network_found(self) -> None:
        if self._more.page() is self._more.both:
            self._more.follow()

    def _on_layer_changed(self) -> None:
        self._showing.set_other(None)
        self._more.both.offer(self._runs)

    def _on_channel_changed(self) -> None:
        if self._more.page() is not self._more.lesion:
            self._more.follow()

    def _on_unit_changed(self) -> None:
        """One unit is chosen for its saliency."""
        if self._more.page() is self._more.saliency:
            self._more.follow()
        elif self._showing.choice.unit is not None:
            self._more.choose(self._more.saliency)

    def _on_scan_changed(self) -> None:
        self._more.lesion.show_scan()
        self._more.both.offer(self._runs)

    def _on_scan_wanted(self, split: str, index: int) -> None:
        data = self._showing.cards.scans.picker.data
        if data is not None:
            self._scans.add_scan(ScanRef(data.names[int(data.rows(split)[index])], data.config, split, index))
