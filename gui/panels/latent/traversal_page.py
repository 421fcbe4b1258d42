"""One latent number changed, all others left: what it does to the chosen scan."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout

from engine.messages import TraverseDimension, TraverseDimensionReply
from gui.panels.latent.latent_map import LatentState
from gui.panels.latent.page import CHOOSE, WORKING, LatentPage
from gui.pixmaps import Colormap, robust_limit
from gui.session import Session
from gui.widgets.image_board import ImageBoard, Picture
from gui.widgets.labels import format_number, label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable
from gui.widgets.view_state import ViewState

STEPS = 21
TABLE_PX = 232
ENDS = "The slider covers the 1st to 99th percentile of this dimension over the training images."


class TraversalPage(LatentPage):
    """The numbers in order of what they say, the picture, and what has changed in it."""

    name = "walk"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.state = ViewState(parent=self)
        self.table = NumberTable(
            (TableColumn("Dimension", str, False), TableColumn("variance"), TableColumn("", str, False))
        )
        self.table.setAccessibleName("latent dimensions, most informative first")
        self.table.setFixedWidth(TABLE_PX)
        self.board = ImageBoard(self.state, lambda view: view.set_orientation(""))
        self.slider, self.value = QSlider(Qt.Orientation.Horizontal), label(role="caption")
        self.slider.setRange(0, STEPS - 1)
        self.slider.setAccessibleName("value of the latent dimension")
        self._reply: TraverseDimensionReply | None = None
        self._listed: object = None
        self._lay_out()
        self.slider.valueChanged.connect(self._show)
        self.table.chosen.connect(lambda keys: self._on_dimension_chosen())
        self.request.finished.connect(self._on_traversed)

    def _lay_out(self) -> None:
        line, below, column = QHBoxLayout(self.content), QHBoxLayout(), QVBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(14)
        line.addWidget(self.table)
        line.addLayout(column, 1)
        column.addWidget(self.board, 1)
        column.addLayout(below)
        below.addWidget(self.slider, 1)
        below.addWidget(self.value)
        self.value.setMinimumWidth(210)

    def dimension(self) -> int | None:
        """The number that is chosen in the table."""
        keys = self.table.chosen_keys()
        return int(keys[0]) if keys else None

    def refresh(self, scene: LatentState) -> None:
        if self.cannot_decode(scene):
            return
        self._list(scene)
        if not scene.has_subject:
            self.show_message(CHOOSE)
            return
        dimension = self.dimension()
        if dimension is None:
            return
        message = TraverseDimension(panel=self.channel, **scene.subject(), dimension=dimension, steps=STEPS)
        if self.request.send(message) and self.message():
            self.show_message(WORKING)

    def _list(self, scene: LatentState) -> None:
        """List the numbers, the one that says most first."""
        if self._listed is scene.mapped.dimensions:
            return
        self._listed, found = scene.mapped.dimensions, scene.mapped.dimensions
        self.table.set_columns(
            (TableColumn("Dimension", str, False), TableColumn(found.measure), TableColumn("", str, False))
        )
        rows = [
            TableRow(
                str(at),
                (str(at), value, "" if active else "inactive (collapsed)"),
                roles={} if active else {2: "danger"},
            )
            for at, value, active in zip(found.order, found.value, found.active, strict=True)
        ]
        with QSignalBlocker(self.table):
            self.table.set_rows(rows)
            self.table.select([str(found.order[0])] if found.order else [])

    def _on_dimension_chosen(self) -> None:
        if self.scene is not None:
            self.refresh(self.scene)

    def _on_traversed(self, reply: TraverseDimensionReply) -> None:
        self._reply = reply
        with QSignalBlocker(self.slider):
            self.slider.setValue(int(np.abs(np.asarray(reply.values) - reply.own).argmin()))
        self.state.update(limit=max(robust_limit(reply.images[[0, -1]] - reply.reconstruction[0]), 0.01))
        self.show_note(f"{reply.name.rsplit('/', 1)[-1]}: own value {format_number(reply.own, 3)}. {ENDS}")
        self._show()
        self.reveal()

    def _show(self) -> None:
        """Show the picture at the slider; all of them are there, so nothing is asked."""
        if self._reply is None:
            return
        at = min(self.slider.value(), len(self._reply.images) - 1)
        own, image, value = self._reply.reconstruction[0], self._reply.images[at], self._reply.values[at]
        limit = format_number(self.state.view.limit, 2)
        self.value.setText(f"value {format_number(value, 3)} · difference ± {limit}")
        row = [
            Picture("own", "reconstruction", own),
            Picture("walked", f"with {format_number(value, 3)}", image),
            Picture("change", "difference", image - own, Colormap.SIGNED),
        ]
        self.board.set_pictures([row])
