"""The base of the pages of the tools card."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gui.explorer_request import ExplorerRequest
from gui.panels.latent.latent_map import LatentState
from gui.session import Session
from gui.widgets.labels import label

CHOOSE = "Select an image: click its point on the map."
WORKING = "Computing…"


class LatentPage(QWidget):
    """Controls above the content, or a message in place of the content.

    A page sends its requests once it is visible. channel is the `panel` of its requests.
    """

    name = ""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.scene: LatentState | None = None
        self.channel, self.request = f"latent-{self.name}", ExplorerRequest(session, self)
        self.bar, self.content = QHBoxLayout(), QWidget()
        self.note, self._message = label(role="caption", wrap=True), label(role="quiet", wrap=True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._message)
        self._pages.addWidget(self.content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.bar.setSpacing(8)
        column.addLayout(self.bar)
        column.addWidget(self._pages, 1)
        column.addWidget(self.note)
        self.note.hide()
        self.request.failed.connect(self.show_message)

    def set_state(self, scene: LatentState) -> None:
        """Work on a scene: request what is missing."""
        self.scene = scene
        self.refresh(scene)

    def refresh(self, scene: LatentState) -> None:
        """Show the scene."""

    def points(self) -> dict[tuple[str, int], str]:
        """Return the images that the map marks for this page, with a letter each."""
        return {}

    def show_message(self, text: str) -> None:
        """Show a message in place of the content."""
        self._message.setText(text)
        self._pages.setCurrentWidget(self._message)
        self.show_note("")

    def reveal(self) -> None:
        """Show the content."""
        self._pages.setCurrentWidget(self.content)

    def message(self) -> str:
        """Return the message that is shown; empty while the content is shown."""
        return self._message.text() if self._pages.currentWidget() is self._message else ""

    def show_note(self, text: str) -> None:
        """Show a note below the content."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def cannot_decode(self, scene: LatentState) -> bool:
        """Return whether the model cannot decode a latent code alone; show why if so."""
        if not scene.mapped.decodes:
            self.show_message(
                f"{scene.title} cannot generate an image from a latent code alone: its skip connections bypass the "
                f"bottleneck. The map and nearest neighbors use its {scene.mapped.space}. Choose an autoencoder or a "
                "VAE."
            )
        return not scene.mapped.decodes
