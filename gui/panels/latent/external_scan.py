"""A scan from a file: opened in a throw-away process of the engine, then given its place on the map."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import OpenScan, ProjectScan
from gui.opened_scan import from_answer
from gui.panels.latent.explorer_request import ExplorerRequest
from gui.panels.latent.latent_map import LatentState, Place
from gui.panels.latent.options_card import METHODS
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
    """Where a file's scan lies: at a point, or, where the map has no place for it, near these scans; and in words."""

    title: str
    point: Point | None
    near: tuple[Place, ...]
    note: str


class ExternalScanLoader(QObject):
    """Opens files and places them; opened tells an OpenedScan, placed a Guest, failed why there is none."""

    opened = Signal(object)
    placed = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._opening, self._placing = (
            ExplorerRequest(session, "latent-file", self),
            ExplorerRequest(session, "latent-place", self),
        )
        self._path = ""
        self._scene: LatentState | None = None
        self._method = ""
        self._opening.found.connect(lambda content: self.opened.emit(from_answer(self._path, content)))
        self._placing.found.connect(self._on_placed)
        for asking in (self._opening, self._placing):
            asking.failed.connect(self.failed)

    def open(self, path: str) -> None:
        """Open a file; one that was opened before may have changed."""
        self._path = path
        self._opening.reset()
        self._opening.ask(OpenScan, path=path)

    def request_position(self, scene: LatentState, method: str) -> None:
        """Ask where the opened scan of a scene lies on its map."""
        self._scene, self._method = scene, method
        splits = tuple(dict.fromkeys(scene.mapped.splits))
        self._placing.reset()
        self._placing.ask(ProjectScan, **scene.subject(), splits=splits, method=method, count=NEAREST)

    def close(self) -> None:
        """There is no scan from a file any more."""
        self._opening.reset()
        self._placing.reset()

    def _on_placed(self, content: dict[str, Any]) -> None:
        scene = self._scene
        if scene is None or scene.opened is None:
            return
        title, point = scene.opened.title, content["point"]
        if point is not None:
            self.placed.emit(ExternalScan(title, (point[0], point[1]), (), PLACED.format(name=title)))
            return
        near = tuple(place for index in content["nearest"] if scene.mapped.find(place := ("train", index)) >= 0)
        note = (NO_PLACE if near else NOT_HERE).format(method=METHODS[self._method], name=title)
        self.placed.emit(ExternalScan(title, None, near, note))
