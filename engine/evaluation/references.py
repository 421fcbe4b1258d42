"""Baselines of a model: PCA with the same latent size, the mean image, and the unprocessed input."""

import os
import re
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.config import RunConfig
from engine.data import Dataset
from engine.evaluation import pca
from engine.evaluation.evaluator import Evaluator, Numbers
from engine.evaluation.pca import PCAReconstructor
from engine.evaluation.progress import make_subtask
from engine.folders import cache_root
from engine.messages import ShouldStop, never_stop

PCA, MEAN, IDENTITY = "pca", "mean", "identity"
CACHE_NAME: Final = 16
NAMED: Final = re.compile(r"pca:(\d{1,6})")


class Identity:
    """Baseline that returns its input, with the interface of a model."""

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the images unchanged."""
        return images


def title(components: int) -> str:
    """Return the name of a PCA baseline on screen, such as 'PCA-512'."""
    return f"PCA-{components}"


def parse_reference(name: str) -> int | None:
    """Return the number of components of a baseline named instead of a run: 512 for 'pca:512'; None for a run."""
    found = NAMED.fullmatch(name)
    return int(found[1]) if found else None


def fit_pca_reference(
    images: Dataset,
    components: int,
    should_stop: ShouldStop = never_stop,
    progress: Callable[[int, int], None] | None = None,
) -> PCAReconstructor | None:
    """Return the principal components of the training images, from the cache if possible.

    Args:
        images: the dataset; the map is fitted to its training split.
        components: their number; fewer if there are not enough training images.
        should_stop: called between blocks of images; True cancels.
        progress: called with the number of images done and their total.

    Returns:
        The map; None if stopped.
    """
    place = cache_root() / "yardsticks" / f"{images.fingerprint[:40]}-{components}.npz"
    if found := _read(place):
        return found
    made = pca.fit_pca(images.train, components, should_stop, progress)
    if made is not None:
        with suppress(OSError):  # a full disk: it is fitted again next time
            _write(place, made)
    return made


def evaluate_references(examiner: Evaluator, config: RunConfig) -> dict[str, dict[str, Numbers]] | None:
    """Evaluate the baselines of a run in the same way as the run.

    Args:
        examiner: evaluator of the dataset and its subsets.
        config: the run's settings.

    Returns:
        baseline -> subset -> numbers: 'pca' for a model with a latent code, 'mean' and 'identity' for all; None if
        stopped.
    """
    components = config.model.latent_size
    report = make_subtask(examiner.progress, "Fitting PCA" if components else "Computing the mean image")
    fitted = fit_pca_reference(examiner.images, components or 0, examiner.should_stop, report)
    if fitted is None:
        return None
    models: dict[str, tuple[str, Any]] = {PCA: (title(len(fitted.components)), fitted)} if components else {}
    models[MEAN] = ("the mean image", PCAReconstructor(fitted.mean, fitted.components[:0]))
    models[IDENTITY] = ("the unprocessed input", Identity())
    measured: dict[str, dict[str, Numbers]] = {}
    for name, (shown, model) in models.items():
        found = examiner.evaluate(model, shown, config.training.batch_size)
        if found is None:
            return None
        measured[name] = found
        if name == PCA:
            for part in found.values():
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
    os.replace(file.name, place)
    for old in sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-CACHE_NAME]:
        old.unlink(missing_ok=True)
