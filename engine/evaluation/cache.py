"""All numbers of a run or a yardstick on the test images, kept in the run's folder: what the window's tables show."""

from typing import Any

from engine.data import Dataset
from engine.evaluation import references
from engine.evaluation.evaluator import CLEAN, LEAKED, Evaluator, Numbers
from engine.messages import ShouldStop
from engine.runs import Run, model_checksum

FILE, KEPT = "measures.json", 8
VERSION = 1
TEST_SUBSETS = ("test", LEAKED, CLEAN)


def evaluate_reference_cached(images: Dataset, components: int, should_stop: ShouldStop) -> dict[str, Numbers] | None:
    """Measure the linear map of so many components on the test images; None when stopped."""
    fitted = references.fit_pca_reference(images, components, should_stop)
    return None if fitted is None else _examined(fitted, images, 1, should_stop)


def read_cached(run: Run, images: Dataset) -> dict[str, Numbers] | None:
    """The numbers of a run's present model on these images, where they were found before."""
    found = run.read_derived(FILE).get(_key(run, images))
    return found if isinstance(found, dict) else None


def evaluate_run_cached(run: Run, model: Any, images: Dataset, should_stop: ShouldStop) -> dict[str, Numbers] | None:
    """Measure a run's model on the test images and keep the numbers in its folder; None when stopped.

    The images are given as they are, also to a run that learned to denoise.
    """
    own = _key(run, images)  # of the model that is measured, not of one that takes its place meanwhile
    found = _examined(model, images, run.config.training.batch_size, should_stop)
    if found is not None:
        older = [(key, numbers) for key, numbers in run.read_derived(FILE).items() if key != own]
        run.write_derived(FILE, dict([*older[-KEPT + 1 :], (own, found)]))
    return found


def _examined(model: Any, images: Dataset, batch_size: int, should_stop: ShouldStop) -> dict[str, Numbers] | None:
    return Evaluator(images, TEST_SUBSETS, should_stop, None).evaluate(model, "", batch_size)


def _key(run: Run, images: Dataset) -> str:
    """What the numbers depend on: these images, this model file, this way to measure."""
    return f"{VERSION} {images.fingerprint} {model_checksum(run)}"
