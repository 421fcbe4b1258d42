"""Scans that never were: latents drawn from the prior or from the mixture of the training scans, decoded."""

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox

from engine.messages import SampleLatent, SampleLatentReply
from gui.panels.latent.latent_map import LatentState, short
from gui.panels.latent.page import WORKING, LatentPage
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.image_board import ImageBoard, Picture
from gui.widgets.image_grid import ImageGrid
from gui.widgets.labels import format_number, label
from gui.widgets.view_state import ViewState

COUNT, MOST, MOST_SEED = 24, 128, 9999
PAIR_PX = 400
SOURCES = {"prior": "Prior", "mixture": "Mixture fitted to training codes"}
FITTING = "Fitting a mixture to the latent codes of the training images… This is done once and may take minutes."


class SamplesPage(LatentPage):
    """The drawn pictures, and beside the chosen one the training scan that is nearest to it."""

    name = "samples"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.source, self.count, self.seed, self.another = QComboBox(), QSpinBox(), QSpinBox(), Button("Resample")
        self.grid = ImageGrid(86)
        self.grid.setAccessibleName("generated images")
        self.board = ImageBoard(ViewState(parent=self), lambda view: view.set_orientation(""))
        self.board.setFixedWidth(PAIR_PX)
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.count.setRange(1, MOST)
        self.count.setValue(COUNT)
        self.seed.setRange(0, MOST_SEED)
        self._reply: SampleLatentReply | None = None
        self._lay_out()
        self.source.activated.connect(self._resample)
        for box in (self.count, self.seed):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(self._resample)
        self.another.clicked.connect(lambda: self.seed.setValue((self.seed.value() + 1) % (MOST_SEED + 1)))
        self.another.setToolTip("Generate again with the next seed")
        self.grid.selection_changed.connect(self._show_pair)
        self.request.finished.connect(self._on_sampled)

    def _lay_out(self) -> None:
        named = (("From", self.source), ("Count", self.count), ("Seed", self.seed))
        for title, field in named:
            text = label(title, role="quiet")
            text.setBuddy(field)
            field.setAccessibleName(title.lower())
            self.bar.addWidget(text)
            self.bar.addWidget(field)
        self.bar.addWidget(self.another)
        self.bar.addStretch()
        line = QHBoxLayout(self.content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(14)
        line.addWidget(self.grid, 1)
        line.addWidget(self.board)

    def refresh(self, scene: LatentState) -> None:
        for part in (self.source, self.count, self.seed, self.another):
            part.setEnabled(scene.mapped.decodes)
        if self.cannot_decode(scene):
            return
        self._offer(scene)
        fields = {"count": self.count.value(), "seed": self.seed.value(), "source": self.source.currentData()}
        message = SampleLatent(panel=self.channel, run=scene.run, data=scene.data.config, **fields)
        if self.request.send(message) and self.message():
            self.show_message(FITTING if self.source.currentData() == "mixture" else WORKING)

    def _offer(self, scene: LatentState) -> None:
        """An autoencoder has no prior to draw from."""
        wanted = list(SOURCES) if scene.mapped.variational else ["mixture"]
        if [self.source.itemData(at) for at in range(self.source.count())] == wanted:
            return
        kept = self.source.currentData()
        with QSignalBlocker(self.source):
            self.source.clear()
            for key in wanted:
                self.source.addItem(SOURCES[key], key)
            self.source.setCurrentIndex(max(self.source.findData(kept), 0))
        self.source.setToolTip(
            ""
            if scene.mapped.variational
            else "An autoencoder has no prior over latent codes. Use the mixture fitted to the training codes."
        )

    def _resample(self) -> None:
        if self.scene is not None:
            self.refresh(self.scene)

    def _on_sampled(self, reply: SampleLatentReply) -> None:
        self._reply = reply
        captions = [f"{'▲ ' if sample.memorised else ''}{sample.ratio:.2f}" for sample in reply.samples]
        self.grid.set_images(np.rint(np.clip(reply.images, 0, 1) * 255).astype(np.uint8), captions)
        self.show_note(describe_samples(reply))
        self.reveal()
        self.grid.select(0)

    def _show_pair(self, selected: list[int]) -> None:
        """Show a drawn picture beside the nearest training scan."""
        if not selected or self._reply is None or self.scene is None:
            return
        at, near = selected[0], self._reply.samples[selected[0]]
        train = self.scene.data.thumbnails[self.scene.row(("train", near.index))] / np.float32(255)
        word = "near copy ▲" if near.memorised else ""
        row = [
            Picture("sample", f"sample {at + 1}", self._reply.images[at], caption=word),
            Picture("near", short(near.name), train, caption=format_number(near.distance, 2)),
        ]
        self.board.set_pictures([row])


def describe_samples(reply: SampleLatentReply) -> str:
    """Return how many samples are near copies, and what the numbers below them mean."""
    count, flagged = len(reply.samples), reply.memorised
    verdict = (
        "No near copy of a training image found"
        if not flagged
        else f"{flagged} of {count} are near copies, possible memorization (▲)"
    )
    return (
        f"{verdict}. Below each image: distance to the nearest training image ÷ mean distance to the 50 nearest; a "
        f"ratio below {reply.limit:.2f} is flagged. These images are synthetic: they show no real patient. Do not "
        "interpret anatomy in them."
    )
