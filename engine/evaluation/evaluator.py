"""Evaluation of one model on a dataset: each split, and leaked, deduplicated and unseen-patient test images apart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from engine import metrics, pairs
from engine.arrays import Masks
from engine.config import NoiseConfig
from engine.data import Dataset
from engine.data.patient_facts import is_known
from engine.errors import ConfigError
from engine.evaluation import scoring
from engine.evaluation.scoring import ScoredBatch, Scores
from engine.job_context import UNATTENDED, JobContext
from engine.protocols import ImageModel

SPLITS: Final = ("train", "validation", "test")
LEAKED, CLEAN, UNSEEN = "test_leaked", "test_clean", "test_unseen"
SUBSETS: Final = (*SPLITS, LEAKED, CLEAN, UNSEEN)
CONFIDENCE = 0.95
RESAMPLES: Final = 2000
Numbers = dict[str, Any]


class BatchMetrics:
    """Metrics of a batch. Head masks of a split are computed once for all models."""

    def __init__(self) -> None:
        self._heads: dict[int, NDArray[np.uint8]] = {}

    def __call__(self, batch: ScoredBatch) -> Scores:
        """Compute metrics of images: name -> (k,), and for a latent distribution 'kl_per_dimension' (k, latent)."""
        images, pictures = batch.images, batch.pictures
        similarity, head = metrics.similarity(images, pictures), self._head(batch)
        squared = metrics.mse(images, pictures, head)
        found = {
            "mae": metrics.mae(images, pictures),
            "psnr_db": metrics.psnr_db(images, pictures),
            "ssim": similarity.mean(),
            "ms_ssim": similarity.multi_scale(),
            "head_mse": squared,
            "head_mae": metrics.mae(images, pictures, head),
            "head_psnr_db": metrics.mse_to_psnr_db(squared),
            "head_ssim": similarity.mean(head),
            "entropy_floor_nats": metrics.entropy_floor_nats(images),
        }
        return found | _divergences(batch.outputs)

    def _head(self, batch: ScoredBatch) -> Masks:
        shape = batch.images.shape[:3]
        if batch.first not in self._heads:
            self._heads[batch.first] = np.packbits(metrics.head_mask(batch.images))
        return np.unpackbits(self._heads[batch.first], count=int(np.prod(shape))).reshape(shape).astype(np.bool_)


def _divergences(outputs: Any) -> Scores:
    if not isinstance(outputs, dict) or "log_var" not in outputs:
        return {}
    mean, log_var = np.asarray(outputs["mean"]), np.asarray(outputs["log_var"])
    return {"kl_per_dimension": metrics.divergences_nats(mean, log_var).astype(np.float32)}


def check_split_names(wanted: Sequence[str] | None) -> None:
    """Raise ConfigError for an unknown split name."""
    for name in wanted or ():
        if name not in SUBSETS:
            raise ConfigError(f"There is no split '{name}'.", f"Choose among {', '.join(SUBSETS)}.")


class Evaluator:
    """Evaluator of models on a dataset.

    Args:
        images: the dataset.
        wanted: names of its subsets; if None, all that are not empty.
        context: asked between batches whether to stop; receives the progress.
        noise: noise added to every model's input; the target is the noise-free image.

    Raises:
        ConfigError: a wanted name is unknown.
    """

    def __init__(
        self,
        images: Dataset,
        wanted: Sequence[str] | None,
        context: JobContext = UNATTENDED,
        noise: NoiseConfig = NoiseConfig(),  # noqa: B008 - frozen
    ) -> None:
        check_split_names(wanted)
        self.images, self.wanted = images, tuple(wanted or SUBSETS)
        self.context, self.noise = context, noise
        self._measurers = {name: BatchMetrics() for name in SPLITS}
        self.leaked, self.unseen = images.leaked, images.unseen

    def evaluate(self, model: ImageModel, title: str, batch_size: int) -> dict[str, Numbers]:
        """Evaluate one model on every wanted subset; empty subsets are omitted.

        Args:
            model: a model of Engram, or a baseline.
            title: its name in progress reports.
            batch_size: the run's batch size, for `batch_sum`.

        Returns:
            subset -> numbers, in the order of `SUBSETS`.

        Raises:
            Cancelled: the caller asked to stop.
        """
        found: dict[str, Numbers] = {}
        for split in SPLITS:
            parts = {name: rows for name, rows in self._parts(split) if name in self.wanted and len(rows)}
            if not parts or not len(self.images.splits[split]):
                continue
            context = self.context.with_title(f"Measuring {title} on {split}")
            given = pairs.make_validation_view(self.images.splits[split], self.noise)
            scores = scoring.score(model, given, context, self._measurers[split])
            side, groups = self.images.config.size, self.images.splits[split].groups
            for name, rows in parts.items():
                own = _rows(scores, rows)
                found[name] = summarize(own, side, batch_size) | patient_numbers(own, [groups[row] for row in rows])
        return found

    def _parts(self, split: str) -> Iterator[tuple[str, NDArray[np.int64]]]:
        yield split, np.arange(len(self.images.splits[split]))
        if split == "test":
            yield LEAKED, np.flatnonzero(self.leaked)
            yield CLEAN, np.flatnonzero(~self.leaked)
            yield UNSEEN, np.flatnonzero(self.unseen)


def _rows(scores: Scores, rows: NDArray[np.int64]) -> Scores:
    return {name: values[rows] for name, values in scores.items()}


def summarize(scores: Scores, side: int, batch_size: int) -> Numbers:
    """Average scores over images and derive further numbers; missing or non-finite ones are None.

    Args:
        scores: name -> (n,), from `engine.evaluation.scoring` and `BatchMetrics`.
        side: side of the images in pixels.
        batch_size: images per step of the run.

    Returns:
        The numbers documented in `engine.evaluation.evaluate`.
    """
    plain = ("mse", "mae", "psnr_db", "ssim", "ms_ssim")
    found: Numbers = {"n": len(scores["mse"]), **{name: mean(scores[name]) for name in plain}}
    found["mse_interval"], found["psnr_db_interval"] = (
        confidence_interval(scores["mse"]),
        confidence_interval(scores["psnr_db"]),
    )
    found["ms_ssim_scales"] = metrics.scales((side, side))
    for name in ("head_mse", "head_mae", "head_psnr_db", "head_ssim"):
        found[name] = mean(scores[name][~np.isnan(scores[name])])
    nats = scores["reconstruction"] + scores["kl"] if "kl" in scores else None
    total = mean(nats)
    found["nats_per_image"] = total
    found["nats_per_pixel"] = None if total is None else total / side**2
    found["elbo_nats"] = None if total is None else -total
    found["reconstruction_nats"], found["kl_nats"] = mean(scores.get("reconstruction")), mean(scores.get("kl"))
    found["entropy_floor_nats"] = mean(scores["entropy_floor_nats"])
    found |= _latent(scores)
    found["loss"] = mean(scores["loss"])
    found["batch_sum"] = None if nats is None else mean(scores["loss"] * batch_size)
    return found


def patient_numbers(scores: Scores, patients: Sequence[str]) -> Numbers:
    """Return the number of patients of images, and intervals over patients; None if one of them is not known."""
    are_known = bool(patients) and all(map(is_known, patients))
    return {
        "patients": len(set(patients)) if are_known else None,
        **{f"{name}_patient_interval": bootstrap_interval(scores[name], patients) for name in ("mse", "psnr_db")},
    }


def _latent(scores: Mapping[str, NDArray[Any]]) -> Numbers:
    if "kl_per_dimension" not in scores:
        return {"active_units": None, "kl_per_dimension": None}
    each: NDArray[np.float64] = np.mean(scores["kl_per_dimension"], axis=0, dtype=np.float64)
    return {"active_units": metrics.active_units(each), "kl_per_dimension": each.tolist()}


def mean(values: NDArray[np.float64] | None) -> float | None:
    """Return the mean; None if there are no values, or if it is not finite.

    Example:
        >>> mean(np.array([1.0, 2.0])), mean(None)
        (1.5, None)
    """
    if values is None or not len(values):
        return None
    found = float(np.mean(values))
    return found if np.isfinite(found) else None


def confidence_interval(values: NDArray[np.float64]) -> list[float] | None:
    """Return the 95% confidence interval of a mean over images: mean ± t s / sqrt(n), t with n - 1 degrees.

    It is the variation of the mean over other images of the same kind, not over seeds of the training.

    Returns:
        [low, high]; None for fewer than two images, or if a value is not finite.

    Example:
        >>> [round(each, 2) for each in confidence_interval(np.array([1.0, 2.0, 3.0]))]
        [-0.48, 4.48]
    """
    count = len(values)
    if count < 2 or not np.all(np.isfinite(values)):
        return None
    reach = float(scipy.special.stdtrit(count - 1, (1 + CONFIDENCE) / 2) * np.std(values, ddof=1) / np.sqrt(count))
    middle = float(np.mean(values))
    return [middle - reach, middle + reach]


def bootstrap_interval(values: NDArray[np.float64], patients: Sequence[str]) -> list[float] | None:
    """Return the 95% confidence interval of a mean over images, from a bootstrap of whole patients.

    Images of one patient resemble each other, so an interval that takes them for independent is too narrow.

    Args:
        values: (n,), one for each image.
        patients: the patient of each image.

    Returns:
        [low, high], the percentiles over `RESAMPLES` draws of patients with a fixed seed; None for fewer than two
        patients, an unknown one, or a value that is not finite.

    Example:
        >>> low, high = bootstrap_interval(np.array([1.0, 1.0, 3.0]), ["a", "a", "b"])
        >>> low, high
        (1.0, 3.0)
    """
    numbers = {patient: number for number, patient in enumerate(dict.fromkeys(patients))}
    if len(numbers) < 2 or not all(map(is_known, numbers)) or not np.all(np.isfinite(values)):
        return None
    index = [numbers[patient] for patient in patients]
    drawn = np.random.default_rng(0).multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), RESAMPLES)
    means = drawn @ np.bincount(index, values) / (drawn @ np.bincount(index))
    tail = (1 - CONFIDENCE) / 2
    return [float(limit) for limit in np.quantile(means, (tail, 1 - tail))]
