"""Cached metrics of a run or a baseline on the test images, stored in the run's folder, for the app's tables."""

import hashlib

from engine.data import Dataset
from engine.evaluation import references
from engine.evaluation.evaluator import CLEAN, LEAKED, UNSEEN, Evaluator, Numbers
from engine.job_context import UNATTENDED, JobContext
from engine.protocols import ImageModel
from engine.result_cache import ResultCache
from engine.runs import Run, model_checksum

FILE, KEPT = "measures.json", 8
VERSION = 3
TEST_SUBSETS = ("test", LEAKED, CLEAN, UNSEEN)


def evaluate_reference_cached(images: Dataset, components: int, context: JobContext = UNATTENDED) -> dict[str, Numbers]:
    """Evaluate the PCA-k baseline with this number of components on the test images.

    Raises:
        Cancelled: the caller asked to stop.
    """
    return _examined(references.fit_pca_reference(images, components, context), images, 1, context)


def read_cached(run: Run, images: Dataset) -> dict[str, Numbers] | None:
    """Return the metrics of a run's present model on these images, if they are cached."""
    found = ResultCache(run.derived / FILE).get(_key(run, images))
    return found if isinstance(found, dict) else None


def evaluate_run_cached(
    run: Run, model: ImageModel, images: Dataset, context: JobContext = UNATTENDED
) -> dict[str, Numbers]:
    """Evaluate a run's model on the test images and cache the metrics in its folder.

    The input has no added noise, even for a run that learned to denoise.

    Raises:
        Cancelled: the caller asked to stop.
    """
    own = _key(run, images)  # of the evaluated model, not of one that replaces it meanwhile
    found = _examined(model, images, run.config.training.batch_size, context)
    ResultCache(run.derived / FILE, KEPT).keep(own, found)
    return found


def _examined(model: ImageModel, images: Dataset, batch_size: int, context: JobContext) -> dict[str, Numbers]:
    return Evaluator(images, TEST_SUBSETS, context).evaluate(model, "", batch_size)


def _key(run: Run, images: Dataset) -> str:
    """Return the key of the metrics: these images and unseen patients, this model file, this version of the metrics."""
    unseen = hashlib.sha256(images.unseen.tobytes()).hexdigest()[:16]
    return f"{VERSION} {images.fingerprint} {unseen} {model_checksum(run)}"
