"""Evaluation of a study's best models: on every split, on deduplicated images, with noise. Imports Keras late."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import evaluation, noise
from engine.arrays import Images
from engine.config import StudyConfig
from engine.data import Dataset, Split, audit
from engine.denoising import noise_sweep
from engine.denoising.noise_sweep import SweepSpec, SweepSummary
from engine.evaluation import references, scoring
from engine.evaluation.evaluator import Evaluator
from engine.job_context import UNATTENDED, JobContext
from engine.protocols import EngramModel, ImageModel
from engine.reproduction import published
from engine.reproduction.trials import SearchSummary, StudyRun, best_of_each
from engine.result_cache import ResultCache, describe_data, fingerprint, model_fingerprint

MOST_NOISY = 400
MEASURED_LINEAR = ("validation", "test", "test_leaked", "test_clean", "test_unseen")
SHOWN = 8
SIGMAS = (0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.14, 0.2, 0.3)
NOISE_SEED = 0


@dataclass(frozen=True)
class BestRun:
    """The best run of one model.

    Args:
        trial: the run.
        model: its loaded model.
        measured: its metrics for each split, from `engine.evaluation`.
        sweep: its errors over the noise level, on the images of `StudyResults.split`.
    """

    trial: StudyRun
    model: EngramModel
    measured: Mapping[str, Mapping[str, Any]]
    sweep: SweepSummary


@dataclass(frozen=True)
class StudyResults:
    """All results for the tables, the figures and the page.

    Args:
        chosen: how much of the study was done.
        settings: the settings that override those of every run.
        trials: all runs, the AEs first.
        images: the dataset.
        best: the best run of each model.
        linear: metrics of the PCA-k baseline with the latent size of the best AE, fitted on the same training images,
            for the parts of `MEASURED_LINEAR`; its "components" is its number of components.
        audit: duplicates in the dataset, from `engine.data.audit`: its "splits", "near" (splits alone) and "warning".
        searches: the search of each model; empty for a quick study.
    """

    chosen: StudyConfig
    settings: Mapping[str, Any]
    trials: Sequence[StudyRun]
    images: Dataset
    best: Mapping[str, BestRun]
    linear: Mapping[str, Mapping[str, Any]]
    audit: Mapping[str, Any]
    searches: Mapping[str, SearchSummary]

    @property
    def split(self) -> str:
        """Return the name of the shown split: deduplicated test images, or all test images if none is deduplicated."""
        return "test_clean" if len(clean(self.images)) else "test"

    @property
    def pool(self) -> NDArray[np.int64]:
        """Return the indices of those images in the test set."""
        return shown_pool(self.images)

    def shown(self, count: int = SHOWN) -> NDArray[np.int64]:
        """Return a few of them, evenly spaced and so over the classes, not selected by appearance."""
        found = self.pool
        return found[np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(np.int64))]

    def class_of(self, index: int) -> str:
        """Return the class of a test image, or its file's name if it has none."""
        part: Split = self.images.test
        label = int(part.labels[index])
        name = self.images.classes[label] if label >= 0 else part.names[index].rsplit("/", 1)[-1]
        return name.replace("_", " ")


def clean(images: Dataset) -> NDArray[np.int64]:
    """Return the indices of the deduplicated test images: without an exact copy in the training or validation set."""
    return np.flatnonzero(~images.leaked)


def shown_pool(images: Dataset) -> NDArray[np.int64]:
    """Return the indices of the deduplicated test images, or of all if none is deduplicated."""
    found = clean(images)
    return found if len(found) else np.arange(len(images.test), dtype=np.int64)


