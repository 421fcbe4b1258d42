"""The pixels of the scan that a channel answers to, or one unit of it."""

from typing import Any

from PySide6.QtCore import Signal

from engine.messages import ComputeSaliency
from gui.panels.layers.channel_pages import OF_INPUT
from gui.panels.layers.network import INPUT, LayerSummary
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.pixmaps import Array, Colormap, robust_limit
from gui.widgets.box_overlay import BoxOverlay
from gui.widgets.buttons import Button
from gui.widgets.labels import format_number
from gui.widgets.linked_images import LinkedImage, LinkedImages

HOW = "to pixel brightness: orange = increases, blue = decreases. Activation per unit of intensity, color range"


class SaliencyPage(LayersPage):
    """Asks the unit that was clicked at in the channel's picture, else the mean of the channel."""

    title = "Saliency"
    whole_wanted = Signal()

    def __init__(self, showing: LayersPresenter) -> None:
        super().__init__(showing, "layers-saliency")
        self.board, self.whole = LinkedImages(2), Button("Whole channel")
        self.fields = [BoxOverlay(cell.view) for cell in self.board.cells]
        self.whole.setToolTip("Back to whole-channel saliency (Esc)")
        self.whole.hide()
        self.lay_out(self.board, self.whole)
        self.whole.clicked.connect(self.whole_wanted)
        self.aside.found.connect(self._on_found)

    def refresh(self) -> None:
        choice = self.presenter.choice
        look, unit = choice.activation_key(), choice.unit
        self.whole.setVisible(unit is not None)
        if choice.layer == INPUT or look is None:
            self.board.show_pictures(())
            self.words.setText(OF_INPUT)
            return
        asked = {"run": choice.run, "layer": choice.layer, "channel": choice.channel, "unit": unit}
        if not self.aside.request((look, choice.channel, unit), ComputeSaliency, **asked, **look.scan.request_fields()):
            self.board.show_pictures(())
            self.words.setText("Computing the gradient…")

    def _on_found(self, content: dict[str, Any]) -> None:
        original, found = (content[name][0] for name in ("originals", "saliency"))
        limit = limit_of(found)
        saliency = LinkedImage("saliency", found, (-limit, limit), Colormap.SIGNED)
        self.board.show_pictures([LinkedImage("image", original), saliency])
        unit, facts = content["unit"], self.presenter.facts
        box = facts.box(*unit) if unit and facts else None
        for field in self.fields:
            field.set_box(box)
        self.board.look_at(box)
        self.words.setText(
            f"Sensitivity of {title_text(content, facts)} {HOW} ±{format_number(limit, 2)}.{hint_text(unit, facts)}"
        )


def title_text(content: dict[str, Any], facts: LayerSummary | None) -> str:
    """Say what the saliency is of."""
    unit, who = content["unit"], f"channel {content['channel']}"
    if unit:
        return f"the unit at x {unit[1]}, y {unit[0]} of {who}"
    return f"the mean of {who}" if facts and facts.has_units else who


def hint_text(unit: object, facts: LayerSummary | None) -> str:
    """Say what the box is, or how to ask one unit where there are such."""
    if unit:
        return " The box is its receptive field."
    return " Click in the channel image to select one unit." if facts and facts.has_units else ""


def limit_of(found: Array) -> float:
    """The ends of the colours: the robust limit of the pixels that are answered to at all, since one unit sees few."""
    seen = found[found != 0]
    return robust_limit(seen) if seen.size else 1.0
