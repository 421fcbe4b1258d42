"""Paths through the latent space: the interpolation between two images, and the traversal of one dimension."""

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSlider, QVBoxLayout

from engine.messages import Interpolate, InterpolateReply, TraverseDimension, TraverseDimensionReply
from gui.formatting import format_number, format_percent
from gui.panels.latent.latent_map import LatentState, Place
from gui.panels.latent.page import CHOOSE, WORKING, LatentPage
from gui.pixmaps import Colormap, robust_limit
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.image_board import BoardImage, ImageBoard
from gui.widgets.labels import ElidedLabel, label
from gui.widgets.number_model import TableColumn, TableRow
from gui.widgets.number_table import NumberTable
from gui.widgets.view_state import ViewState

INTERPOLATION_STEPS = 9
NEEDS_TWO = "Select a first image on the map, then another. The interpolation from A to B appears here."
PATHS = {"linear": "Linear", "spherical": "Spherical (slerp)"}
ABOUT = (
    "Above: decoded interpolated latent codes. Below: pixel-wise blend of A and B. Intermediate images are synthetic; "
    "do not interpret anatomy in them."
)
TRAVERSAL_STEPS = 21
TABLE_PX = 232
ENDS = "The slider covers the 1st to 99th percentile of this dimension over the training images."


class InterpolationPage(LatentPage):
    """Two rows of images from A to B."""

    name = "between"
    pair_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.first: Place | None = None
        self.second: Place | None = None
        self.path, self.swap = QComboBox(), Button("Swap")
        self.here, self.there, self.names = Button("Set as A"), Button("Set as B"), ElidedLabel()
        for key, title in PATHS.items():
            self.path.addItem(title, key)
        self.path.setAccessibleName("interpolation method")
        self.here.setToolTip("Use the selected image as A")
        self.there.setToolTip("Use the selected image as B")
        self.names.setProperty("role", "caption")
        for part in (self.here, self.there, self.swap, self.path, self.names):
            self.bar.addWidget(part)
        self.bar.addStretch()
        self.board = ImageBoard(ViewState(parent=self), lambda view: view.set_orientation(""))
        column = QVBoxLayout(self.content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.board)
        self.here.clicked.connect(lambda: self._set_pair(self.scene.chosen if self.scene else None, self.second))
        self.there.clicked.connect(lambda: self._set_pair(self.first, self.scene.chosen if self.scene else None))
        self.swap.clicked.connect(lambda: self._set_pair(self.second, self.first))
        self.path.activated.connect(self._again)
        self.request.finished.connect(self._on_interpolated)

    def points(self) -> dict[Place, str]:
        """Return A and B."""
        named = ((self.first, "A"), (self.second, "B"))
        return {place: letter for place, letter in named if place is not None}

    def add_endpoint(self, place: Place) -> None:
        """Take a selected image as A, the next one as B, until they are set otherwise."""
        if self.first is None:
            self.first = place
        elif self.second is None and place != self.first:
            self.second = place

    def forget(self) -> None:
        """Clear A and B: another dataset was loaded."""
        self.first = self.second = None

    def refresh(self, scene: LatentState) -> None:
        for button in (self.here, self.there):
            button.setEnabled(scene.chosen is not None)
        self.swap.setEnabled(self.first is not None and self.second is not None)
        named = [f"{letter} {scene.name(place)}" for place, letter in self.points().items()]
        self.names.setText(" → ".join(named))
        if self.cannot_decode(scene):
            return
        if self.first is None or self.second is None:
            self.show_message(NEEDS_TWO)
            return
        message = Interpolate(
            panel=self.channel,
            run=scene.run,
            data=scene.data.config,
            first=self.first,
            second=self.second,
            steps=INTERPOLATION_STEPS,
            path=self.path.currentData(),
        )
        if self.request.send(message) and self.message():
            self.show_message(WORKING)

    def _set_pair(self, first: Place | None, second: Place | None) -> None:
        self.first, self.second = first, second
        self._again()
        self.pair_changed.emit()

    def _again(self) -> None:
        if self.scene is not None:
            self.refresh(self.scene)

    def _on_interpolated(self, reply: InterpolateReply) -> None:
        titles = [format_percent(share) for share in reply.shares]
        titles[0], titles[-1] = "A", "B"
        self.board.set_pictures(
            [
                [BoardImage(f"decoded-{at}", titles[at], image) for at, image in enumerate(reply.images)],
                [BoardImage(f"faded-{at}", "faded" if at == 0 else "", image) for at, image in enumerate(reply.faded)],
            ]
        )
        self.reveal()
        self.show_note(ABOUT)


class TraversalPage(LatentPage):
    """The dimensions, most informative first; the image decoded with a changed value, and the difference."""

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
        self.slider.setRange(0, TRAVERSAL_STEPS - 1)
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
        """Return the dimension that is selected in the table."""
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
        message = TraverseDimension(panel=self.channel, **scene.subject(), dimension=dimension, steps=TRAVERSAL_STEPS)
        if self.request.send(message) and self.message():
            self.show_message(WORKING)

    def _list(self, scene: LatentState) -> None:
        """List the dimensions, the most informative first."""
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
        """Show the image at the slider's value; the reply contains the images of all values."""
        if self._reply is None:
            return
        at = min(self.slider.value(), len(self._reply.images) - 1)
        own, image, value = self._reply.reconstruction[0], self._reply.images[at], self._reply.values[at]
        limit = format_number(self.state.view.limit, 2)
        self.value.setText(f"value {format_number(value, 3)} · difference ± {limit}")
        row = [
            BoardImage("own", "reconstruction", own),
            BoardImage("walked", f"with {format_number(value, 3)}", image),
            BoardImage("change", "difference", image - own, Colormap.SIGNED),
        ]
        self.board.set_pictures([row])
