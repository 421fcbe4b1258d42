"""The card of the selected image: original, reconstruction, nearest training images, near copies."""

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.messages import FindNeighbors, FindNeighborsReply, NeighborReport, Reconstruct, ReconstructReply
from gui.explorer_request import ExplorerRequest
from gui.formatting import format_fixed, format_measured
from gui.opened_files import OpenedScan, describe
from gui.panel import OpenFile, ShowImage
from gui.panels.latent.latent_map import LatentState, short
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.image_board import BoardImage, ImageBoard
from gui.widgets.labels import label, plain_tip
from gui.widgets.number_fields import SliceRow
from gui.widgets.view_state import ViewState

NEIGHBORS, LEAST = 4, 1e-4
PAIR_PX, NEAR_PX = 164, 88
EMPTY = "Click a point to see the image, its reconstruction and the most similar training images."
PLACES = {"compare": "Compare", "layers": "Layers", "denoise": "Denoise"}
NEAR = {"latent": "Nearest in latent space", "pixel": "Nearest in pixel space"}
TIP = "Training images, nearest first, with their distance ({unit}). Typical: {typical}. Double-click to select one."


class LatentScanCard(Card):
    """Shows the selected image.

    navigation_requested opens it in another panel, chosen selects another image or slice.
    """

    navigation_requested = Signal(str, object)
    chosen = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__("Image")
        self.neighbors_request, self.reconstruction_request = (
            ExplorerRequest(session, self),
            ExplorerRequest(session, self),
        )
        self.state, self.scene = ViewState(parent=self), None
        self.pair = ImageBoard(self.state, lambda view: view.set_orientation(""))
        self.boards = {key: ImageBoard(self.state, lambda view: view.set_orientation("")) for key in NEAR}
        self.titles = {key: label(title, role="caption") for key, title in NEAR.items()}
        self.notice, self.empty, self.body_ = NoticeBox(), label(EMPTY, role="quiet", wrap=True), QWidget()
        self.slices, self.facts = SliceRow(), label(role="caption", wrap=True)
        self.buttons = {key: Button(title) for key, title in PLACES.items()}
        self._lay_out()
        self.neighbors_request.finished.connect(self._on_neighbors_found)
        self.reconstruction_request.finished.connect(self._on_reconstructed)
        for request in (self.neighbors_request, self.reconstruction_request):
            request.failed.connect(lambda text: self.notice.show_notice(text))

    scene: LatentState | None

    def _lay_out(self) -> None:
        column, line = QVBoxLayout(self.body_), FlowLayout(gap=6)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.slices)
        column.addWidget(self.pair)
        self.pair.setFixedHeight(PAIR_PX)
        column.addWidget(self.facts)
        self.slices.moved.connect(self._on_slice_moved)
        for key, board in self.boards.items():
            column.addWidget(self.titles[key])
            column.addWidget(board)
            board.setFixedHeight(NEAR_PX)
            board.maximized.connect(lambda at: self.chosen.emit(("train", int(at.rsplit("-", 1)[1]))))
        column.addWidget(self.notice)
        for key, button in self.buttons.items():
            button.setToolTip(f"Open this image in {PLACES[key]}")
            button.clicked.connect(lambda _=False, key=key: self._navigate(key))
            line.addWidget(button)
        column.addLayout(line)
        self.add(self.empty)
        self.add(self.body_)
        self.body.addStretch()
        self.body_.hide()

    def set_state(self, scene: LatentState | None) -> None:
        """Show the selected image of a scene."""
        self.scene = scene
        self._show_file(scene.opened if scene else None)
        self.empty.setVisible(scene is None or not scene.has_subject)
        self.body_.setVisible(scene is not None and scene.has_subject)
        self.set_subtitle(scene.subject_title if scene else "")
        if scene is None or not scene.has_subject:
            for request in (self.neighbors_request, self.reconstruction_request):
                request.reset()
            return
        fields = scene.subject()
        image = {key: value for key, value in fields.items() if key != "run"}
        if self.reconstruction_request.send(Reconstruct(panel="latent-scan", **image, runs=(scene.run,))):
            self._show_original(scene)
        if self.neighbors_request.send(FindNeighbors(panel="latent-near", **fields, count=NEIGHBORS)):
            self.notice.show_notice("")
            for key, board in self.boards.items():
                self.titles[key].setText(f"{NEAR[key]} …")
                board.set_pictures([])

    def _show_file(self, opened: OpenedScan | None) -> None:
        """Show what is known of an image from a file, and the control for its slices."""
        self.slices.setVisible(opened is not None and opened.slices > 1)
        self.facts.setVisible(opened is not None)
        if opened is not None:
            self.slices.show_slice(opened.slice, opened.slices)
            self.facts.setText(describe(opened))

    def _show_original(self, scene: LatentState) -> None:
        """Show the image from its thumbnail until the reply arrives; a file has no thumbnail."""
        if scene.chosen is None:
            self.pair.set_pictures([])
            return
        original = scene.data.thumbnails[scene.row(scene.chosen)] / np.float32(255)
        self.pair.set_pictures([[BoardImage("original", "original", original), None]])

    def _on_reconstructed(self, reply: ReconstructReply) -> None:
        if self.scene is None:
            return
        original, image = reply.originals[0], reply.runs[self.scene.run].images[0]
        own = [BoardImage("original", "original", original.reshape(original.shape[:2]))]
        self.pair.set_pictures([[*own, BoardImage("made", self.scene.title, image.reshape(image.shape[:2]))]])

    def _on_neighbors_found(self, reply: FindNeighborsReply) -> None:
        if self.scene is None:
            return
        for key, found in (("pixel", reply.pixel), ("latent", reply.latent)):
            self._show_neighbors(self.scene, key, found)
        sentence = reply.sentence.replace(reply.name, "This image", 1)
        self.notice.show_notice(sentence, "warning" if reply.memorised else "info")

    def _show_neighbors(self, scene: LatentState, key: str, found: NeighborReport) -> None:
        """Show the neighbors in one of the two spaces, with their distances."""
        typical = distance_text(found.typical)
        self.titles[key].setText(f"{NEAR[key]} · typical distance {typical}")
        row = [
            BoardImage(
                f"{key}-{near.index}",
                distance_text(near.distance),
                scene.data.thumbnails[scene.row(("train", near.index))] / np.float32(255),
            )
            for near in found.nearest
        ]
        self.boards[key].set_pictures([row])
        names = "\n".join(f"{distance_text(near.distance)}  {short(near.name)}" for near in found.nearest)
        self.boards[key].setToolTip(plain_tip(f"{TIP.format(unit=found.unit, typical=typical)}\n{names}"))

    def _on_slice_moved(self, number: int) -> None:
        if self.scene is not None and self.scene.opened is not None:
            self.chosen.emit(self.scene.opened.with_slice(number))

    def _navigate(self, panel: str) -> None:
        scene = self.scene
        if scene is not None and scene.opened is not None:
            self.navigation_requested.emit(panel, OpenFile(scene.opened.path))
        elif scene is not None and scene.chosen is not None:
            self.navigation_requested.emit(panel, ShowImage(*scene.chosen))


def distance_text(distance: float) -> str:
    """Return a distance as text, with two decimals or two digits; zero if only rounding errors keep it from zero."""
    if distance <= LEAST:
        return "0"
    return format_fixed(distance, 2) if distance >= 1 else format_measured(distance, 2)
