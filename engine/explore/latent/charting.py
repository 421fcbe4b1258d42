"""Answers about where scans lie: the map, the dimensions, the neighbours of one scan."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.evaluation import scoring
from engine.explore.latent import mapping, reports
from engine.explore.latent.atlas import LATENT, PIXEL, Atlas, flat, there
from engine.explore.latent.shelf import Shelf, Subject
from engine.messages import EmbeddingErrors, EmbedLatents, FindNeighbors, ProjectScan, Request

MAPS_KEPT = 8


class Charting:
    """Answers requests about where scans lie."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._laid: OrderedDict[Any, mapping.Map] = OrderedDict()
        self._going_on: tuple[Any, mapping.Layout] | None = None

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any]]]:
        """What can be asked, and who answers it."""
        return {
            EmbedLatents: self.map,
            EmbeddingErrors: self.errors,
            ProjectScan: self.place,
            FindNeighbors: self.neighbours,
        }

    def map(self, request: EmbedLatents) -> dict[str, Any]:
        """The map of some splits, and what the latent numbers say."""
        atlas = self._shelf.atlas(request)
        laid = self._lay_out(request, atlas)
        return {
            "run": request.run,
            "space": atlas.space.words,
            "decodes": atlas.space.kind != "features",
            "variational": atlas.space.kind == "posterior",
            "points": self._shelf.warm.write(laid.points),
            "axes": list(laid.axes),
            "note": laid.note,
            "methods": mapping.methods(),
            "classes": list(atlas.images.classes),
            **reports.scans(atlas, request.splits),
            "mse": None if (known := atlas.known_errors(*request.splits)) is None else known.tolist(),
            "dimensions": reports.dimensions(atlas),
            "collapse": reports.collapse(atlas),
        }

    def errors(self, request: EmbeddingErrors) -> dict[str, Any]:
        """How far the reconstruction of every scan is from it, in the order of the map."""
        return {"run": request.run, "mse": self._shelf.atlas(request).errors(*request.splits).tolist()}

    def place(self, request: ProjectScan) -> dict[str, Any]:
        """The place of an image on a map, None where the map has none for it, and its nearest training scans."""
        atlas = self._shelf.atlas(request)
        laid, subject = self._lay_out(request, atlas), self._shelf.subject(request, atlas)
        means = atlas.space.encode(subject.image).means
        point = laid.place(means)
        return {
            "run": request.run,
            "name": subject.name,
            "point": None if point is None else point[0].tolist(),
            "nearest": atlas.near(LATENT, means, request.count).indices[0].tolist(),
        }

    def neighbours(self, request: FindNeighbors) -> dict[str, Any]:
        """The nearest training scans of an image, and those of what the run makes of it."""
        atlas = self._shelf.atlas(request)
        subject = self._shelf.subject(request, atlas)
        code = atlas.space.encode(subject.image)
        found = {
            PIXEL: self._near(atlas, subject, flat(subject.image), request.count),
            LATENT: self._near(atlas, subject, code.means, request.count),
        }
        made = scoring.reconstruct(atlas.space.model, subject.image)
        return {
            "run": request.run,
            "name": subject.name,
            "space": atlas.space.words,
            **found,
            "reconstruction": reports.near(atlas, PIXEL, atlas.near(PIXEL, flat(made), request.count))[0],
            "memorised": found[PIXEL]["memorised"],
            "sentence": reports.sentence(subject.name, found[PIXEL]),
        }

    def _near(self, atlas: Atlas, subject: Subject, points: Any, count: int) -> dict[str, Any]:
        where = PIXEL if points.shape[1] == subject.image.size else LATENT
        near = atlas.near(where, points, count, None if subject.key is None else (subject.key,))
        return reports.near(atlas, where, near)[0]

    def _lay_out(self, request: EmbedLatents | ProjectScan, atlas: Atlas) -> mapping.Map:
        """The map: one that was laid out before, or the one on its way, which no other is beside."""
        codes = atlas.codes(*request.splits)
        # by what tells the atlas from others: itself it would live as long as its maps
        key = *atlas.key, request.splits, request.method, request.seed
        if key not in self._laid:
            atlas.progress(len(codes), len(codes))
            self._laid[key] = there(self._begun(key, request, atlas).go_on(atlas.should_stop))
            self._going_on = None
        self._laid.move_to_end(key)
        while len(self._laid) > MAPS_KEPT:
            self._laid.popitem(last=False)
        return self._laid[key]

    def _begun(self, key: Any, request: EmbedLatents | ProjectScan, atlas: Atlas) -> mapping.Layout:
        """The layout under a key, begun where it is not; one under another key is given up."""
        if self._going_on is None or self._going_on[0] != key:
            if self._going_on is not None:
                self._going_on[1].close()
            counts = [len(atlas.images.splits[split]) for split in request.splits]
            train = np.repeat([split == "train" for split in request.splits], counts)
            codes = atlas.codes(*request.splits)
            self._going_on = key, mapping.Layout(codes.means, train, request.method, request.seed)
        return self._going_on[1]
