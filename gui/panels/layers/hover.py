"""The cursor over any picture: what the status bar says, and what the unit under it sees of the scan."""

from PySide6.QtCore import QObject, Signal

from gui.panels.layers.presenter import LayersPresenter
from gui.widgets.labels import fixed, format_number


class HoverReadout(QObject):
    """Listens to all pictures of the panel."""

    pointed = Signal(str)

    def __init__(self, showing: LayersPresenter, parent: QObject) -> None:
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
        self.pointed.emit(self.unit(channel, x, y))

    def _on_channel_hovered(self, x: int, y: int) -> None:
        self._on_unit_hovered(self._showing.choice.channel, x, y)

    def _on_scan_hovered(self, x: int, y: int) -> None:
        self.pointed.emit(self.pixel(x, y))

    def _on_large_hovered(self, place: int, x: int, y: int) -> None:
        """The scan stands first on the large page."""
        if place:
            self._on_channel_hovered(x, y)
        else:
            self._on_scan_hovered(x, y)

    def _on_hover_ended(self) -> None:
        self._showing.cards.show_unit(self._showing.choice.unit, self._showing.facts)
        self.pointed.emit("")

    def unit(self, channel: int, x: int, y: int) -> str:
        """Draw what a unit sees; return what the status bar says of it."""
        seen, facts = self._showing.seen, self._showing.facts
        if seen is None or not (0 <= y < seen.values.shape[0] and 0 <= x < seen.values.shape[1]):
            return ""
        box = facts.box(y, x) if facts else (x, y, 1, 1)
        value = format_number(float(seen.values[y, x, channel]), 4)
        cards = self._showing.cards
        cards.scans.show_field(box, facts.sees_text(y, x) if facts else f"One pixel at x {x}, y {y}.")
        cards.mosaic.field.set_box(box)
        return f"channel {channel} · x {x} · y {y} · value {value}"

    def pixel(self, x: int, y: int) -> str:
        """What the status bar says of a pixel of the scan."""
        if self._showing.seen is None:
            return ""
        return f"x {x} · y {y} · intensity {fixed(float(self._showing.seen.original[y, x]), 3)}"
