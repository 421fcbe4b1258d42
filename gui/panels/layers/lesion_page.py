"""Lesion detectability: d′ of a lesion after each layer, and the layer that loses most of it."""

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from engine.messages import RegionSpec, TraceLesion, TraceLesionReply
from gui.formatting import format_number, format_percent
from gui.lesion_regions import LesionBoxes, lesion_text
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.widgets.buttons import Button
from gui.widgets.image_view import ImageView
from gui.widgets.labels import label
from gui.widgets.region.buttons import HINTS, RegionButtons
from gui.widgets.region.tool import RegionTool
from gui.widgets.stage_curve import Stage, StageCurve
from gui.widgets.view_state import ViewState

PICTURE_PX, SIDE_PX = 150, 386
EMPTY = "Mark a lesion to see how detectable it remains after each layer."
READY = "Press Trace lesion to see how detectable it remains after each layer."


class LesionPage(LayersPage):
    """A page that traces a lesion region, which is drawn here or on the image at the right."""

    title = "Lesion detectability"
    working = "Tracing the lesion:"
    layer_wanted = Signal(str)

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__(presenter)
        self.regions = presenter.cards.regions
        self.view, self.curve = ImageView(ViewState()), StageCurve()
        self.buttons, self.go = RegionButtons(self.regions), Button("Trace lesion", "primary")
        self.known, self.text = LesionBoxes(), label(role="caption", wrap=True)
        self._requested: object = None
        RegionTool(self.view, self.regions)
        self.view.set_orientation("")
        self.view.setAccessibleName("lesion image")
        self._lay_out()
        self.go.clicked.connect(self._on_start_clicked)
        self.request.finished.connect(self._on_finished)
        self.regions.changed.connect(self._refresh)
        self.regions.region_changed.connect(self.refresh)
        self.curve.chosen.connect(self.layer_wanted)
        self.go.setToolTip("Compute the lesion's detectability index d′ (ideal observer) after each layer")

    def _lay_out(self) -> None:
        side = QWidget()
        column, line = QVBoxLayout(), QHBoxLayout(side)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(10)
        self.view.setFixedSize(PICTURE_PX, PICTURE_PX)
        line.addWidget(self.view, 0, Qt.AlignmentFlag.AlignTop)
        column.setSpacing(6)
        column.addWidget(self.buttons)
        column.addWidget(self.text)
        column.addWidget(self.go, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        line.addLayout(column, 1)
        side.setFixedWidth(SIDE_PX)
        self.line.addWidget(side)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.curve, 1)
        right.addWidget(self.words)
        self.line.addLayout(right, 1)

    def set_stacked(self, is_stacked: bool) -> None:
        """Put the curve below the image, where both have no room side by side."""
        directions = QBoxLayout.Direction
        self.line.setDirection(directions.TopToBottom if is_stacked else directions.LeftToRight)

    def show_scan(self) -> None:
        """Show the lesion of the chosen image: the one marked before, else a known one."""
        scan = self.presenter.choice.scan
        known = [] if scan is None or scan.opened else self.known.regions_for(scan.data, scan.name)
        self.buttons.show_known(known)
        self.regions.set_image(scan.key if scan else "", known[0] if known else None)
        self.refresh()

    def refresh(self) -> None:
        seen = self.presenter.seen
        look = self.presenter.choice.activation_key()
        self.view.set_image(seen.original if seen is not None and look and seen.look.scan == look.scan else None)
        region = self.regions.region
        key = (look.run, look.scan, region) if look and region else None
        if key is None or key != self._requested:
            self.request.cancel()
            self._requested = None
            self.curve.set_stages(())
            self.curve.set_empty_text(READY if region else EMPTY)
            self.words.setText("")
        self._refresh()

    def deactivate(self) -> None:
        """Continue a running trace: it does not depend on the channel."""

    def show_error(self, text: str) -> None:
        super().show_error(text)
        self._requested = None
        self._refresh()

    def _refresh(self) -> None:
        seen, region = self.presenter.seen, self.regions.region
        size = (seen.original.shape[0], seen.original.shape[1]) if seen is not None else (0, 0)
        text = lesion_text(region, size, self.regions.rim_px, lambda: region in self.buttons.known_regions)
        self.text.setText(HINTS.get(self.regions.mode, text if region is None or all(size) else ""))
        self.go.setEnabled(region is not None and seen is not None and self._requested is None)

    def _on_start_clicked(self) -> None:
        look, region = self.presenter.choice.activation_key(), self.regions.region
        if look is None or region is None:
            return
        self._requested = look.run, look.scan, region
        spec = RegionSpec.model_validate({"kind": region.kind, "points": region.points})
        fields = look.scan.request_fields()
        self.request.send(TraceLesion(panel="layers-lesion", run=look.run, region=spec, **fields))
        if self.request.is_pending():
            self.curve.set_empty_text("Computing… The curve appears when all layers are done.")
            self.words.setText("Tracing the lesion through the network…")
        self._refresh()

    def _on_finished(self, reply: TraceLesionReply) -> None:
        lost = reply.loses_most
        stages = to_stages(reply)
        at = next((place for place, stage in enumerate(stages) if stage.name == lost), None)
        mark = f"largest loss at {lost}: {format_percent(lost_share(reply))}" if at is not None else ""
        self.curve.set_stages(stages, at, mark)
        self.words.setText(describe_trace(reply))
        self._refresh()


def to_stages(reply: TraceLesionReply) -> list[Stage]:
    """Return the image and every traced layer, as the curve shows them."""
    first = reply.picture_d_prime
    made = [Stage("image", 1.0, 1.0, f"image · d′ = {format_number(first, 3)}")]
    for layer in reply.layers:
        kept, alone = format_percent(layer.held_share), format_percent(layer.alone_share)
        known = f"{layer.name} · d′ = {format_number(layer.held_d_prime, 3)}"
        text = f"{known}, retained {kept} (all paths) · {alone} (this layer only)"
        made.append(Stage(layer.name, layer.held_share, layer.alone_share, text))
    return made


def lost_share(reply: TraceLesionReply) -> float:
    """Return the share of d′ that reached the worst layer and is lost in it."""
    return next(layer.lost_share for layer in reply.layers if layer.name == reply.loses_most)


def describe_trace(reply: TraceLesionReply) -> str:
    """Return which layer loses most, and what is retained at the output."""
    d_prime = format_number(reply.picture_d_prime, 3)
    end = f"At the output, {format_percent(reply.layers[-1].held_share)} of d′ = {d_prime} is retained."
    kept = reply.pairs[0].contrast_kept if reply.pairs else math.nan
    contrast = "" if math.isnan(kept) else f" Lesion contrast retained at the output: {format_percent(kept)}."
    if reply.loses_most is None:
        return f"No layer reduces the detectability of this lesion. {end}{contrast}"
    return (
        f"Largest loss at {reply.loses_most}: {format_percent(lost_share(reply))} of the detectability that reached "
        f"it. {end}{contrast}"
    )
