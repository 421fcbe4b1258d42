"""The best models of a study measured: on every split, on clean scans, on noisy ones. Keras comes with the models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import evaluation
from engine.config import RunConfig, StudyConfig
from engine.data import Dataset, LoadingStopped, Split, audit
from engine.measures import yardsticks
from engine.measures.numbers import Examiner
from engine.measures.progress import step
from engine.measures.sweeps import Sweep
from engine.messages import Emit, ShouldStop, StudyProgress
from engine.study import denoising, paper
from engine.study.trials import Trial, best_of_each

MOST_NOISY = 400
MEASURED_LINEAR = ("validation", "test", "test_leaked", "test_clean")
SHOWN = 8


@dataclass(frozen=True)
class Best:
    """The best run of a model.

    Args:
        trial: the run.
        model: its loaded model.
        measured: its numbers for each split, from `engine.evaluation`.
        sweep: how it fares with noise, on the scans of `Findings.split`.
    """

    trial: Trial
    model: Any
    measured: Mapping[str, Mapping[str, Any]]
    sweep: Sweep


@dataclass(frozen=True)
class Findings:
    """Everything that tables, figures and page are made of.

    Args:
        chosen: how much of the study was done.
        settings: the settings that went over those of every run.
        trials: all runs, the AEs first.
        images: the data set.
        best: the best run of each model.
        linear: numbers of a linear map with as many numbers as the best AE keeps, fitted on the same training scans,
            for the parts of `MEASURED_LINEAR`; its "components" say how many it has.
        audit: which scans are the same, from `engine.data.audit`: its "splits", "near" (splits alone) and "warning".
    """

    chosen: StudyConfig
    settings: Mapping[str, Any]
    trials: Sequence[Trial]
    images: Dataset
    best: Mapping[str, Best]
    linear: Mapping[str, Mapping[str, Any]]
    audit: Mapping[str, Any]

    @property
    def split(self) -> str:
        """Where the scans that are shown come from: the clean test scans, or all of them where none is clean."""
        return "test_clean" if len(clean(self.images)) else "test"

    @property
    def pool(self) -> NDArray[np.int64]:
        """Indices of those scans into the test set."""
        return pool(self.images)

    def shown(self, count: int = SHOWN) -> NDArray[np.int64]:
        """A few of them, spread evenly and so over the classes, not chosen for their looks."""
        found = self.pool
        return found[np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(np.int64))]

    def class_of(self, index: int) -> str:
        """Class of a test scan, its file's name where it has none."""
        part: Split = self.images.test
        label = int(part.labels[index])
        name = self.images.classes[label] if label >= 0 else part.names[index].rsplit("/", 1)[-1]
        return name.replace("_", " ")


def clean(images: Dataset) -> NDArray[np.int64]:
    """Indices of the test scans that are not, pixel for pixel, among those to train on or to choose by."""
    return np.flatnonzero(~images.leaked)


def pool(images: Dataset) -> NDArray[np.int64]:
    """Indices of the clean test scans; of all where none is clean."""
    found = clean(images)
    return found if len(found) else np.arange(len(images.test), dtype=np.int64)


@dataclass(frozen=True)
class Inquiry:
    """What a study asks of its runs, and who listens."""

    chosen: StudyConfig
    settings: Mapping[str, Any]
    emit: Emit
    should_stop: ShouldStop

    def say(self, text: str, done: int = 0, total: int = 0) -> None:
        """Tell what is measured, and how much of it is done."""
        self.emit(StudyProgress(stage="measuring", text=text, share=done / total if total else None))

    def measure(self, trials: Sequence[Trial]) -> Findings | None:
        """Measure the best model of each kind; None when stopped."""
        try:
            return self._measured(trials)
        except LoadingStopped:
            return None

    def _measured(self, trials: Sequence[Trial]) -> Findings | None:
        chosen = best_of_each(trials)
        first = chosen[paper.MODELS[0]].run
        images = evaluation.images(first, should_stop=self.should_stop, progress=self.say)
        best: dict[str, Best] = {}
        for model, trial in chosen.items():
            found = self._measure(trial, images)
            if found is None:
                return None
            best[model] = found
        linear = self._measure_linear(best["ae"].trial.config, images)
        if linear is None:
            return None
        same = audit.audit(images.config, progress=self.say, should_stop=self.should_stop)
        told = {"splits": same["splits"], "near": same["near"]["splits"], "warning": same["warning"]}
        return Findings(self.chosen, self.settings, trials, images, best, linear, told)

    def _measure_linear(self, settings: RunConfig, images: Dataset) -> dict[str, dict[str, Any]] | None:
        """Principal components in the place of the best autoencoder; None when stopped."""
        components = settings.model.latent_size or 1
        told = step(self.say, "Finding principal components")
        fitted = yardsticks.pca(images, components, self.should_stop, told)
        if fitted is None:
            return None
        found = len(fitted.components)
        examiner = Examiner(images, MEASURED_LINEAR, self.should_stop, self.say)
        measured = examiner.examine(fitted, yardsticks.title(found), settings.training.batch_size)
        return measured and {part: {**numbers, "components": found} for part, numbers in measured.items()}

    def _measure(self, trial: Trial, images: Dataset) -> Best | None:
        measured = evaluation.evaluate(trial.run, images, should_stop=self.should_stop, progress=self.say)
        if measured is None:
            return None
        self.say(f"Adding noise for {trial.run.name}")
        model = evaluation.load_model(trial.run)
        scans = images.test.read(pool(images)[:MOST_NOISY])
        sweep = denoising.sweep(model, scans, self.should_stop)
        return None if sweep is None else Best(trial, model, measured["splits"], sweep)
