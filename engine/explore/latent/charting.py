"""Answers about where scans lie: the map, the dimensions, the neighbours of one scan."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import scoring
from engine.explore.latent import mapping, reports
from engine.explore.latent.atlas import LATENT, PIXEL, Atlas, flat
from engine.explore.latent.shelf import Shelf, Subject
from engine.messages import MapLatent, Neighbours, Request


class Charting:
    """Answers requests about where scans lie."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._laid: tuple[Any, mapping.Map] | None = None

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any]]]:
        """What can be asked, and who answers it."""
        return {MapLatent: self.map, Neighbours: self.neighbours}

    def map(self, request: MapLatent) -> dict[str, Any]:
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
            "dimensions": reports.dimensions(atlas),
            "collapse": reports.collapse(atlas),
        }

    def neighbours(self, request: Neighbours) -> dict[str, Any]:
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

    def _lay_out(self, request: MapLatent, atlas: Atlas) -> mapping.Map:
        codes = atlas.codes(*request.splits)
        key = atlas.run.path, atlas.images.fingerprint, request.splits, request.method, request.seed, id(atlas)
        if self._laid is None or self._laid[0] != key:
            counts = [len(atlas.images.splits[split]) for split in request.splits]
            train = np.repeat([split == "train" for split in request.splits], counts)
            self._laid = key, mapping.lay_out(codes.means, train, request.method, request.seed)
        return self._laid[1]
