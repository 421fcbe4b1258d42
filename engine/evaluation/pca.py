"""Principal component analysis: the best linear reconstruction of a given latent size, a baseline for every model.

Jolliffe: Principal Component Analysis, 2nd ed. (2002). If the images fit into memory the components are exact, from
the eigenvectors of the smaller of Gram matrix and covariance; else they come from subspace iteration with a fixed
seed, which reads the images in passes (Halko, Martinsson, Tropp: Finding structure with randomness, SIAM Review 53
(2011), algorithm 4.4).
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from engine.messages import ShouldStop, never_stop

EXACT_NUMBERS: Final = 2**28
EXACT_SIDE: Final = 6000
PASSES, SPARE = 5, 32
BLOCK: Final = 256
Matrix = NDArray[np.float32]


class PCAReconstructor:
    """PCA-k baseline: a mean image and directions around it, with the interface of a model.

    Args:
        mean: (pixels,) float32.
        components: (count, pixels) float32, orthonormal rows; none for the mean image alone.
    """

    def __init__(self, mean: Matrix, components: Matrix) -> None:
        self.mean, self.components = mean, components

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project images and reconstruct: (n, size, size, 1) -> the same, clipped to [0, 1]."""
        flat = images.reshape(len(images), -1) - self.mean
        made = (flat @ self.components.T) @ self.components + self.mean
        return np.clip(made, 0.0, 1.0).reshape(images.shape).astype(np.float32)


def fit_pca(
    images: Any, count: int, should_stop: ShouldStop = never_stop, progress: Callable[[int, int], None] | None = None
) -> PCAReconstructor | None:
    """Compute the mean and the first principal components of images.

    Args:
        images: anything with a length and `read(slice) -> float32 (k, size, size, 1)`.
        count: number of components; fewer if there are fewer images (minus one) or pixels.
        should_stop: called between blocks; True cancels.
        progress: called with the number of images done and their total.

    Returns:
        The linear map; None if stopped.
    """
    flat = _RowBlocks(images, should_stop, progress or _ignore)
    mean = flat.mean()
    if mean is None:
        return None
    rank = min(count, flat.count - 1, flat.pixels)
    if rank < 1:
        return PCAReconstructor(mean, np.zeros((0, flat.pixels), np.float32))
    small = flat.count * flat.pixels <= EXACT_NUMBERS and min(flat.count, flat.pixels) <= EXACT_SIDE
    basis = (_exact if small else _iterated)(flat, mean, rank)
    return None if basis is None else PCAReconstructor(mean, np.ascontiguousarray(basis.T))


class _RowBlocks:
    """Images as rows, read in blocks."""

    def __init__(self, images: Any, should_stop: ShouldStop, progress: Callable[[int, int], None]) -> None:
        self.images, self.should_stop, self.progress = images, should_stop, progress
        self.count = len(images)
        self.pixels = int(np.prod(images.read(slice(0, 1)).shape[1:])) if self.count else 0

    def blocks(self, mean: Matrix | None = None) -> Any:
        """Yield (first row, rows (k, pixels)) with the mean subtracted; ends early on a stop request."""
        for first in range(0, self.count, BLOCK):
            if self.should_stop():
                return
            rows = self.images.read(slice(first, first + BLOCK)).reshape(-1, self.pixels)
            yield first, rows if mean is None else rows - mean
            self.progress(min(first + BLOCK, self.count), self.count)

    def mean(self) -> Matrix | None:
        """Return the mean image, (pixels,); None if stopped."""
        total, seen = np.zeros(self.pixels, np.float64), 0
        for _, rows in self.blocks():
            total += rows.sum(axis=0, dtype=np.float64)
            seen += len(rows)
        return None if seen < self.count else (total / max(seen, 1)).astype(np.float32)


def _exact(flat: _RowBlocks, mean: Matrix, rank: int) -> Matrix | None:
    """Return orthonormal directions (pixels, rank) from the eigenvectors of the smaller square matrix."""
    rows, seen = np.empty((flat.count, flat.pixels), np.float32), 0
    for first, block in flat.blocks(mean):
        rows[first : first + len(block)] = block
        seen += len(block)
    if seen < flat.count:
        return None
    wide = flat.count < flat.pixels
    square = (rows @ rows.T if wide else rows.T @ rows).astype(np.float64)
    if flat.should_stop():
        return None
    _, vectors = eigh(square, subset_by_index=(len(square) - rank, len(square) - 1), overwrite_a=True)
    directions = rows.T @ vectors[:, ::-1].astype(np.float32) if wide else vectors[:, ::-1].astype(np.float32)
    return _orthonormal(directions)


def _iterated(flat: _RowBlocks, mean: Matrix, rank: int) -> Matrix | None:
    """Return orthonormal directions (pixels, rank) from subspace iteration with a fixed seed."""
    width = min(rank + SPARE, flat.count, flat.pixels)
    basis = np.random.Generator(np.random.Philox(key=0)).standard_normal((flat.pixels, width), np.float32)
    square = np.zeros((width, width))
    for _ in range(PASSES):
        basis = _orthonormal(basis)
        turned, square, seen = np.zeros_like(basis), np.zeros((width, width)), 0
        for _, rows in flat.blocks(mean):
            within = rows @ basis
            turned += rows.T @ within
            square += (within.T @ within).astype(np.float64)
            seen += len(rows)
        if seen < flat.count:
            return None
        last, basis = basis, turned
    _, vectors = eigh(square)
    return last @ vectors[:, ::-1][:, :rank].astype(np.float32)


def _orthonormal(directions: Matrix) -> Matrix:
    return np.linalg.qr(directions)[0].astype(np.float32)


def _ignore(done: int, total: int) -> None:
    """Ignore the progress."""
