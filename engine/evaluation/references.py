"""Baselines of a model: PCA with the same latent size, the mean image, and the unprocessed input."""

import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Images
from engine.config import RunConfig
from engine.data import Dataset
from engine.durable import replace
from engine.evaluation.evaluator import Evaluator, Numbers
from engine.folders import cache_root
from engine.job_context import UNATTENDED, JobContext
from engine.pca import compute_axes, iterate_subspace
from engine.protocols import ImageModel, ImageSequence

PCA, MEAN, IDENTITY = "pca", "mean", "identity"
CACHE_NAME: Final = 16
NAMED: Final = re.compile(r"pca:(\d{1,6})")
EXACT_NUMBERS: Final = 2**28
EXACT_SIDE: Final = 6000
BLOCK: Final = 256
Matrix = Annotated[NDArray[np.float32], "rows pixels"]
MeanImage = Annotated[NDArray[np.float32], "pixels"]
Components = Annotated[NDArray[np.float32], "components pixels"]
Axes = Annotated[NDArray[np.float32], "pixels components"]


class PCAReconstructor:
    """PCA-k baseline: a mean image and directions around it, with the interface of a model.

    Args:
        mean: (pixels,) float32.
        components: (count, pixels) float32, orthonormal rows; none for the mean image alone.
    """

    def __init__(self, mean: MeanImage, components: Components) -> None:
        self.mean, self.components = mean, components

    def predict_on_batch(self, images: Images) -> Images:
        """Project images and reconstruct: (n, size, size, 1) -> the same, clipped to [0, 1]."""
        flat = images.reshape(len(images), -1) - self.mean
        made = (flat @ self.components.T) @ self.components + self.mean
        return np.clip(made, 0.0, 1.0).reshape(images.shape).astype(np.float32)


def fit_pca(images: ImageSequence, count: int, context: JobContext = UNATTENDED) -> PCAReconstructor:
    """Compute the mean and the first principal components of images.

    Images that fit in memory are decomposed there; others are read in passes, from a fixed seed (see `engine.pca`).

    Args:
        images: the training images.
        count: number of components; fewer if there are fewer images (minus one) or pixels.
        context: asked between blocks whether to stop; receives the images done and in all.

    Raises:
        Cancelled: the caller asked to stop.
    """
    flat = _RowBlocks(images, context)
    mean = flat.mean()
    rank = min(count, flat.count - 1, flat.pixels)
    if rank < 1:
        return PCAReconstructor(mean, np.zeros((0, flat.pixels), np.float32))
    small = flat.count * flat.pixels <= EXACT_NUMBERS and min(flat.count, flat.pixels) <= EXACT_SIDE
    basis = (_in_memory if small else _out_of_core)(flat, mean, rank)
    return PCAReconstructor(mean, np.ascontiguousarray(basis.T))


class _RowBlocks:
    """Images as rows, read in blocks."""

    def __init__(self, images: ImageSequence, context: JobContext) -> None:
        self.images, self.context = images, context
        self.count = len(images)
        self.pixels = int(np.prod(images.read(slice(0, 1)).shape[1:])) if self.count else 0

    def blocks(self, mean: MeanImage | None = None) -> Iterator[tuple[int, Matrix]]:
        """Yield (first row, rows (k, pixels)) with the mean subtracted."""
        for first in range(0, self.count, BLOCK):
            self.context.check()
            rows = self.images.read(slice(first, first + BLOCK)).reshape(-1, self.pixels)
            yield first, rows if mean is None else rows - mean
            self.context.report(min(first + BLOCK, self.count), self.count)

    def mean(self) -> MeanImage:
        """Return the mean image, (pixels,)."""
        total = np.zeros(self.pixels, np.float64)
        for _, rows in self.blocks():
            total += rows.sum(axis=0, dtype=np.float64)
        return (total / max(self.count, 1)).astype(np.float32)


