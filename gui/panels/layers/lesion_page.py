"""Where did the lesion go? How well it could still be told at each stage of the network, and who loses most of it."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.messages import TraceLesion
from gui.lesion_regions import LesionBoxes, lesion_text
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.widgets.buttons import Button
from gui.widgets.image_view import ImageView
from gui.widgets.labels import format_number, label, percent
from gui.widgets.region.buttons import HINTS, RegionButtons
from gui.widgets.region.tool import RegionTool
from gui.widgets.stage_curve import Stage, StageCurve
from gui.widgets.view_state import ViewState

PICTURE_PX, SIDE_PX = 150, 386
EMPTY = "Mark a lesion to see how detectable it remains after each layer."
READY = "Press Trace lesion to see how detectable it remains after each layer."


class LesionPage(LayersPage):
    """The lesion is drawn here or on the scan at the right; it is followed when that is asked for."""

    title = "Lesion detectability"
    working = "Tracing the lesion:"
    layer_wanted = Signal(str)

    def __init__(self, showing: LayersPresenter) -> None:
        super().__init__(showing, "layers-lesion")
        self.regions = showing.cards.regions
        self.view, self.curve = ImageView(ViewState()), StageCurve()
        self.buttons, self.go = RegionButtons(self.regions), Button("Trace lesion", "primary")
        self.known, self.text = LesionBoxes(), label(role="caption", wrap=True)
        self._asked: object = None
        RegionTool(self.view, self.regions)
        self.view.set_orientation("")
        self._lay_out()
        self.go.clicked.connect(self._on_start_clicked)
        self.aside.found.connect(self._on_found)
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

    def show_scan(self) -> None:
        """Turn to the lesion of the chosen scan: what was drawn on it before, else a known one."""
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
        if key is None or key != self._asked:
            self.aside.cancel()
            self._asked = None
            self.curve.set_stages(())
            self.curve.set_empty_text(READY if region else EMPTY)
            self.words.setText("")
        self._refresh()

    def deactivate(self) -> None:
        """What is being followed goes on: it is not of the channel."""

    def show_error(self, text: str) -> None:
        super().show_error(text)
        self._asked = None
        self._refresh()

    def _refresh(self) -> None:
        seen, region = self.presenter.seen, self.regions.region
        size = (seen.original.shape[0], seen.original.shape[1]) if seen is not None else (0, 0)
        told = lesion_text(region, size, self.regions.rim_px, lambda: region in self.buttons.known_regions)
        self.text.setText(HINTS.get(self.regions.mode, told if region is None or all(size) else ""))
        self.go.setEnabled(region is not None and seen is not None and self._asked is None)

    def _on_start_clicked(self) -> None:
        look, region = self.presenter.choice.activation_key(), self.regions.region
        if look is None or region is None:
            return
        self._asked = look.run, look.scan, region
        spot = {"kind": region.kind, "points": region.points}
        if not self.aside.request(self._asked, TraceLesion, run=look.run, region=spot, **look.scan.request_fields()):
            self.curve.set_empty_text("Computing… The curve appears when all layers are done.")
            self.words.setText("Tracing the lesion through the network…")
        self._refresh()

    def _on_found(self, content: dict[str, Any]) -> None:
        lost = content["loses_most"]
        stages = stages_of(content)
        at = next((place for place, stage in enumerate(stages) if stage.name == lost), None)
        mark = f"largest loss at {lost}: {percent(lost_share(content))}" if at is not None else ""
        self.curve.set_stages(stages, at, mark)
        self.words.setText(sentence(content))
        self._refresh()


def stages_of(content: dict[str, Any]) -> list[Stage]:
    """The picture and every stage that was asked."""
    first = content["picture_d_prime"]
    made = [Stage("image", 1.0, 1.0, f"image · d′ = {format_number(first, 3)}")]
    for layer in content["layers"]:
        kept, alone = percent(layer["held_share"]), percent(layer["alone_share"])
        known = f"{layer['name']} · d′ = {format_number(layer['held_d_prime'], 3)}"
        text = f"{known}, retained {kept} (all paths) · {alone} (this layer only)"
        made.append(Stage(layer["name"], layer["held_share"], layer["alone_share"], text))
    return made


def lost_share(content: dict[str, Any]) -> float:
    """The share of what was still held that the worst stage loses."""
    return next(float(each["lost_share"]) for each in content["layers"] if each["name"] == content["loses_most"])


def sentence(content: dict[str, Any]) -> str:
    """Say who loses most, what is left at the end, and what not to take it for."""
    last = content["layers"][-1]
    d_prime = format_number(content["picture_d_prime"], 3)
    end = f"At the output, {percent(last['held_share'])} of d′ = {d_prime} is retained."
    kept = content["pairs"][0]["contrast_kept"] if content["pairs"] else None
    contrast = f" Lesion contrast retained at the output: {percent(kept)}." if kept is not None and kept == kept else ""
    if content["loses_most"] is None:
        return f"No layer reduces the detectability of this lesion. {end}{contrast}"
    return (
        f"Largest loss at {content['loses_most']}: {percent(lost_share(content))} of the detectability that reached "
        f"it. {end}{contrast}"
    )
