"""What a model is measured against: a linear map with as many numbers, the mean image, and its input left as it is."""

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
    """Gives back what it is given; used like a model."""

    def predict_on_batch(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The images themselves."""
        return images


def title(components: int) -> str:
    """The name of a linear map on screen, such as 'PCA-512'."""
    return f"PCA-{components}"


def parse_reference(name: str) -> int | None:
    """How many components a yardstick has that is named in the place of a run: 'pca:512' has 512; None for a run."""
    found = NAMED.fullmatch(name)
    return int(found[1]) if found else None


def fit_pca_reference(
    images: Dataset,
    components: int,
    should_stop: ShouldStop = never_stop,
    progress: Callable[[int, int], None] | None = None,
) -> PCAReconstructor | None:
    """The principal components of the training images, from the cache when they were found before.

    Args:
        images: the data set; its training split is what the map is fitted on.
        components: how many; fewer where there are not enough training images.
        should_stop: asked between blocks of images.
        progress: told how many images are done.

    Returns:
        The map; None when stopped.
    """
    place = cache_root() / "yardsticks" / f"{images.fingerprint[:40]}-{components}.npz"
    if found := _read(place):
        return found
    made = pca.fit_pca(images.train, components, should_stop, progress)
    if made is not None:
        with suppress(OSError):  # a full disk: it is found anew next time
            _write(place, made)
    return made


def evaluate_references(examiner: Evaluator, config: RunConfig) -> dict[str, dict[str, Numbers]] | None:
    """Measure the yardsticks of a run as the run itself is measured.

    Args:
        examiner: knows the data set and its parts.
        config: the run's settings.

    Returns:
        yardstick -> part -> numbers: 'pca' for a model with a latent, 'mean' and 'identity' for all; None when stopped.
    """
    components = config.model.latent_size
    told = make_subtask(examiner.progress, "Fitting PCA" if components else "Computing the mean image")
    fitted = fit_pca_reference(examiner.images, components or 0, examiner.should_stop, told)
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
    """Write under another name, then rename; of too many, those not wanted for longest go."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix="new-", delete=False) as file:
        np.savez(file, mean=made.mean, components=made.components)
    os.replace(file.name, place)
    for old in sorted(place.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-CACHE_NAME]:
        old.unlink(missing_ok=True)
