"""Interpretation of results in sentences: leakage of the test set, comparison of a run with its baselines."""

from typing import Any

import numpy as np

from engine.config import NoiseConfig, RunConfig
from engine.data import Dataset
from engine.evaluation.evaluator import CLEAN, LEAKED, UNSEEN, Numbers
from engine.evaluation.references import IDENTITY, MEAN, PCA, title

JUDGED = (UNSEEN, CLEAN, "test", "validation", "train")
WORDS = {
    CLEAN: "deduplicated test images",
    LEAKED: "leaked test images",
    UNSEEN: "test images of unseen patients",
    "test": "test images",
    "validation": "validation images",
}
NUMBERS = {
    "n": ("images", ",.0f"),
    "mse": ("MSE", ".5f"),
    "psnr_db": ("PSNR (dB)", ".1f"),
    "ssim": ("SSIM", ".2f"),
    "nats_per_image": ("nats per image", ",.1f"),
    "reconstruction_nats": ("reconstruction", ",.1f"),
    "kl_nats": ("KL", ",.1f"),
    "entropy_floor_nats": ("entropy floor", ",.1f"),
    "batch_sum": ("batch sum", ",.0f"),
}
METRICS_NOTE = (
    "Means over the images of a split; intensities 0–1. PSNR is the mean over the images. Nats: VAE only; "
    "reconstruction + KL is the negative evidence lower bound, and the reconstruction term cannot be lower than "
    "the entropy floor (binary entropy of the images). Batch sum: the loss × batch size, as in the reference "
    "study (a 2024 course report). Choose models by the validation set; the test images were used neither for "
    "training nor for this choice."
)
RECONSTRUCTION_WARNING = (
    "A reconstruction is re-drawn from a short code. Small or rare structures are blurred: a lesion can "
    "disappear, and one that does not exist can appear. Do not interpret pathology in these images."
)


def describe_noise(noise: NoiseConfig) -> str:
    """Return what a model that learned to denoise is given, as the end of a sentence; empty for all others."""
    if noise.noise == "none":
        return ""
    return f", with added {noise.noise} noise of level {noise.noise_low:g} to {noise.noise_high:g}"


def leakage(images: Dataset) -> str:
    """Describe how many test images are leaked; empty without a test set."""
    count, leaked = len(images.test), int(np.sum(images.leaked))
    if not count:
        return "There are no test images."
    if not leaked:
        return "No test image is an exact copy of a training or validation image: test and test_clean are the same."
    share = f"{leaked:,} of the {count:,} test images are exact copies of training or validation images"
    if leaked == count:
        return f"{share}, so there is no test_clean subset: the test set says nothing about unseen images."
    return f"{share}. Report test_clean. test and test_leaked overestimate the performance of every model."


def compare_with_references(
    name: str, config: RunConfig, splits: dict[str, Numbers], yardsticks: dict[str, dict[str, Numbers]]
) -> list[str]:
    """Compare a run with its baselines, on the most relevant subset that was evaluated.

    Args:
        name: name of the run.
        config: the run's settings.
        splits: its numbers.
        yardsticks: numbers of its baselines.

    Returns:
        Sentences.
    """
    part = next((part for part in JUDGED if part in splits), None)
    if part is None:
        return []
    own, where = splits[part], f"on {splits[part]['n']:,} {WORDS.get(part, 'training images')}"
    sentences = []
    if PCA in yardsticks:
        linear = yardsticks[PCA][part]
        sentences.append(_rate(name, own, linear, f"the {title(linear['components'])} baseline", where))
    if own["mse"] >= yardsticks[MEAN][part]["mse"]:
        sentences.append(_rate(name, own, yardsticks[MEAN][part], "the mean training image", where))
    if config.model.latent_size is None and own["mse"] >= yardsticks[IDENTITY][part]["mse"]:
        sentences.append(_beside_identity(name, yardsticks[IDENTITY][part], own, where))
    return sentences


def _beside_identity(name: str, identity: Numbers, own: Numbers, where: str) -> str:
    if not identity["mse"]:
        return (
            f"{name} has no bottleneck: copying its input would score perfectly here, so these results do not "
            "show what it has learned."
        )
    return _rate(name, own, identity, "its noisy input without denoising", where)


def _rate(name: str, own: Numbers, other: Numbers, against: str, where: str) -> str:
    """Return a sentence that compares a run with a baseline by MSE; what rounds alike is no different.

    Examples:
        >>> own, other = {"mse": 0.004, "psnr_db": 24.0}, {"mse": 0.005, "psnr_db": 23.1}
        >>> _rate("ae", own, other, "the PCA-8 baseline", "on 40 test images")
        'ae is better than the PCA-8 baseline (24.0 dB vs 23.1 dB on 40 test images).'
        >>> _rate("ae", own, own | {"mse": 0.00401}, "the PCA-8 baseline", "on 40 test images")
        'ae is no different from the PCA-8 baseline at this precision (24.0 dB for both on 40 test images).'
    """
    shown = [_decibels(each) for each in (own, other)]
    if shown[0] == shown[1]:
        return f"{name} is no different from {against} at this precision ({shown[0]} for both {where})."
    is_better = bool(own["mse"] < other["mse"])
    if None not in (own["psnr_db"], other["psnr_db"]) and (own["psnr_db"] > other["psnr_db"]) != is_better:
        shown = [_decibels(each | {"psnr_db": None}) for each in (own, other)]
    return f"{name} is {'better' if is_better else 'worse'} than {against} ({' vs '.join(shown)} {where})."


def _decibels(part: dict[str, Any]) -> str:
    return f"MSE {part['mse']:.3g}" if part["psnr_db"] is None else f"{part['psnr_db']:.1f} dB"
