"""The map of a reply, what the parts of the panel share, and where an image from a file lies on the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine.messages import DimensionReport, EmbedLatentsReply, ProjectScan, ProjectScanReply
from gui.explorer_request import ExplorerRequest
from gui.formatting import format_number
from gui.loaded_data import PARTS, LoadedData, class_title
from gui.opened_files import OpenedScan
from gui.session import Session
from gui.widgets.scatter.model import Mark, Numbers, Point, Scatter
from gui.widgets.scatter.paint import SHAPES

Place = tuple[str, int]  # a split, and the index of an image in it
COLORS = {"class": "Class", "split": "Split", "error": "Reconstruction error (MSE)", "leak": "Leaked test images"}
METHODS = {"pca": "Principal components", "tsne": "t-SNE", "umap": "UMAP"}
UNLABELLED = "unlabeled"
LEAKED, CLEAN, TRAINED = "test, leaked", "test, deduplicated", "training and validation"
NEAREST = 4
PLACED = "⊕ {name} is projected onto the same principal components."
NO_PLACE = (
    "{method} cannot place a new image. The numbered points are the training images nearest to {name} in latent space, "
    "nearest first."
)
NOT_HERE = "{method} cannot place a new image, and its nearest training images are not on the map."


@dataclass(frozen=True, eq=False)
class LatentMap:
    """Points (n, 2), in the same order what is known of each image, and the statistics of the latent dimensions."""

    points: Numbers
    axes: tuple[str, str]
    note: str
    space: str
    decodes: bool
    variational: bool
    methods: dict[str, str]
    classes: tuple[str, ...]
    splits: tuple[str, ...]
    indices: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    errors: Numbers | None
    leaked: tuple[bool, ...]
    dimensions: DimensionReport
    collapse: str

    def key_at(self, at: int) -> Place:
        """Return the image of a point."""
        return self.splits[at], self.indices[at]

    def find_first(self) -> Place | None:
        """Return the first test image, or the first image if there is none of the test set; None for an empty map."""
        return self.key_at(self.splits.index("test") if "test" in self.splits else 0) if self.splits else None

    def find(self, place: Place | None) -> int:
        """Return the index of an image's point; -1 if it is not on the map."""
        return self._index_by_key.get(place, -1) if place else -1

    @cached_property
    def _index_by_key(self) -> dict[Place, int]:
        return {place: at for at, place in enumerate(zip(self.splits, self.indices, strict=True))}

    def text(self, at: int) -> list[str]:
        """Return the lines of a point's tooltip."""
        leak = " · leaked" if self.leaked[at] else ""
        groups = f"{class_title(self.labels[at])} · {PARTS[self.splits[at]]}{leak}"
        error = [] if self.errors is None else [f"MSE {format_number(float(self.errors[at]), 3)}"]
        return [short(self.names[at]), groups, *error]


def to_map(reply: EmbedLatentsReply) -> LatentMap:
    """Return the map of a reply."""
    return LatentMap(
        points=reply.points.astype(np.float64),
        axes=reply.axes,
        note=reply.note,
        space=reply.space,
        decodes=reply.decodes,
        variational=reply.variational,
        methods=reply.methods,
        classes=reply.classes,
        splits=reply.split,
        indices=reply.index,
        names=reply.name,
        labels=tuple(label or UNLABELLED for label in reply.label),
        errors=None if reply.mse is None else np.asarray(reply.mse, np.float64),
        leaked=reply.leaked,
        dimensions=reply.dimensions,
        collapse=reply.collapse.sentence or "",
    )


def to_scatter(mapped: LatentMap, color: str) -> Scatter:
    """Return the points grouped by class, split or leak, or colored by error with the shapes of the splits.

    Until the errors are known, the splits have their own colors.
    """
    if color == "class":
        named = [*mapped.classes, *([UNLABELLED] if UNLABELLED in mapped.labels else [])]
        return _grouped(mapped, [class_title(each) for each in named], [class_title(each) for each in mapped.labels])
    if color == "leak":
        return _by_leak(mapped)
    splits = [split for split in ("train", "validation", "test") if split in mapped.splits]
    made = _grouped(mapped, [PARTS[split] for split in splits], [PARTS[split] for split in mapped.splits])
    if color == "error" and mapped.errors is not None:
        return Scatter(made.points, made.groups, made.marks, made.axes, mapped.errors, "MSE")
    return made