@dataclass(frozen=True)
class StudyEvaluator:
    """Evaluator of the runs of a study.

    Args:
        chosen: how much of the study is done.
        settings: the settings that override those of every run.
        kept: cache of earlier results.
        context: asked throughout whether to stop; receives the progress.
    """

    chosen: StudyConfig
    settings: Mapping[str, Any]
    kept: ResultCache
    context: JobContext

    def read(self, trials: Sequence[StudyRun]) -> Dataset:
        """Load the images of the study.

        Raises:
            Cancelled: the caller asked to stop.
        """
        first = best_of_each(trials)[published.MODELS[0]].run
        return evaluation.load_dataset(first, context=self.context)

    def measure(
        self, trials: Sequence[StudyRun], searches: Mapping[str, SearchSummary], images: Dataset
    ) -> StudyResults:
        """Evaluate the best run of each model, except for cached results.

        Raises:
            Cancelled: the caller asked to stop.
        """
        best = {model: self._measure(trial, images) for model, trial in best_of_each(trials).items()}
        linear = self._cached("linear", [_linear_size(best), images.fingerprint], lambda: self._linear(best, images))
        audited = [describe_data(images.config), images.fingerprint]
        found_audit = self._cached("audit", audited, lambda: self._audit(images))
        return StudyResults(self.chosen, self.settings, trials, images, best, linear, found_audit, searches)

    def _cached(self, part: str, of: list[Any], measure: Callable[[], Any]) -> Any:
        """Return the cached result of a part, or else that of `measure`."""
        mark = fingerprint(part, *of)
        found = self.kept.get(part, mark)
        if found is None:
            found = measure()
            self.kept.keep(part, found, mark)
        return found

    def _measure(self, trial: StudyRun, images: Dataset) -> BestRun:
        of = [model_fingerprint(trial.run), images.fingerprint]
        splits = self._cached(f"{trial.model} splits", of, lambda: self._splits(trial, images))
        model = evaluation.load_model(trial.run)
        noise = [MOST_NOISY, SIGMAS, NOISE_SEED]
        swept = self._cached(f"{trial.model} noise", [*of, *noise], lambda: self._sweep(trial, model, images))
        return BestRun(trial, model, splits, SweepSummary(**swept))

    def _splits(self, trial: StudyRun, images: Dataset) -> Any:
        return evaluation.evaluate(trial.run, images, context=self.context)["splits"]

    def _sweep(self, trial: StudyRun, model: ImageModel, images: Dataset) -> Any:
        self.context.with_title(f"Adding noise for {trial.run.name}").report(0, 0)
        quiet = JobContext(self.context.should_stop)
        return vars(sweep_noise(model, images.test.read(shown_pool(images)[:MOST_NOISY]), quiet))

    def _linear(self, best: Mapping[str, BestRun], images: Dataset) -> Any:
        """Evaluate the PCA-k baseline."""
        context = self.context.with_title("Fitting PCA")
        fitted = references.fit_pca_reference(images, _linear_size(best), context)
        found, batch = len(fitted.components), best["ae"].trial.config.training.batch_size
        examiner = Evaluator(images, MEASURED_LINEAR, self.context)
        measured = examiner.evaluate(fitted, references.title(found), batch)
        return {part: {**numbers, "components": found} for part, numbers in measured.items()}

    def _audit(self, images: Dataset) -> Any:
        same = audit.audit(images.config, context=self.context)
        return {"splits": same["splits"], "near": same["near"]["splits"], "warning": same["warning"]}


def _linear_size(best: Mapping[str, BestRun]) -> int:
    """Return the latent size of the best autoencoder."""
    return best["ae"].trial.config.model.latent_size or 1


def add_noise(images: Images, sigma: float) -> Images:
    """Add the same noise to the same images each time: (n, size, size, 1) -> the same shape, clipped to [0, 1]."""
    return noise.add_noise(images, "gaussian", sigma, NOISE_SEED)


def sweep_noise(model: ImageModel, images: Images, context: JobContext = UNATTENDED) -> SweepSummary:
    """Run a model on images with increasing Gaussian noise.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], noise-free.
        context: asked between batches of images whether to stop.

    Returns:
        The errors, means over the images.

    Raises:
        Cancelled: the caller asked to stop.
    """
    conditions = SweepSpec(images, (0.0, *SIGMAS), seed=NOISE_SEED)
    given = noise_sweep.run_sweep(lambda scans: scans, conditions, context, with_ssim=False)
    made = noise_sweep.run_sweep(lambda scans: scoring.reconstruct(model, scans), conditions, context, with_ssim=False)
    return noise_sweep.summarize(made, given)
