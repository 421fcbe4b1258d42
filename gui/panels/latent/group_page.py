"""The page of a group of images: its members, their decoded mean latent code and pixel-wise mean."""

from collections import Counter
from typing import Any, cast

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout

from engine.messages import DecodeMean, DecodeMeanReply
from gui.formatting import format_count
from gui.loaded_data import class_title
from gui.panels.latent.latent_map import LatentState
from gui.panels.latent.page import LatentPage
from gui.pixmaps import Array
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.image_board import BoardImage, ImageBoard
from gui.widgets.image_grid import ImageGrid
from gui.widgets.labels import label
from gui.widgets.view_state import ViewState

EMPTY = "Lasso points on the map, or select a class, to see those images and their mean."
DECODED, PIXELS = "decoded mean latent code", "pixel-wise mean"
MEANS_PX = 430
MEANS = "Left: decoded mean latent code of the group. Right: pixel-wise mean image. Neither is a real patient's image."


class GroupPage(LatentPage):
    """Means on the left, members on the right."""

    name = "group"
    class_wanted = Signal(str)
    chosen = Signal(object)
    cleared = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.classes, self.clear, self.counts = QComboBox(), Button("Clear"), label(role="caption")
        self.board = ImageBoard(ViewState(parent=self), lambda view: view.set_orientation(""))
        self.members = ImageGrid(72, captioned=False)
        self.members.setAccessibleName("images of the group")
        self.members.setToolTip("Double-click an image to select it")
        self.classes.setAccessibleName("select all images of a class")
        self.board.setFixedWidth(MEANS_PX)
        self.classes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        row = QHBoxLayout(self.content)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self.board)
        row.addWidget(self.members, 1)
        for part in (self.classes, self.clear, self.counts):
            self.bar.addWidget(part)
        self.bar.addStretch()
        self._shown: tuple[Any, ...] = ()
        self.classes.activated.connect(lambda: self.class_wanted.emit(self.classes.currentData() or ""))
        self.clear.clicked.connect(self.cleared)
        self.request.finished.connect(self._on_mean_decoded)
        self.request.failed.connect(lambda text: self._show_means(None))
        self.members.opened.connect(self._on_opened)

    def refresh(self, scene: LatentState) -> None:
        self._offer_classes(scene)
        self.clear.setEnabled(bool(scene.group))
        if not scene.group:
            self._shown = ()
            self.counts.setText("")
            self.request.reset()
            self.show_message(EMPTY)
            return
        if self._shown != (scene.run, scene.group, id(scene.data)):
            self._shown = scene.run, scene.group, id(scene.data)
            self._show_members(scene)
            self._show_means(None)
        if scene.mapped.decodes:
            fields = {"run": scene.run, "data": scene.data.config, "places": scene.group}
            self.request.send(DecodeMean(panel=self.channel, **fields))
        self.reveal()

    def _offer_classes(self, scene: LatentState) -> None:
        titles = ["Select class…", *map(class_title, scene.mapped.classes)]
        if [self.classes.itemText(at) for at in range(self.classes.count())] != titles:
            self.classes.clear()
            for title, name in zip(titles, ("", *scene.mapped.classes), strict=True):
                self.classes.addItem(title, name)

    def _show_members(self, scene: LatentState) -> None:
        labels = [scene.mapped.labels[at] for place in scene.group if (at := scene.mapped.find(place)) >= 0]
        counted = " · ".join(f"{class_title(name)} {count}" for name, count in Counter(labels).most_common())
        scans = "1 image" if len(scene.group) == 1 else f"{format_count(len(scene.group))} images"
        self.counts.setText(f"{scans}: {counted}")
        self.members.set_images(cast(Array, scene.data.thumbnails), scene.data.names)  # an array, one at a time
        self.members.show_only(np.array([scene.row(place) for place in scene.group], np.intp))

    def _show_means(self, reply: DecodeMeanReply | None) -> None:
        """Show both means; without a reply only that of the pixels, from the thumbnails."""
        scene = self.scene
        if scene is None or not scene.group:
            return
        if reply is not None:
            decoded, pixels = reply.average[0], reply.pixel_mean[0]
            row = [BoardImage(DECODED, DECODED, decoded), BoardImage(PIXELS, PIXELS, pixels)]
            self.show_note(MEANS)
        else:
            rows = [scene.row(place) for place in scene.group]
            pixels = np.mean([scene.data.thumbnails[row] / np.float32(255) for row in rows], axis=0)
            row = [BoardImage(PIXELS, PIXELS, pixels.astype(np.float32))]
            without = f"{scene.title} cannot decode a mean latent code: its skip connections bypass the bottleneck."
            self.show_note("" if scene.mapped.decodes else without)
        self.board.set_pictures([row])

    def _on_mean_decoded(self, reply: DecodeMeanReply) -> None:
        if self.scene is not None and self.scene.group:
            self._show_means(reply)
            self.reveal()

    def _on_opened(self, row: int) -> None:
        if self.scene is not None:
            rows = {self.scene.row(place): place for place in self.scene.group}
            self.chosen.emit(rows[row])
