"""What lies between two scans: decoded latents on the way, beside one picture fading into the other."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout

from engine.messages import Interpolate, InterpolateReply
from gui.panels.latent.latent_map import LatentState, Place
from gui.panels.latent.page import WORKING, LatentPage
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.elided_label import ElidedLabel
from gui.widgets.image_board import ImageBoard, Picture
from gui.widgets.labels import percent
from gui.widgets.view_state import ViewState

STEPS = 9
NEEDS_TWO = "Select a first image on the map, then another. The interpolation from A to B appears here."
PATHS = {"linear": "Linear", "spherical": "Spherical (slerp)"}
ABOUT = (
    "Above: decoded interpolated latent codes. Below: pixel-wise blend of A and B. Intermediate images are synthetic; "
    "do not interpret anatomy in them."
)


class InterpolationPage(LatentPage):
    """Two rows of pictures from A to B."""

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
        named = ((self.first, "A"), (self.second, "B"))
        return {place: letter for place, letter in named if place is not None}

    def add_endpoint(self, place: Place) -> None:
        """Hear that a scan was chosen: the first one is A, the next one B, until they are set otherwise."""
        if self.first is None:
            self.first = place
        elif self.second is None and place != self.first:
            self.second = place

    def forget(self) -> None:
        """Begin anew: other data were loaded."""
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
            steps=STEPS,
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
        titles = [percent(share) for share in reply.shares]
        titles[0], titles[-1] = "A", "B"
        self.board.set_pictures(
            [
                [Picture(f"decoded-{at}", titles[at], image) for at, image in enumerate(reply.images)],
                [Picture(f"faded-{at}", "faded" if at == 0 else "", image) for at, image in enumerate(reply.faded)],
            ]
        )
        self.reveal()
        self.show_note(ABOUT)
