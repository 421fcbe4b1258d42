"""How far the run's reconstruction of every scan is from it: asked for once it is the colour of the map."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.messages import EmbeddingErrors, EmbeddingErrorsReply
from gui.explorer_request import ExplorerRequest
from gui.panels.latent.latent_map import LatentState
from gui.session import Session

MEASURING = "Computing reconstruction errors of all images…"


class ErrorLoader(QObject):
    """Asks for errors; found tells them as an array in the order of the map, told how far they are, '' at the end."""

    found = Signal(object)
    told = Signal(str)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._asking = ExplorerRequest(session, self)
        self._asking.finished.connect(self._on_found)
        self._asking.failed.connect(self._on_failed)
        self._asking.progressed.connect(lambda done, total: self.told.emit(f"{MEASURING} {100 * done // total}%"))

    def request_errors(self, scene: LatentState, colour: str) -> None:
        """Ask for the errors of a map where they are its colour and are not there: they take longer than the map."""
        if colour != "error" or scene.mapped.errors is not None:
            return
        splits = tuple(dict.fromkeys(scene.mapped.splits))
        fields = {"run": scene.run, "data": scene.data.config, "splits": splits}
        if self._asking.send(EmbeddingErrors(panel="latent-errors", **fields)):
            self.told.emit(MEASURING)

    def forget(self) -> None:
        """There is another map: what was asked for is no longer wanted."""
        self._asking.reset()

    def _on_found(self, reply: EmbeddingErrorsReply) -> None:
        self.told.emit("")
        self.found.emit(np.asarray(reply.mse, np.float64))

    def _on_failed(self, why: str) -> None:
        self.told.emit("")
        self.failed.emit(why)
