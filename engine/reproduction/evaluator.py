"""Evaluation of a study's best models: on every split, on deduplicated images, with noise. Imports Keras late."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import evaluation, noise
from engine.config import StudyConfig
from engine.data import Cancelled, Dataset, Split, audit
from engine.denoising import noise_sweep
from engine.denoising.noise_sweep import SweepSpec, SweepSummary
from engine.evaluation import references, scoring
from engine.evaluation.evaluator import Evaluator, make_subtask
from engine.messages import Emit, ShouldStop, StudyProgress
from engine.reproduction import published
from engine.reproduction.trials import SearchSummary, StudyRun, best_of_each
from engine.result_cache import ResultCache, fingerprint, model_fingerprint

MOST_NOISY = 400
MEASURED_LINEAR = ("validation", "test", "test_leaked", "test_clean", "test_unseen")
SHOWN = 8
Images = NDArray[np.float32]
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
    model: Any
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
        """Name of the shown split: the deduplicated test images, or all test images if none is deduplicated."""
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
        emit: receives progress.
        should_stop: polled throughout.
    """

    chosen: StudyConfig
    settings: Mapping[str, Any]
    kept: ResultCache
    emit: Emit
    should_stop: ShouldStop

    def _emit_progress(self, text: str, done: int = 0, total: int = 0) -> None:
        """Emit what is being measured, and how much of it is done."""
        self.emit(StudyProgress(stage="measuring", text=text, share=done / total if total else None))

    def read(self, trials: Sequence[StudyRun]) -> Dataset | None:
        """Load the images of the study. Returns None if stopped."""
        try:
            first = best_of_each(trials)[published.MODELS[0]].run
            return evaluation.load_dataset(first, should_stop=self.should_stop, progress=self._emit_progress)
        except Cancelled:
            return None

    def measure(
        self, trials: Sequence[StudyRun], searches: Mapping[str, SearchSummary], images: Dataset
    ) -> StudyResults | None:
        """Evaluate the best run of each model, except for cached results. Returns None if stopped."""
        try:
            return self._measured(trials, searches, images)
        except Cancelled:
            return None

    def _measured(
        self, trials: Sequence[StudyRun], searches: Mapping[str, SearchSummary], images: Dataset
    ) -> StudyResults | None:
        best: dict[str, BestRun] = {}
        for model, trial in best_of_each(trials).items():
            found = self._measure(trial, images)
            if found is None:
                return None
            best[model] = found
        linear = self._cached("linear", [_linear_size(best), images.fingerprint], lambda: self._linear(best, images))
        if linear is None:
            return None
        found_audit = self._cached(
            "audit", [images.config.model_dump(), images.fingerprint], lambda: self._audit(images)
        )
        return StudyResults(self.chosen, self.settings, trials, images, best, linear, found_audit, searches)

    def _cached(self, part: str, of: list[Any], measure: Callable[[], Any]) -> Any:
        """Return the cached result of a part, or else that of `measure`, which returns None if stopped."""
        mark = fingerprint(part, *of)
        found = self.kept.get(part, mark)
        if found is None:
            found = measure()
            if found is not None:
                self.kept.keep(part, mark, found)
        return found

    def _measure(self, trial: StudyRun, images: Dataset) -> BestRun | None:
        of = [model_fingerprint(trial.run), images.fingerprint]
        splits = self._cached(f"{trial.model} splits", of, lambda: self._splits(trial, images))
        if splits is None:
            return None
        model = evaluation.load_model(trial.run)
        noise = [MOST_NOISY, SIGMAS, NOISE_SEED]
        swept = self._cached(f"{trial.model} noise", [*of, *noise], lambda: self._sweep(trial, model, images))
        return None if swept is None else BestRun(trial, model, splits, SweepSummary(**swept))

    def _splits(self, trial: StudyRun, images: Dataset) -> Any:
        measured = evaluation.evaluate(trial.run, images, should_stop=self.should_stop, progress=self._emit_progress)
        return measured and measured["splits"]

    def _sweep(self, trial: StudyRun, model: Any, images: Dataset) -> Any:
        self._emit_progress(f"Adding noise for {trial.run.name}")
        swept = sweep_noise(model, images.test.read(shown_pool(images)[:MOST_NOISY]), self.should_stop)
        return swept and vars(swept)

    def _linear(self, best: Mapping[str, BestRun], images: Dataset) -> Any:
        """Evaluate the PCA-k baseline. Returns None if stopped."""
        progress = make_subtask(self._emit_progress, "Fitting PCA")
        fitted = references.fit_pca_reference(images, _linear_size(best), self.should_stop, progress)
        if fitted is None:
            return None
        found, batch = len(fitted.components), best["ae"].trial.config.training.batch_size
        examiner = Evaluator(images, MEASURED_LINEAR, self.should_stop, self._emit_progress)
        measured = examiner.evaluate(fitted, references.title(found), batch)
        return measured and {part: {**numbers, "components": found} for part, numbers in measured.items()}

    def _audit(self, images: Dataset) -> Any:
        same = audit.audit(images.config, progress=self._emit_progress, should_stop=self.should_stop)
        return {"splits": same["splits"], "near": same["near"]["splits"], "warning": same["warning"]}


def _linear_size(best: Mapping[str, BestRun]) -> int:
    """Return the latent size of the best autoencoder."""
    return best["ae"].trial.config.model.latent_size or 1


def add_noise(images: Images, sigma: float) -> Images:
    """Add the same noise to the same images each time: (n, size, size, 1) -> the same shape, clipped to [0, 1]."""
    return noise.add_noise(images, "gaussian", sigma, NOISE_SEED)


def sweep_noise(model: Any, images: Images, should_stop: ShouldStop) -> SweepSummary | None:
    """Run a model on images with increasing Gaussian noise.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], noise-free.
        should_stop: polled between noise levels.

    Returns:
        The errors, means over the images. Returns None if stopped.
    """
    conditions = SweepSpec(images, (0.0, *SIGMAS), seed=NOISE_SEED)
    given = noise_sweep.run_sweep(lambda scans: scans, conditions, should_stop, with_ssim=False)
    made = noise_sweep.run_sweep(
        lambda scans: scoring.reconstruct(model, scans), conditions, should_stop, with_ssim=False
    )
    return None if given is None or made is None else noise_sweep.summarize(made, given)
