"""Handlers of the requests about latent spaces, and of those about where images lie in one."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import runs
from engine.evaluation import scoring
from engine.explorer.context import ExplorerContext, ResumableJobs
from engine.explorer.latent_cache import Handler, LatentDataCache, QueryImage
from engine.explorer.latent_decode_handlers import DecodeHandlers, PosteriorHandlers
from engine.latent import embedding, reports
from engine.latent.distribution import DistributionReference, is_calibrated_by_patient
from engine.latent.latent_data import LATENT, PIXEL, LatentData, flat
from engine.lru_cache import LRUCache
from engine.messages import (
    EmbeddingErrors,
    EmbeddingErrorsReply,
    EmbedLatents,
    EmbedLatentsReply,
    FindNeighbors,
    FindNeighborsReply,
    JudgeScan,
    JudgeScanReply,
    NeighborReport,
    ProjectScan,
    ProjectScanReply,
    Request,
)

MAX_EMBEDDINGS, MAX_REFERENCES = 8, 4


def latent_handlers(context: ExplorerContext) -> dict[type[Request], Handler]:
    """Return the handlers of all requests about latent spaces."""
    cache = LatentDataCache(context)
    groups: tuple[Any, ...] = MapHandlers(cache), DecodeHandlers(cache), PosteriorHandlers(cache)
    return {kind: handler for group in groups for kind, handler in group.handlers().items()}


class MapHandlers:
    """Handlers of the requests about where images lie: the map and the neighbors of one image."""

    def __init__(self, cache: LatentDataCache) -> None:
        self._cache = cache
        self._embeddings: LRUCache[Any, embedding.Embedding] = LRUCache(MAX_EMBEDDINGS)
        self._references: LRUCache[Any, DistributionReference] = LRUCache(MAX_REFERENCES)
        # One job: a map that is no longer wanted is canceled by the next.
        self._running_jobs = ResumableJobs(max_jobs=1)

    def handlers(self) -> dict[type[Request], Handler]:
        """Return the handler of each kind of request."""
        return {
            EmbedLatents: self.embed,
            EmbeddingErrors: self.errors,
            ProjectScan: self.project_scan,
            FindNeighbors: self.find_neighbors,
            JudgeScan: self.judge_scan,
        }

    def embed(self, request: EmbedLatents) -> EmbedLatentsReply:
        """Return the map of some splits, and the statistics of the latent dimensions."""
        latent = self._cache.load(request)
        embedded, known = self._embed(request, latent), latent.known_errors(*request.splits)
        return EmbedLatentsReply(
            run=request.run,
            space=latent.space.description,
            decodes=latent.space.kind != "features",
            variational=latent.space.kind == "posterior",
            points=embedded.points,
            axes=embedded.axes,
            note=embedded.note,
            methods=embedding.methods(),
            classes=tuple(latent.images.classes),
            **reports.scan_table(latent, request.splits),
            mse=None if known is None else known.tolist(),
            dimensions=reports.dimensions(latent),
            collapse=reports.collapse(latent),
        )

    def errors(self, request: EmbeddingErrors) -> EmbeddingErrorsReply:
        """Return the reconstruction errors of all images of the map, in its order."""
        return EmbeddingErrorsReply(run=request.run, mse=self._cache.load(request).errors(*request.splits).tolist())

    def project_scan(self, request: ProjectScan) -> ProjectScanReply:
        """Return the position of an image on a map, None if the map has none, and its nearest training images."""
        latent = self._cache.load(request)
        embedded, query = self._embed(request, latent), self._cache.load_query(request, latent)
        means = latent.space.encode(query.image).means
        point = embedded.transform(means)
        return ProjectScanReply(
            run=request.run,
            name=query.name,
            point=None if point is None else point[0].tolist(),
            nearest=latent.nearest(LATENT, means, request.count).indices[0].tolist(),
        )

    def find_neighbors(self, request: FindNeighbors) -> FindNeighborsReply:
        """Return the nearest training images of an image, and those of its reconstruction."""
        latent = self._cache.load(request)
        query = self._cache.load_query(request, latent)
        by_pixel = _find_neighbors(latent, query, (PIXEL, flat(query.image)), request.count)
        by_latent = _find_neighbors(latent, query, (LATENT, latent.space.encode(query.image).means), request.count)
        made = flat(scoring.reconstruct(latent.space.model, query.image))
        return FindNeighborsReply(
            run=request.run,
            name=query.name,
            space=latent.space.description,
            pixel=by_pixel,
            latent=by_latent,
            reconstruction=reports.neighbors_report(latent, PIXEL, latent.nearest(PIXEL, made, request.count))[0],
            memorised=by_pixel.memorised,
            sentence=reports.sentence(query.name, by_pixel),
        )

    def judge_scan(self, request: JudgeScan) -> JudgeScanReply:
        """Return how unusual an image is for each run, compared with its own validation images."""
        notes, flagged = {}, []
        for name in request.runs:
            image = request.model_dump(include={"number", "panel", "split", "indices", "scan", "slice"})
            one = ProjectScan(run=name, data=runs.open_run(name).config.data, **image)
            latent = self._cache.load(one)
            if is_calibrated_by_patient(latent):
                known = self._references.get_or_create(latent.key, partial(DistributionReference, latent))
                found = known.judge(self._cache.load_query(one, latent).image)
                notes[name] = found.sentence
                flagged += [name] * found.flagged
        return JudgeScanReply(notes=notes, flagged=tuple(flagged))

    def _embed(self, request: EmbedLatents | ProjectScan, latent: LatentData) -> embedding.Embedding:
        """Return the map of a request; a map that was not finished is continued."""
        codes = latent.codes(*request.splits)
        # not the latent data itself: it would live as long as its maps
        key = *latent.key, request.splits, request.method, request.seed
        embedded = self._embeddings.get(key)
        if embedded is None:
            latent.context.report(len(codes), len(codes))
            counts = [len(latent.images.splits[split]) for split in request.splits]
            train = np.repeat([split == "train" for split in request.splits], counts)
            embedded = self._running_jobs.run(
                key,
                lambda _: embedding.compute_embedding_in_steps(codes.means, train, request.method, request.seed),
                latent.context,
            )
            self._embeddings.put(key, embedded)
        return embedded


def _find_neighbors(
    latent: LatentData, query: QueryImage, point: tuple[str, NDArray[np.float32]], count: int
) -> NeighborReport:
    """Return the neighbors of a query image, itself excluded; `point` says where to search, and its coordinates."""
    where, coordinates = point
    found = latent.nearest(where, coordinates, count, None if query.key is None else (query.key,))
    return reports.neighbors_report(latent, where, found)[0]
