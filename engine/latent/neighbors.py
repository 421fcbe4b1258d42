"""Nearest training images of an image, and detection of near copies.

The rule is that of Carlini et al., Extracting training data from diffusion models (USENIX Security 2023, section 5.1):
the distance to the nearest training image is divided by the mean distance to the 50 nearest. In sparse and in dense
regions alike, an image that is no copy is about as far from its nearest neighbor as from the next ones, and a blurred
image is about equally far from all; a copy is far nearer to one. A ratio under 1/3 is flagged. Yoon et al., Diffusion
probabilistic models generalize when they fail to memorize (2023), use that limit for the ratio to the second nearest
alone, which fails if training images have copies of their own. It was chosen on the validation images of the public
brain tumor dataset, of which none equals a training image pixel for pixel: all seven under it (0.03 to 0.31,
letterboxed) are copies, recompressed or shifted by a pixel; those next above (from 0.36) are slices of one head. The
fraction of held-out images of the dataset at hand under the limit is measured too and part of every result. Meehan,
Chaudhuri, Dasgupta: A non-parametric test to detect data-copying in generative models (AISTATS 2020) compare with
held-out data as well, for all samples together.

Distances do not detect copies that are rotated, flipped, shifted by more or brightened: `engine.data.audit` does.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Point, Points
from engine.job_context import UNATTENDED, JobContext

REFERENCE_K: Final = 50
COPY_RATIO: Final = 1 / 3
QUERIES: Final = 500
FEWEST: Final = 20
BLOCK: Final = 256
SPARE: Final = 4
Distances = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NeighborResult:
    """Nearest training images of some queries, nearest first.

    Args:
        indices: (m, k) into the training split.
        distances: (m, k), root mean squared differences over the coordinates.
        ratios: (m,) nearest distance over the mean distance of the `REFERENCE_K` nearest; 1 if there are fewer than
            two.
    """

    indices: Annotated[NDArray[np.int64], "m k"]
    distances: Annotated[Distances, "m k"]
    ratios: Annotated[Distances, "m"]


@dataclass(frozen=True)
class ReferenceDistances:
    """Reference distances of images that are not exact copies of training images.

    Args:
        typical: median distance of such an image to its nearest training image.
        share: fraction of them with a ratio under `COPY_RATIO`.
        scans: number of images measured.
        split: their split: 'validation', or 'train' (each without itself) if too few are held out.
    """

    typical: float
    share: float
    scans: int
    split: str


class NeighborIndex:
    """Index of the training images as points, with exact duplicates counted once.

    Args:
        keys: hash of every training image; equal ones are one image.
        read: function from rows of the training split to their points (k, d) float32; called for one block at a time.
    """

    def __init__(self, keys: tuple[str, ...], read: Any) -> None:
        first: dict[str, int] = {}
        for row, key in enumerate(keys):
            first.setdefault(key, row)
        self.rows = np.array(sorted(first.values()), np.int64)
        self.keys = np.array([keys[row] for row in self.rows], dtype=np.str_)
        self._read = read

    def nearest(
        self, queries: Points, count: int, without: tuple[str, ...] | None = None, context: JobContext = UNATTENDED
    ) -> NeighborResult:
        """Find the nearest training images.

        Args:
            queries: (m, d) points.
            count: number of neighbors, 1 to 50; fewer if there are fewer.
            without: a key for each query; training images with that key are skipped.
            context: checked between blocks.

        Raises:
            Cancelled: the caller asked to stop.
        """
        squares = self._squares(queries, without, context)
        crowd = min(REFERENCE_K, len(self.rows))
        order = np.argsort(squares, axis=1, kind="stable")[:, : crowd + SPARE]
        distances = np.sqrt(np.take_along_axis(squares, order, axis=1))
        # Near distances are recomputed: large squares cancel in the fast formula.
        kept = min(count, crowd) + SPARE
        exact = np.stack([self._exact(query, rows) for query, rows in zip(queries, order[:, :kept], strict=True)])
        exact[~np.isfinite(distances[:, :kept])] = np.inf
        distances[:, :kept] = exact
        again = np.argsort(distances, axis=1, kind="stable")
        order, distances = (np.take_along_axis(each, again, axis=1) for each in (order, distances))
        return NeighborResult(self.rows[order[:, :count]], distances[:, :count], _ratios(distances[:, :crowd]))

    def _squares(self, queries: Points, without: tuple[str, ...] | None, context: JobContext) -> Distances:
        """Compute mean squared differences (m, images), block by block; inf for skipped ones."""
        centre = np.mean(queries, axis=0, dtype=np.float64).astype(np.float32)
        points = queries - centre
        lengths = np.einsum("ij,ij->i", points, points, dtype=np.float64)
        squares = np.empty((len(queries), len(self.rows)))
        for first in range(0, len(self.rows), BLOCK):
            context.check()
            block = self._read(self.rows[first : first + BLOCK]) - centre
            own = np.einsum("ij,ij->i", block, block, dtype=np.float64)
            squares[:, first : first + BLOCK] = lengths[:, None] + own - 2.0 * (points @ block.T)
        np.maximum(squares, 0.0, out=squares)
        if without is not None:
            squares[np.array(without, dtype=np.str_)[:, None] == self.keys] = np.inf
        return squares / queries.shape[1]

    def _exact(self, query: Point, at: NDArray[np.int64]) -> Distances:
        difference = self._read(self.rows[at]).astype(np.float64) - query
        found: Distances = np.sqrt(np.mean(np.square(difference), axis=1))
        return found


def measure_reference(
    library: NeighborIndex, points: Points, keys: tuple[str, ...], split: str, context: JobContext = UNATTENDED
) -> ReferenceDistances:
    """Measure the reference distances.

    Args:
        library: index of the training images.
        points: (m, d), held-out images, or training images; at least one.
        keys: hash of each; training images of the same pixels (itself among them) are skipped.
        split: their split.
        context: checked between blocks.

    Raises:
        Cancelled: the caller asked to stop.
    """
    near = library.nearest(points, 1, keys, context)
    there = near.distances[np.isfinite(near.distances)]
    typical = float(np.median(there)) if len(there) else 0.0
    return ReferenceDistances(typical, float(np.mean(near.ratios < COPY_RATIO)), len(points), split)


def reference_rows(train: int, validation: int) -> tuple[str, NDArray[np.int64]]:
    """Return the images for the reference distances: (split, rows), at most `QUERIES`, evenly spaced."""
    split, there = ("validation", validation) if validation >= FEWEST else ("train", train)
    return split, np.unique(np.linspace(0, there - 1, min(there, QUERIES)).round().astype(np.int64))


def _ratios(distances: Distances) -> Distances:
    """Compute the nearest distance over the mean of all, (m, crowd) ascending -> (m,); infinite ones are ignored."""
    there = np.isfinite(distances)
    total = np.sum(np.where(there, distances, 0.0), axis=1)
    mean = total / np.maximum(there.sum(axis=1), 1)
    nearest = np.where(there[:, 0], distances[:, 0], 1.0)
    found: Distances = np.where(mean > 0, nearest / np.where(mean > 0, mean, 1.0), 0.0)
    return np.where(there.sum(axis=1) > 1, found, 1.0)
