"""Filters, each with its strength from scikit-image's estimate of the noise in the image itself.

The estimate is the median of the finest diagonal wavelet coefficients over 0.6745 (Donoho, Johnstone: Ideal spatial
adaptation by wavelet shrinkage, Biometrika 81 (1994)). In a black background half of the noise is clipped, which lowers
the estimate. So the factors from the estimate to a strength were chosen on validation images, with
`bench/baselines.py`; docs/explanation/denoising.md has the results.

All filters take float32 (n, height, width, 1) in [0, 1] and return the same; each image has its own estimate.
"""

import warnings
from collections.abc import Callable
from typing import Final

import numpy as np
import scipy

# scikit-image imports the modules of its filters, a half second's work, when they are first used.
import skimage

from engine.arrays import Image, Images
from engine.errors import BaselineMissing

LEAST_NOISE: Final = 1e-4
BM3D_INSTALL: Final = "pip install bm3d"

try:
    import bm3d as bm3d_package
except ImportError:
    bm3d_package = None


def estimate_noise_sigma(picture: Image) -> float:
    """Estimate the standard deviation of the noise in one (height, width) image, in units of the data range.

    Example:
        >>> noisy = 0.5 + np.random.default_rng(0).normal(0, 0.1, (64, 64))
        >>> round(estimate_noise_sigma(noisy.astype(np.float32)), 1)
        0.1
    """
    with warnings.catch_warnings():
        # An image without any detail gives it the mean of an empty array.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = float(skimage.restoration.estimate_sigma(picture))
    return found if found > LEAST_NOISE else LEAST_NOISE


def identity(images: Images) -> Images:
    """Return the images unchanged.

    Example:
        >>> identity(np.zeros((1, 8, 8, 1), np.float32)).shape
        (1, 8, 8, 1)
    """
    return images


def gaussian(images: Images, factor: float = 3.0, power: float = 0.5) -> Images:
    """Apply a Gaussian filter of factor * noise ^ power px.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noisy = (0.5 + rng.normal(0, 0.1, (1, 32, 32, 1))).astype(np.float32)
        >>> bool(gaussian(noisy).std() < noisy.std() / 2)
        True
    """
    return map_images(
        images, lambda picture, noise: scipy.ndimage.gaussian_filter(picture, factor * noise**power, mode="nearest")
    )


def median(images: Images, small: float = 0.03, large: float = 0.1) -> Images:
    """Apply a median of 3 x 3 pixels for noise from `small` on, of 5 x 5 from `large` on; below, return the images.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noisy = (0.5 + rng.normal(0, 0.1, (1, 32, 32, 1))).astype(np.float32)
        >>> bool(median(noisy).std() < noisy.std() / 2)
        True
    """

    def filtered(picture: Image, noise: float) -> Image:
        side = 1 + 2 * (noise >= small) + 2 * (noise >= large)
        return np.asarray(scipy.ndimage.median_filter(picture, side, mode="nearest"))

    return map_images(images, filtered)


def nlm(images: Images, factor: float = 0.9, patch: int = 5, reach: int = 6) -> Images:
    """Apply non-local means with a decay of factor * noise, and patches of `patch` px within `reach` px.

    Buades, Coll, Morel: A non-local algorithm for image denoising, CVPR (2005).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noisy = (0.5 + rng.normal(0, 0.1, (1, 32, 32, 1))).astype(np.float32)
        >>> bool(nlm(noisy).std() < noisy.std() / 2)
        True
    """

    def filtered(picture: Image, noise: float) -> Image:
        return np.asarray(
            skimage.restoration.denoise_nl_means(picture, patch, reach, factor * noise, fast_mode=True, sigma=noise)
        )

    return map_images(images, filtered)


def tv(images: Images, factor: float = 0.7) -> Images:
    """Apply total variation denoising with a weight of factor * noise.

    Chambolle: An algorithm for total variation minimization, J. Mathematical Imaging and Vision 20 (2004).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noisy = (0.5 + rng.normal(0, 0.1, (1, 32, 32, 1))).astype(np.float32)
        >>> bool(tv(noisy).std() < noisy.std() / 2)
        True
    """
    return map_images(
        images,
        lambda picture, noise: skimage.restoration.denoise_tv_chambolle(picture, factor * noise, max_num_iter=100),
    )


def wavelet(images: Images, factor: float = 1.1, kind: str = "db2") -> Images:
    """Apply BayesShrink to wavelet coefficients for factor * noise, the mean over 4 x 4 shifts of the image.

    Chang, Yu, Vetterli: Adaptive wavelet thresholding for image denoising, IEEE Trans. Image Processing 9 (2000);
    Coifman, Donoho: Translation-invariant de-noising (1995).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> noisy = (0.5 + rng.normal(0, 0.1, (1, 32, 32, 1))).astype(np.float32)
        >>> bool(wavelet(noisy).std() < noisy.std() / 2)
        True
    """

    def filtered(picture: Image, noise: float) -> Image:
        options = {"sigma": factor * noise, "wavelet": kind, "method": "BayesShrink", "rescale_sigma": False}
        return np.asarray(
            skimage.restoration.cycle_spin(
                picture, max_shifts=3, func=skimage.restoration.denoise_wavelet, func_kw=options, workers=1
            )
        )

    return map_images(images, filtered)


def is_bm3d_installed() -> bool:
    """Return whether BM3D is installed."""
    return bm3d_package is not None


def bm3d(images: Images, factor: float = 1.3) -> Images:
    """Apply BM3D with its authors' settings at factor * noise: float32 (n, height, width, 1) in [0, 1] -> the same.

    Dabov, Foi, Katkovnik, Egiazarian: Image denoising by sparse 3-D transform-domain collaborative filtering, IEEE
    Trans. Image Processing 16 (2007): similar blocks are stacked, transformed and shrunk together. The package is its
    authors', free for non-commercial use, so Engram does not install it.

    Raises:
        BaselineMissing: its package is not installed.
    """
    if bm3d_package is None:
        raise BaselineMissing("BM3D is not installed.", f"Install it: {BM3D_INSTALL}")

    def matched(picture: Image, noise: float) -> Image:
        found: Image = bm3d_package.bm3d(picture, sigma_psd=factor * noise)
        return found

    return map_images(images, matched)


def map_images(images: Images, filtered: Callable[[Image, float], Image]) -> Images:
    """Filter each image with its estimated noise; (n, height, width, 1) -> the same, clipped to [0, 1].

    Example:
        >>> images = np.full((2, 8, 8, 1), 0.5, np.float32)
        >>> map_images(images, lambda image, sigma: image + 1).max()
        np.float32(1.0)
    """
    made = [filtered(picture, estimate_noise_sigma(picture)) for picture in images[..., 0]]
    return np.clip(np.stack(made)[..., np.newaxis], 0.0, 1.0).astype(np.float32) if made else images