def _in_memory(flat: _RowBlocks, mean: MeanImage, rank: int) -> Axes:
    """Return orthonormal axes (pixels, rank) of all rows at once."""
    rows = np.empty((flat.count, flat.pixels), np.float32)
    for first, block in flat.blocks(mean):
        rows[first : first + len(block)] = block
    flat.context.check()
    return compute_axes(rows, rank)


def _out_of_core(flat: _RowBlocks, mean: MeanImage, rank: int) -> Axes:
    """Return orthonormal axes (pixels, rank) from passes over the images."""
    rng = np.random.Generator(np.random.Philox(key=0))
    return iterate_subspace(lambda: (rows for _, rows in flat.blocks(mean)), (flat.count, flat.pixels), rank, rng)


class Identity:
    """Baseline that returns its input, with the interface of a model."""

    def predict_on_batch(self, images: Images) -> Images:
        """Return the images unchanged."""
        return images


def title(components: int) -> str:
    """Return the name of a PCA baseline on screen, such as 'PCA-512'.

    Example:
        >>> title(512)
        'PCA-512'
    """
    return f"PCA-{components}"


def parse_reference(name: str) -> int | None:
    """Return the number of components of a baseline named instead of a run: 512 for 'pca:512'; None for a run.

    Example:
        >>> parse_reference("pca:512"), parse_reference("first-ae")
        (512, None)
    """
    found = NAMED.fullmatch(name)
    return int(found[1]) if found else None


def fit_pca_reference(images: Dataset, components: int, context: JobContext = UNATTENDED) -> PCAReconstructor:
    """Return the principal components of the training images, from the cache if possible.

    Args:
        images: the dataset; the map is fitted to its training split.
        components: their number; fewer if there are not enough training images.
        context: asked between blocks of images whether to stop; receives the images done and in all.

    Raises:
        Cancelled: the caller asked to stop.
    """
    place = cache_root() / "yardsticks" / f"{images.fingerprint[:40]}-{components}.npz"
    if found := _read(place):
        return found
    made = fit_pca(images.train, components, context)
    with suppress(OSError):  # a full disk: it is fitted again next time
        _write(place, made)
    return made


def evaluate_references(examiner: Evaluator, config: RunConfig) -> dict[str, dict[str, Numbers]]:
    """Evaluate the baselines of a run in the same way as the run.

    Args:
        examiner: evaluator of the dataset and its subsets.
        config: the run's settings.

    Returns:
        baseline -> subset -> numbers: 'pca' for a model with a latent code, 'mean' and 'identity' for all.

    Raises:
        Cancelled: the caller asked to stop.
    """
    components = config.model.latent_size
    context = examiner.context.with_title("Fitting PCA" if components else "Computing the mean image")
    fitted = fit_pca_reference(examiner.images, components or 0, context)
    models: dict[str, tuple[str, ImageModel]] = {PCA: (title(len(fitted.components)), fitted)} if components else {}
    models[MEAN] = ("the mean image", PCAReconstructor(fitted.mean, fitted.components[:0]))
    models[IDENTITY] = ("the unprocessed input", Identity())
    measured: dict[str, dict[str, Numbers]] = {}
    for name, (shown, model) in models.items():
        measured[name] = examiner.evaluate(model, shown, config.training.batch_size)
        if name == PCA:
            for part in measured[name].values():
                part["components"] = len(fitted.components)
    return measured


def _read(place: Path) -> PCAReconstructor | None:
    try:
        with open(place, "rb") as stored, np.load(stored, allow_pickle=False) as file:
            found = PCAReconstructor(file["mean"], file["components"])
        os.utime(place)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    return found


def _write(place: Path, made: PCAReconstructor) -> None:
    """Write under another name, then rename; evict the least recently used maps if there are too many."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix="new-", delete=False) as file:
        np.savez(file, mean=made.mean, components=made.components)
    replace(file.name, place)
    for old in sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-CACHE_NAME]:
        if old != place:  # the clock may have been set back
            with suppress(OSError):  # Windows keeps what another process reads
                old.unlink(missing_ok=True)
