"""How close a reconstruction is to its original. Pure functions of arrays.

Images are float arrays in [0, 1] of shape (n, height, width) or (n, height, width, 1); the data range is 1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

Floats = NDArray[np.floating[Any]]


def mse(originals: Floats, reconstructed: Floats) -> NDArray[np.float64]:
    """Mean squared error of each image: two (n, ...) arrays -> (n,)."""
    difference = np.asarray(originals, np.float64) - np.asarray(reconstructed, np.float64)
    return np.mean(np.square(difference), axis=tuple(range(1, difference.ndim)))


def psnr_db(originals: Floats, reconstructed: Floats) -> NDArray[np.float64]:
    """Peak signal-to-noise ratio of each image, 10 log10(1 / mse) dB; infinite where the two are equal."""
    with np.errstate(divide="ignore"):
        return -10.0 * np.log10(mse(originals, reconstructed))


def ssim(originals: Floats, reconstructed: Floats) -> NDArray[np.float64]:
    """Structural similarity of each image, in [-1, 1].

    Wang et al., IEEE Trans. Image Processing 13 (2004), with the paper's Gaussian window: sigma 1.5, population
    covariance, data range 1 (scikit-image's `gaussian_weights=True, use_sample_covariance=False`).

    Args:
        originals: (n, height, width) or (n, height, width, 1), sides of at least 11 px.
        reconstructed: the same shape.

    Returns:
        (n,) values.
    """
    pairs = zip(_planes(originals), _planes(reconstructed), strict=True)
    return np.array(
        [
            structural_similarity(a, b, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
            for a, b in pairs
        ]
    )


def cross_entropy_nats(originals: Floats, logits: Floats) -> NDArray[np.float64]:
    """Binary cross-entropy of each image, summed over its pixels: (n, ...) in [0, 1] and logits -> (n,) nats."""
    x, z = np.asarray(originals, np.float64), np.asarray(logits, np.float64)
    pixels = np.maximum(z, 0.0) - z * x + np.log1p(np.exp(-np.abs(z)))
    return np.sum(pixels, axis=tuple(range(1, pixels.ndim)))


def divergence_nats(mean: Floats, log_var: Floats) -> NDArray[np.float64]:
    """KL divergence of N(mean, exp(log_var)) from N(0, 1): two (n, latent) arrays -> (n,) nats."""
    mean, log_var = np.asarray(mean, np.float64), np.asarray(log_var, np.float64)
    return -0.5 * np.sum(1.0 + log_var - np.square(mean) - np.exp(log_var), axis=1)


def entropy_floor_nats(images: Floats) -> NDArray[np.float64]:
    """Least binary cross-entropy that any model can have on each image: its pixels' own entropy, (n,) nats."""
    x = np.clip(np.asarray(images, np.float64), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = -np.nan_to_num(x * np.log(x)) - np.nan_to_num((1.0 - x) * np.log(1.0 - x))
    return np.sum(pixels, axis=tuple(range(1, pixels.ndim)))


def _planes(images: Floats) -> NDArray[np.float64]:
    planes = np.asarray(images, np.float64)
    return planes[..., 0] if planes.ndim == 4 else planes
