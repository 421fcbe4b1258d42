"""Cached metrics of a run or a baseline on the test images, stored in the run's folder, for the app's tables."""

import hashlib
from typing import Any

from engine.data import Dataset
from engine.evaluation import references
from engine.evaluation.evaluator import CLEAN, LEAKED, UNSEEN, Evaluator, Numbers
from engine.messages import ShouldStop
from engine.runs import Run, model_checksum

FILE, KEPT = "measures.json", 8
VERSION = 2
TEST_SUBSETS = ("test", LEAKED, CLEAN, UNSEEN)


def evaluate_reference_cached(images: Dataset, components: int, should_stop: ShouldStop) -> dict[str, Numbers] | None:
    """Evaluate the PCA-k baseline with this number of components on the test images; None if stopped."""
    fitted = references.fit_pca_reference(images, components, should_stop)
    return None if fitted is None else _examined(fitted, images, 1, should_stop)


def read_cached(run: Run, images: Dataset) -> dict[str, Numbers] | None:
    """Return the metrics of a run's present model on these images, if they are cached."""
    found = run.read_derived(FILE).get(_key(run, images))
    return found if isinstance(found, dict) else None


def evaluate_run_cached(run: Run, model: Any, images: Dataset, should_stop: ShouldStop) -> dict[str, Numbers] | None:
    """Evaluate a run's model on the test images and cache the metrics in its folder; None if stopped.

    The input has no added noise, even for a run that learned to denoise.
    """
    own = _key(run, images)  # of the evaluated model, not of one that replaces it meanwhile
    found = _examined(model, images, run.config.training.batch_size, should_stop)
    if found is not None:
        older = [(key, numbers) for key, numbers in run.read_derived(FILE).items() if key != own]
        run.write_derived(FILE, dict([*older[-KEPT + 1 :], (own, found)]))
    return found


def _examined(model: Any, images: Dataset, batch_size: int, should_stop: ShouldStop) -> dict[str, Numbers] | None:
    return Evaluator(images, TEST_SUBSETS, should_stop, None).evaluate(model, "", batch_size)


def _key(run: Run, images: Dataset) -> str:
    """Return the key of the metrics: these images and unseen patients, this model file, this version of the metrics."""
    unseen = hashlib.sha256(images.unseen.tobytes()).hexdigest()[:16]
    return f"{VERSION} {images.fingerprint} {unseen} {model_checksum(run)}"
