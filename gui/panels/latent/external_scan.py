"""An image from a file: the engine opens it and projects it onto the map."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from engine.messages import OpenScan, ProjectScan, ProjectScanReply
from gui.explorer_request import ExplorerRequest
from gui.opened_scan import opened_scan_from
from gui.panels.latent.latent_map import METHODS, LatentState, Place
from gui.session import Session
from gui.widgets.scatter.model import Point

NEAREST = 4
PLACED = "⊕ {name} is projected onto the same principal components."
NO_PLACE = (
    "{method} cannot place a new image. The numbered points are the training images nearest to {name} in latent space, "
    "nearest first."
)
NOT_HERE = "{method} cannot place a new image, and its nearest training images are not on the map."


@dataclass(frozen=True)
class ExternalScan:
    """The position of an image from a file: its point, or the nearest images if the map has no point for it."""

    title: str
    point: Point | None
    near: tuple[Place, ...]
    note: str


class ExternalScanLoader(QObject):
    """Opens files and projects them.

    opened carries an OpenedScan, placed an ExternalScan, failed one text with reason and advice.
    """

    opened = Signal(object)
    placed = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._open_request, self._project_request = ExplorerRequest(session, self), ExplorerRequest(session, self)
        self._path = ""
        self._scene: LatentState | None = None
        self._method = ""
        self._open_request.finished.connect(lambda reply: self.opened.emit(opened_scan_from(self._path, reply)))
        self._project_request.finished.connect(self._on_projected)
        for request in (self._open_request, self._project_request):
            request.failed.connect(self.failed)

    def open(self, path: str) -> None:
        """Open a file, also one that was opened before: it may have changed."""
        self._path = path
        self._open_request.reset()
        self._open_request.send(OpenScan(panel="latent-file", path=path))

    def request_position(self, scene: LatentState, method: str) -> None:
        """Request the position of the opened image on the map."""
        self._scene, self._method = scene, method
        splits = tuple(dict.fromkeys(scene.mapped.splits))
        fields = scene.subject() | {"splits": splits, "method": method, "count": NEAREST}
        self._project_request.reset()
        self._project_request.send(ProjectScan(panel="latent-place", **fields))

    def close(self) -> None:
        """Forget the file."""
        self._open_request.reset()
        self._project_request.reset()

    def _on_projected(self, reply: ProjectScanReply) -> None:
        scene = self._scene
        if scene is None or scene.opened is None:
            return
        title = scene.opened.title
        if reply.point is not None:
            self.placed.emit(ExternalScan(title, reply.point, (), PLACED.format(name=title)))
            return
        near = tuple(place for index in reply.nearest if scene.mapped.find(place := ("train", index)) >= 0)
        note = (NO_PLACE if near else NOT_HERE).format(method=METHODS[self._method], name=title)
        self.placed.emit(ExternalScan(title, None, near, note))
