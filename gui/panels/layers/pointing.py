"""The cursor over any picture: what the status bar says, and what the unit under it sees of the scan."""

from PySide6.QtCore import QObject, Signal

from gui.panels.layers.showing import Showing


class Pointing(QObject):
    """Listens to all pictures of the panel."""

    pointed = Signal(str)

    def __init__(self, showing: Showing, parent: QObject) -> None:
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
        self.pointed.emit(self._showing.point(channel, x, y))

    def _on_channel_hovered(self, x: int, y: int) -> None:
        self._on_unit_hovered(self._showing.choice.channel, x, y)

    def _on_scan_hovered(self, x: int, y: int) -> None:
        self.pointed.emit(self._showing.point_at_scan(x, y))

    def _on_large_hovered(self, place: int, x: int, y: int) -> None:
        """The scan stands first on the large page."""
        if place:
            self._on_channel_hovered(x, y)
        else:
            self._on_scan_hovered(x, y)

    def _on_hover_ended(self) -> None:
        self._showing.stop_pointing()
        self.pointed.emit("")