def _grouped(mapped: LatentMap, titles: Sequence[str], own: Sequence[str]) -> Scatter:
    places = {title: place for place, title in enumerate(titles)}
    marks = tuple(Mark(title, f"series:{place % 8}", SHAPES[place % len(SHAPES)]) for place, title in enumerate(titles))
    return Scatter(mapped.points, np.array([places[each] for each in own], np.int64), marks, mapped.axes)


def _by_leak(mapped: LatentMap) -> Scatter:
    groups = [
        (2 if leaked else 1) if split == "test" else 0
        for split, leaked in zip(mapped.splits, mapped.leaked, strict=True)
    ]
    marks = Mark(TRAINED, "role:quiet", "circle"), Mark(CLEAN, "series:0", "square"), Mark(LEAKED, "series:1", "down")
    return Scatter(mapped.points, np.array(groups, np.int64), marks, mapped.axes)


def short(name: str) -> str:
    """Return 'glioma_tumor / image(59)' of a path within a source."""
    folders, _, file = name.rpartition("/")
    stem = file.rsplit(".", 1)[0]
    return f"{folders.rsplit('/', 1)[-1]} / {stem}" if folders else stem


@dataclass(frozen=True, eq=False)
class LatentState:
    """What the parts of the panel show: a run, its map, the selected image and the selected group.

    The selected image is either in the dataset (`chosen`) or from a file (`opened`).
    """

    run: str
    title: str
    data: LoadedData
    mapped: LatentMap
    chosen: Place | None = None
    group: tuple[Place, ...] = ()
    opened: OpenedScan | None = None

    @property
    def has_subject(self) -> bool:
        """Return whether an image is selected."""
        return self.chosen is not None or self.opened is not None

    @property
    def subject_title(self) -> str:
        if self.opened is not None:
            return self.opened.title
        return f"{self.name(self.chosen)} · {PARTS[self.chosen[0]]}" if self.chosen else ""

    def row(self, place: Place) -> int:
        """Return the row of an image in the array of thumbnails."""
        return int(self.data.rows(place[0])[place[1]])

    def name(self, place: Place) -> str:
        return short(self.data.names[self.row(place)])

    def subject(self) -> dict[str, Any]:
        """Return the fields of a request about the selected image."""
        if self.opened is not None:
            return {"run": self.run, "data": self.data.config, "scan": self.opened.path, "slice": self.opened.slice}
        assert self.chosen is not None
        split, index = self.chosen
        return {"run": self.run, "data": self.data.config, "split": split, "indices": (index,)}


@dataclass(frozen=True)
class ExternalScan:
    """The position of an image from a file: its point, or the nearest images if the map has no point for it."""

    title: str
    point: Point | None
    near: tuple[Place, ...]
    note: str


class ExternalScanLoader(QObject):
    """Projects files: placed carries an ExternalScan, failed one text with reason and advice."""

    placed = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._project_request = ExplorerRequest(session, self)
        self._scene: LatentState | None = None
        self._method = ""
        self._project_request.finished.connect(self._on_projected)
        self._project_request.failed.connect(self.failed)

    def request_position(self, scene: LatentState, method: str) -> None:
        """Request the position of the opened image on the map."""
        self._scene, self._method = scene, method
        splits = tuple(dict.fromkeys(scene.mapped.splits))
        fields = scene.subject() | {"splits": splits, "method": method, "count": NEAREST}
        self._project_request.reset()
        self._project_request.send(ProjectScan(panel="latent-place", **fields))

    def close(self) -> None:
        """Forget the file."""
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
