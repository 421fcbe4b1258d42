"""Metrics of models trained on likelihood: cross-entropy, KL, entropy floor, active dimensions. In nats."""

from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.arrays import PerImage

ACTIVE_NATS: Final = 0.01
Pixels = Annotated[NDArray[np.floating[Any]], "n *pixels"]
Codes = Annotated[NDArray[np.floating[Any]], "n latent"]


def cross_entropy_nats(originals: Pixels, logits: Pixels) -> PerImage:
    """Return the binary cross-entropy of each image, summed over pixels: (n, ...) in [0, 1] and logits -> (n,).

    Example:
        >>> cross_entropy_nats(np.ones((1, 4, 4)), np.zeros((1, 4, 4))).round(3).tolist()  # 16 pixels of ln 2
        [11.09]
    """
    x, z = np.asarray(originals, np.float64), np.asarray(logits, np.float64)
    pixels = np.maximum(z, 0.0) - z * x + np.log1p(np.exp(-np.abs(z)))
    return np.sum(pixels, axis=tuple(range(1, pixels.ndim)))


def divergences_nats(mean: Codes, log_var: Codes) -> Annotated[NDArray[np.float64], "n latent"]:
    """Return the KL divergence of N(mean, exp(log_var)) from N(0, 1) per dimension: two (n, latent) -> the same.

    Example:
        >>> divergences_nats(np.ones((1, 3)), np.zeros((1, 3))).tolist()
        [[0.5, 0.5, 0.5]]
    """
    m, v = np.asarray(mean, np.float64), np.asarray(log_var, np.float64)
    each: NDArray[np.float64] = np.square(m) + np.exp(v) - v - 1.0
    return 0.5 * each


def divergence_nats(mean: Codes, log_var: Codes) -> PerImage:
    """Return the KL divergence of N(mean, exp(log_var)) from N(0, 1): two (n, latent) arrays -> (n,) nats.

    Example:
        >>> divergence_nats(np.ones((1, 3)), np.zeros((1, 3))).tolist()
        [1.5]
    """
    return np.sum(divergences_nats(mean, log_var), axis=1)


def active_units(kl_per_dimension: Annotated[NDArray[np.floating[Any]], "latent"]) -> int:
    """Count the active latent dimensions: those with more than 0.01 nats of KL, averaged over images.

    Args:
        kl_per_dimension: (latent,) nats, the mean over images of `divergences_nats`.

    Returns:
        Their number, from 0 to latent.

    Example:
        >>> active_units(np.array([0.0, 0.5, 2.0]))
        2
    """
    return int(np.sum(np.asarray(kl_per_dimension) > ACTIVE_NATS))


def entropy_floor_nats(images: Pixels) -> PerImage:
    """Return the least binary cross-entropy any model can reach on each image: its pixels' entropy, (n,) nats.

    Example:
        >>> entropy_floor_nats(np.full((1, 4, 4), 0.5)).round(3).tolist()
        [11.09]
    """
    x = np.clip(np.asarray(images, np.float64), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = -np.nan_to_num(x * np.log(x)) - np.nan_to_num((1.0 - x) * np.log(1.0 - x))
    return np.sum(pixels, axis=tuple(range(1, pixels.ndim)))
