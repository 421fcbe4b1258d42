"""Answers about where scans lie: the map, the dimensions, the neighbours of one scan."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.evaluation import scoring
from engine.explorer.latent_cache import LatentDataCache, QueryImage
from engine.latent import embedding, reports
from engine.latent.latent_data import LATENT, PIXEL, LatentData, flat, require
from engine.messages import EmbeddingErrors, EmbedLatents, FindNeighbors, ProjectScan, Request

MAPS_KEPT = 8


class LatentMapHandlers:
    """Answers requests about where scans lie."""

    def __init__(self, shelf: LatentDataCache) -> None:
        self._shelf = shelf
        self._embeddings: OrderedDict[Any, embedding.Embedding] = OrderedDict()
        self._running_job: tuple[Any, embedding.EmbeddingJob] | None = None

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any]]]:
        """What can be asked, and who answers it."""
        return {
            EmbedLatents: self.map,
            EmbeddingErrors: self.errors,
            ProjectScan: self.project_scan,
            FindNeighbors: self.neighbors,
        }

    def map(self, request: EmbedLatents) -> dict[str, Any]:
        """The map of some splits, and what the latent numbers say."""
        atlas = self._shelf.atlas(request)
        laid = self._lay_out(request, atlas)
        return {
            "run": request.run,
            "space": atlas.space.description,
            "decodes": atlas.space.kind != "features",
            "variational": atlas.space.kind == "posterior",
            "points": self._shelf.warm.save_array(laid.points),
            "axes": list(laid.axes),
            "note": laid.note,
            "methods": embedding.methods(),
            "classes": list(atlas.images.classes),
            **reports.scan_table(atlas, request.splits),
            "mse": None if (known := atlas.known_errors(*request.splits)) is None else known.tolist(),
            "dimensions": reports.dimensions(atlas),
            "collapse": reports.collapse(atlas),
        }

    def errors(self, request: EmbeddingErrors) -> dict[str, Any]:
        """How far the reconstruction of every scan is from it, in the order of the map."""
        return {"run": request.run, "mse": self._shelf.atlas(request).errors(*request.splits).tolist()}

    def project_scan(self, request: ProjectScan) -> dict[str, Any]:
        """The place of an image on a map, None where the map has none for it, and its nearest training scans."""
        atlas = self._shelf.atlas(request)
        laid, subject = self._lay_out(request, atlas), self._shelf.subject(request, atlas)
        means = atlas.space.encode(subject.image).means
        point = laid.transform(means)
        return {
            "run": request.run,
            "name": subject.name,
            "point": None if point is None else point[0].tolist(),
            "nearest": atlas.nearest(LATENT, means, request.count).indices[0].tolist(),
        }

    def neighbors(self, request: FindNeighbors) -> dict[str, Any]:
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
            "space": atlas.space.description,
            **found,
            "reconstruction": reports.neighbors_report(atlas, PIXEL, atlas.nearest(PIXEL, flat(made), request.count))[
                0
            ],
            "memorised": found[PIXEL]["memorised"],
            "sentence": reports.sentence(subject.name, found[PIXEL]),
        }

    def _near(self, atlas: LatentData, subject: QueryImage, points: Any, count: int) -> dict[str, Any]:
        where = PIXEL if points.shape[1] == subject.image.size else LATENT
        near = atlas.nearest(where, points, count, None if subject.key is None else (subject.key,))
        return reports.neighbors_report(atlas, where, near)[0]

    def _lay_out(self, request: EmbedLatents | ProjectScan, atlas: LatentData) -> embedding.Embedding:
        """The map: one that was laid out before, or the one on its way, which no other is beside."""
        codes = atlas.codes(*request.splits)
        # by what tells the atlas from others: itself it would live as long as its maps
        key = *atlas.key, request.splits, request.method, request.seed
        if key not in self._embeddings:
            atlas.progress(len(codes), len(codes))
            self._embeddings[key] = require(self._begun(key, request, atlas).go_on(atlas.should_stop))
            self._running_job = None
        self._embeddings.move_to_end(key)
        while len(self._embeddings) > MAPS_KEPT:
            self._embeddings.popitem(last=False)
        return self._embeddings[key]

    def _begun(self, key: Any, request: EmbedLatents | ProjectScan, atlas: LatentData) -> embedding.EmbeddingJob:
        """The layout under a key, begun where it is not; one under another key is given up."""
        if self._running_job is None or self._running_job[0] != key:
            if self._running_job is not None:
                self._running_job[1].close()
            counts = [len(atlas.images.splits[split]) for split in request.splits]
            train = np.repeat([split == "train" for split in request.splits], counts)
            codes = atlas.codes(*request.splits)
            self._running_job = key, embedding.EmbeddingJob(codes.means, train, request.method, request.seed)
        return self._running_job[1]
