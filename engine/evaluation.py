"""Numbers of a trained run on whole splits: what `evaluate` prints. Imports Keras when it loads the model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backend, config, data, quality, scoring
from engine.config import TrainingConfig
from engine.data import Dataset
from engine.errors import ConfigError
from engine.messages import ShouldStop, never
from engine.runs import Run

Progress = Callable[[str, int, int], None]
SPLITS = ("train", "validation", "test")


def evaluate(
    run: Run,
    source: str | Dataset | None = None,
    splits: Sequence[str] | None = None,
    *,
    should_stop: ShouldStop = never,
    progress: Progress | None = None,
) -> dict[str, Any] | None:
    """Measure the best model of a run on every image of its splits.

    Args:
        run: the run.
        source: images to measure on, prepared as the run prepares its own; a name of a source, or a data set that
            `images` has loaded; the run's own source when None.
        splits: which splits; those that are not empty when None.
        should_stop: asked between batches.
        progress: told what is being done, how much of it is done, and how much there is.

    Returns:
        {"run", "model", "splits": {split: numbers}}, or None when stopped. The numbers are means over the n images of a
        split; one that a model does not have, or that is not finite, is None:

        n: images.
        mse, psnr_db, ssim: reconstruction against original, data range 1; psnr_db is the mean of the images' decibels.
        nats_per_image: reconstruction_nats + kl_nats, the negative evidence lower bound whatever the run's beta is.
        reconstruction_nats, kl_nats: its two parts, from one seeded sample of the latent per image.
        entropy_floor_nats: what no model can have less of in reconstruction_nats: the pixels' own entropy.
        loss: what the run minimises (MSE, or nats with its beta).
        batch_sum: that loss summed over a batch of the run's size, as the study counts nats.

    Raises:
        EngramError: the run has no model, or the images cannot be read.
    """
    _check(splits)
    model = load_model(run)
    loaded = source if isinstance(source, Dataset) else images(run, source, should_stop=should_stop, progress=progress)
    measured: dict[str, dict[str, Any]] = {}
    for name in splits or SPLITS:
        if not len(loaded.splits[name]):
            continue
        step = None if progress is None else _Step(progress, f"Measuring {name}")
        scores = scoring.score(model, loaded.splits[name], should_stop, MEASURES, step)
        if scores is None:
            return None
        measured[name] = _numbers(scores, run)
    return {"run": run.name, "model": run.config.model.model, "splits": measured}


def images(
    run: Run, source: str | None = None, *, should_stop: ShouldStop = never, progress: Progress | None = None
) -> Dataset:
    """Load images as a run sees them: its own, or those of another source with its preparation.

    Raises:
        DataError: they cannot be read; `LoadingStopped` when `should_stop` said so.
    """
    settings = run.config
    if source is not None:
        settings = config.build({"source": source}, settings)
    step = None if progress is None else _Step(progress, "Reading images")
    return data.load(config=settings.data, should_stop=should_stop, progress=step)


def have_changed(run: Run, loaded: Dataset) -> bool:
    """Whether the run was trained on other images than these, or with another split of them."""
    trained_on = run.provenance.get("data", {}).get("fingerprint", loaded.fingerprint)
    return bool(trained_on != loaded.fingerprint)


def load_model(run: Run) -> Any:
    """Load the best model of a run on the backend at hand: its weights load on any.

    Raises:
        RunDamaged: it cannot be read.
        BackendError: no backend is installed.
    """
    settings = {"backend": backend.at_hand(run.config.training.backend), "deterministic": False}
    return backend.load("engine.models", TrainingConfig.model_validate(settings)).load(run)


def _check(splits: Sequence[str] | None) -> None:
    for name in splits or ():
        if name not in SPLITS:
            raise ConfigError(f"There is no split '{name}'.", f"Choose among {', '.join(SPLITS)}.")


def _numbers(scores: scoring.Scores, run: Run) -> dict[str, Any]:
    settings = run.config
    nats = scores["reconstruction"] + scores["kl"] if "kl" in scores else None
    return {
        "n": len(scores["mse"]),
        "mse": _mean(scores["mse"]),
        "psnr_db": _mean(scores["psnr_db"]),
        "ssim": _mean(scores["ssim"]),
        "nats_per_image": _mean(nats),
        "reconstruction_nats": _mean(scores.get("reconstruction")),
        "kl_nats": _mean(scores.get("kl")),
        "entropy_floor_nats": _mean(scores["entropy_floor_nats"]),
        "loss": _mean(scores["loss"]),
        "batch_sum": None if nats is None else _mean(scores["loss"] * settings.training.batch_size),
    }


def _mean(values: NDArray[np.float64] | None) -> float | None:
    if values is None:
        return None
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else None


def _entropy_floor(originals: NDArray[np.float32], reconstructed: NDArray[np.float32]) -> NDArray[np.float64]:
    return quality.entropy_floor_nats(originals)


class _Step:
    """One stretch of a long piece of work, with its title."""

    def __init__(self, progress: Progress, title: str) -> None:
        self.progress, self.title = progress, title

    def __call__(self, done: int, total: int) -> None:
        self.progress(self.title, done, total)


MEASURES: dict[str, scoring.Measure] = {
    "psnr_db": quality.psnr_db,
    "ssim": quality.ssim,
    "entropy_floor_nats": _entropy_floor,
}
