"""Latent data: everything on one run's latent space for one dataset, each part computed at the first request."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Images, Points
from engine.data import Dataset
from engine.job_context import UNATTENDED, JobContext
from engine.latent import dimensions, mixture, neighbors
from engine.latent.calibration import IntervalScale
from engine.latent.dimensions import DimensionStatistics
from engine.latent.encoding import EncodingCache
from engine.latent.mixture import Mixture
from engine.latent.neighbors import NeighborIndex, NeighborResult, ReferenceDistances
from engine.latent.space import Codes, LatentSpace, concatenate
from engine.protocols import EngramModel
from engine.result_cache import ResultCache
from engine.runs import Run

PIXEL, LATENT = "pixel", "latent"
INTERVALS = "intervals.json"


class LatentData:
    """Latent space of a run on a dataset. A canceled request raises Cancelled, and continues at the next call.

    Args:
        run: a run with a model.
        model: its loaded model.
        images: the dataset, preprocessed for the model.
        context: cancellation and progress of the present request; each request sets its own.

    Example:
        latent = LatentData(run, engine.load_model(run), dataset)
        codes = latent.codes("test").means
        decoded = latent.space.decode(codes)
    """

    def __init__(self, run: Run, model: EngramModel, images: Dataset, context: JobContext = UNATTENDED) -> None:
        self.run, self.images, self.context = run, images, context
        self.space = LatentSpace(model)
        self._encodings = EncodingCache(run, self.space, images)
        self._dimensions: DimensionStatistics | None = None
        self._mixture: Mixture | None = None
        self._libraries: dict[str, NeighborIndex] = {}
        self._usual: dict[str, ReferenceDistances] = {}

    @property
    def key(self) -> tuple[Path, str]:
        """Return the key of the run, its model and the data."""
        return self.run.path, self._encodings.key

    def codes(self, *splits: str) -> Codes:
        """Return the codes of some splits, concatenated."""
        return concatenate([self._encodings.codes(*part) for part in self._contexts(splits)])

    def errors(self, *splits: str) -> NDArray[np.float32]:
        """Return mean squared errors of the reconstructions of some splits, intensities from 0 to 1: (n,)."""
        return np.concatenate([self._encodings.errors(*part) for part in self._contexts(splits)])

    def known_errors(self, *splits: str) -> NDArray[np.float32] | None:
        """Return the same errors if they are cached. Returns None if any are missing."""
        parts = [self._encodings.known_errors(split) for split in splits]
        known = [part for part in parts if part is not None]
        return np.concatenate(known) if len(known) == len(parts) else None

    def select(self, places: Sequence[tuple[str, int]]) -> tuple[Points, Images]:
        """Return latent codes (n, k) and images (n, size, size, 1) by split and index; each split is encoded whole."""
        found = [(self.codes(split).means[[index]], self.images.splits[split].read([index])) for split, index in places]
        return np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])

    def dimensions(self) -> DimensionStatistics:
        """Return the statistics of the latent dimensions over the training images."""
        if self._dimensions is None:
            self._dimensions = dimensions.dimension_statistics(self.codes("train"))
        return self._dimensions

    def read_intervals(self) -> IntervalScale | None:
        """Return the calibrated intervals stored for this model and dataset. Returns None if there are none."""
        return IntervalScale.from_json(ResultCache(self.run.derived / INTERVALS).get(self._encodings.key))

    def write_intervals(self, scale: IntervalScale) -> None:
        """Store calibrated intervals with the run."""
        ResultCache(self.run.derived / INTERVALS, 1).keep(self._encodings.key, scale.to_json())

    def mixture(self) -> Mixture:
        """Return the mixture of the training images' latent codes."""
        if self._mixture is None:
            train, validation = self.codes("train").means, self.codes("validation").means
            self._mixture = mixture.fit(train, validation, context=self.context)
        return self._mixture

    def nearest(self, where: str, points: Points, count: int, without: tuple[str, ...] | None = None) -> NeighborResult:
        """Return the training images nearest to some points, by pixels or by latent code."""
        return self._library(where).nearest(points, count, without, self.context)

    def reference_distances(self, where: str) -> ReferenceDistances:
        """Return the reference distances between images that are no copies, by pixels or by latent code."""
        if where not in self._usual:
            splits = self.images.splits
            name, rows = neighbors.reference_rows(len(splits["train"]), len(splits["validation"]))
            keys = tuple(splits[name].keys[row] for row in rows)
            points = self._points(where, name)(rows)
            self._usual[where] = neighbors.measure_reference(self._library(where), points, keys, name, self.context)
        return self._usual[where]

    def _contexts(self, splits: Sequence[str]) -> Iterator[tuple[str, JobContext]]:
        """Yield each split with a context that reports the progress over all of them."""
        before, total = 0, sum(len(self.images.splits[split]) for split in splits)
        for split in splits:
            yield split, self.context.as_part(before, total)
            before += len(self.images.splits[split])

    def _library(self, where: str) -> NeighborIndex:
        if where not in self._libraries:
            self._libraries[where] = NeighborIndex(self.images.train.keys, self._points(where, "train"))
        return self._libraries[where]

    def _points(self, where: str, split: str) -> Callable[[NDArray[np.int64]], Points]:
        """Return a function from rows of a split to their points."""
        if where == LATENT:
            means = self.codes(split).means
            return lambda rows: means[rows]
        images = self.images.splits[split]
        return lambda rows: flat(images.read(rows))


def flat(images: Images) -> Points:
    """Flatten images to points: (n, size, size, 1) -> (n, pixels).

    Example:
        >>> flat(np.zeros((2, 8, 8, 1), np.float32)).shape
        (2, 64)
    """
    return images.reshape(len(images), -1)
