"""The PCA baseline: the best linear reconstruction from a given number of components.

Images that fit in memory are decomposed there; others are read in passes, from a fixed seed (see `engine.pca`).
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.messages import ShouldStop, never_stop
from engine.pca import compute_axes, iterate_subspace

EXACT_NUMBERS: Final = 2**28
EXACT_SIDE: Final = 6000
BLOCK: Final = 256
Matrix = NDArray[np.float32]


class PCAReconstructor:
    """A mean image and directions around it; used like a model.

    Args:
        mean: (pixels,) float32.
        components: (count, pixels) float32, orthonormal rows; none for the mean image alone.
    """

    def __init__(self, mean: Matrix, components: Matrix) -> None:
        self.mean, self.components = mean, components

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project images and come back: (n, size, size, 1) -> the same, cut to [0, 1] as any picture is."""
        flat = images.reshape(len(images), -1) - self.mean
        made = (flat @ self.components.T) @ self.components + self.mean
        return np.clip(made, 0.0, 1.0).reshape(images.shape).astype(np.float32)


def fit_pca(
    images: Any, count: int, should_stop: ShouldStop = never_stop, progress: Callable[[int, int], None] | None = None
) -> PCAReconstructor | None:
    """Find the mean and the first principal components of images.

    Args:
        images: anything with a length and `read(slice) -> float32 (k, size, size, 1)`.
        count: how many components; fewer where there are fewer images (less one) or pixels.
        should_stop: asked between blocks.
        progress: told how many of all steps are done.

    Returns:
        The linear map, None when stopped.
    """
    flat = _RowBlocks(images, should_stop, progress or _ignore)
    mean = flat.mean()
    if mean is None:
        return None
    rank = min(count, flat.count - 1, flat.pixels)
    if rank < 1:
        return PCAReconstructor(mean, np.zeros((0, flat.pixels), np.float32))
    small = flat.count * flat.pixels <= EXACT_NUMBERS and min(flat.count, flat.pixels) <= EXACT_SIDE
    basis = (_in_memory if small else _out_of_core)(flat, mean, rank)
    return None if basis is None else PCAReconstructor(mean, np.ascontiguousarray(basis.T))


class _RowBlocks:
    """Images as rows, read block by block."""

    def __init__(self, images: Any, should_stop: ShouldStop, progress: Callable[[int, int], None]) -> None:
        self.images, self.should_stop, self.progress = images, should_stop, progress
        self.count = len(images)
        self.pixels = int(np.prod(images.read(slice(0, 1)).shape[1:])) if self.count else 0

    def blocks(self, mean: Matrix | None = None) -> Any:
        """Yield (first row, rows (k, pixels)) with the mean taken off; ends early when asked to stop."""
        for first in range(0, self.count, BLOCK):
            if self.should_stop():
                return
            rows = self.images.read(slice(first, first + BLOCK)).reshape(-1, self.pixels)
            yield first, rows if mean is None else rows - mean
            self.progress(min(first + BLOCK, self.count), self.count)

    def mean(self) -> Matrix | None:
        """The mean image, (pixels,); None when stopped."""
        total, seen = np.zeros(self.pixels, np.float64), 0
        for _, rows in self.blocks():
            total += rows.sum(axis=0, dtype=np.float64)
            seen += len(rows)
        return None if seen < self.count else (total / max(seen, 1)).astype(np.float32)


def _in_memory(flat: _RowBlocks, mean: Matrix, rank: int) -> Matrix | None:
    """Return orthonormal axes (pixels, rank) of all rows at once. Returns None if stopped."""
    rows, seen = np.empty((flat.count, flat.pixels), np.float32), 0
    for first, block in flat.blocks(mean):
        rows[first : first + len(block)] = block
        seen += len(block)
    return None if seen < flat.count or flat.should_stop() else compute_axes(rows, rank)


def _out_of_core(flat: _RowBlocks, mean: Matrix, rank: int) -> Matrix | None:
    """Return orthonormal axes (pixels, rank) from passes over the images. Returns None if stopped."""
    rng = np.random.Generator(np.random.Philox(key=0))
    return iterate_subspace(lambda: (rows for _, rows in flat.blocks(mean)), (flat.count, flat.pixels), rank, rng)


def _ignore(done: int, total: int) -> None:
    """Tell nobody."""
