"""What the numbers say, in sentences: how much of the test set is leaked, how a run stands beside its yardsticks."""

from typing import Any

import numpy as np

from engine.config import RunConfig
from engine.data import Dataset
from engine.measures.numbers import CLEAN, LEAKED, Numbers
from engine.measures.yardsticks import IDENTITY, MEAN, PCA, title

JUDGED = (CLEAN, "test", "validation", "train")
WORDS = {CLEAN: "clean test scans", LEAKED: "leaked test scans", "test": "test scans", "validation": "validation scans"}


def leakage(images: Dataset) -> str:
    """Say how many test images are also images to train on or to choose by; empty without a test set."""
    count, leaked = len(images.test), int(np.sum(images.leaked))
    if not count:
        return "There are no test images."
    if not leaked:
        return "No test image is also a training or validation image: test and test_clean are the same."
    share = f"{leaked:,} of the {count:,} test images are also training or validation images, pixel for pixel"
    if leaked == count:
        return f"{share}: there is no test_clean, and test says nothing about images that a model has not seen."
    return f"{share}. Read test_clean; test and test_leaked flatter every model."


def beside_yardsticks(
    name: str, config: RunConfig, splits: dict[str, Numbers], yardsticks: dict[str, dict[str, Numbers]]
) -> list[str]:
    """Say how a run stands beside its yardsticks, on the part that counts most of those measured.

    Args:
        name: the run's.
        config: the run's settings.
        splits: its numbers.
        yardsticks: those of its yardsticks.

    Returns:
        Sentences.
    """
    part = next((part for part in JUDGED if part in splits), None)
    if part is None:
        return []
    own, where = splits[part], f"on {splits[part]['n']:,} {WORDS.get(part, 'training scans')}"
    sentences = []
    if PCA in yardsticks:
        sentences.append(_beside_pca(name, own, yardsticks[PCA][part], where))
    if own["mse"] >= yardsticks[MEAN][part]["mse"]:
        beside = _beside("the mean image", yardsticks[MEAN][part], own)
        sentences.append(f"{name} is worse than the mean of all training scans ({beside} {where}).")
    if config.model.latent_size is None and own["mse"] >= yardsticks[IDENTITY][part]["mse"]:
        sentences.append(_beside_identity(name, yardsticks[IDENTITY][part], own, where))
    return sentences


def _beside_pca(name: str, own: Numbers, linear: Numbers, where: str) -> str:
    beside = _beside(title(linear["components"]), linear, own)
    if own["mse"] >= linear["mse"]:
        return f"{name} is worse than a linear map with as many numbers ({beside} {where})."
    return f"{name} is better than a linear map with as many numbers ({beside} {where})."


def _beside_identity(name: str, identity: Numbers, own: Numbers, where: str) -> str:
    if not identity["mse"]:
        return (
            f"{name} has no latent: copying its input would be perfect here, so these numbers do not say what it has "
            "learned."
        )
    return f"{name} is worse than doing nothing ({_beside('its input', identity, own)} {where})."


def _beside(what: str, yardstick: Numbers, own: Numbers) -> str:
    return f"{what}: {_decibels(yardstick)}, here {_decibels(own)}"


def _decibels(part: dict[str, Any]) -> str:
    return f"MSE {part['mse']:.3g}" if part["psnr_db"] is None else f"{part['psnr_db']:.1f} dB"
