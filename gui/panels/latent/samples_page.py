"""Scans that never were: latents drawn from the prior or from the mixture of the training scans, decoded."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox

from engine.messages import SampleLatent
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
        self._content: dict[str, Any] | None = None
        self._images: NDArray[np.float32] = np.zeros((0, 1, 1), np.float32)
        self._lay_out()
        self.source.activated.connect(self._resample)
        for box in (self.count, self.seed):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(self._resample)
        self.another.clicked.connect(lambda: self.seed.setValue((self.seed.value() + 1) % (MOST_SEED + 1)))
        self.another.setToolTip("Generate again with the next seed")
        self.grid.selection_changed.connect(self._show_pair)
        self.asking.found.connect(self._on_found)

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
        if self.asking.ask(SampleLatent, run=scene.run, data=scene.data.config, **fields) and self.message():
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

    def _on_found(self, content: dict[str, Any]) -> None:
        self._content, self._images = content, content["images"]
        flagged = {at: "role:danger" for at, each in enumerate(content["samples"]) if each["memorised"]}
        captions = [f"{'▲ ' if at in flagged else ''}{each['ratio']:.2f}" for at, each in enumerate(content["samples"])]
        shown = np.rint(np.clip(self._images, 0, 1) * 255).astype(np.uint8)
        self.grid.set_images(shown, captions)
        self.show_note(about(content))
        self.reveal()
        self.grid.select(0)

    def _show_pair(self, selected: list[int]) -> None:
        """Show a drawn picture beside the nearest training scan."""
        if not selected or self._content is None or self.scene is None:
            return
        at, near = selected[0], self._content["samples"][selected[0]]
        train = self.scene.data.thumbnails[self.scene.row(("train", near["index"]))] / np.float32(255)
        word = "near copy ▲" if near["memorised"] else ""
        row = [
            Picture("sample", f"sample {at + 1}", self._images[at], caption=word),
            Picture("near", short(near["name"]), train, caption=format_number(near["distance"], 2)),
        ]
        self.board.set_pictures([row])


def about(content: dict[str, Any]) -> str:
    """What the numbers under the pictures mean, and how many of them are near copies."""
    count, flagged = len(content["samples"]), content["memorised"]
    told = (
        "No near copy of a training image found"
        if not flagged
        else f"{flagged} of {count} are near copies, possible memorization (▲)"
    )
    return (
        f"{told}. Below each image: distance to the nearest training image ÷ mean distance to the 50 nearest; a ratio "
        f"below {content['limit']:.2f} is flagged. These images are synthetic: they show no real patient. Do not "
        "interpret anatomy in them."
    )
