"""Measures on an image that is noisy already: the noise in it, and what a method removed. Pure numpy, for the app too.

There is no noise-free reference, so there is neither PSNR nor SSIM. What can be measured is the noise level, and
whether the residual (image minus result) is white, as removed noise is, or has structure, as removed anatomy has.

Whiteness is the autocorrelation of the residual at lag 1 within the head, without local means, the mean of both
directions. Noise itself has -0.05 of it, or +0.16 in an image that was reduced (`NoiseShape`). WHITE_LIMIT is how much
more counts as structure. It was calibrated on phantoms of 64, 96 and 128 px with Gaussian and Rician noise of 0.02 to
0.15 (bench/residuals.py): perfect results have at most -0.02, non-local means 0.01, total variation 0.06; a blur of
2 px, which removes anatomy, has at least 0.29 at a noise of 0.02, 0.17 at 0.05, and 0.01 at 0.1: much noise hides lost
structure. The mean estimate of the noise on these phantoms is within 20% from 0.05 on, but 0.03 for 0.02, where fine
anatomy counts as noise.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from engine import data
from engine.arrays import Mask
from engine.config import DataConfig, NoiseConfig
from engine.data import Scan
from engine.formatting import format_fixed

WHITE_LIMIT: Final = 0.15
# Side of the window whose mean is subtracted from a residual: a smooth bias, as of Rician noise, is no structure.
LOCAL_PX: Final = 5
# Part of the 99th percentile from which on a pixel of the result belongs to the head.
HEAD_PART: Final = 0.1
MIN_PIXELS: Final = 64
# An image enlarged so far that less is left has no details to estimate noise from.
MIN_DETAIL: Final = 0.05
# High-pass filter of the Daubechies wavelet with two vanishing moments.
DB2: Final = np.array([-0.48296291, 0.8365163, -0.22414387, -0.12940952])
MAD_OF_NORMAL: Final = 0.67448975
ITERATIONS: Final = 20
# An estimate this far outside the range of a model's training counts as outside: its own error is as large.
RANGE_TOLERANCE: Final = 0.2
Image = NDArray[np.floating[Any]]
Verdict = Literal["white", "structure", "noise-left", "unknown"]
NO_REFERENCE: Final = "There is no noise-free reference, so PSNR and SSIM are unknown."


@dataclass(frozen=True)
class NoiseShape:
    """What white noise is like after an image was resized.

    Args:
        correlation: its autocorrelation at lag 1.
        detail: its estimate from the finest wavelet coefficients divided by its standard deviation.
    """

    correlation: float = -0.05
    detail: float = 1.0


WHITE: Final = NoiseShape()


@dataclass(frozen=True)
class NoiseEstimate:
    """Standard deviation of the noise in the units of the image, if it is Gaussian and if it is Rician."""

    gaussian: float
    rician: float

    def describe(self, side: int) -> str:
        """Return the estimates as a sentence, for an image of a side in pixels."""
        levels = f"σ = {self.gaussian:.3f} if Gaussian, {self.rician:.3f} if Rician"
        return f"Estimated noise at {side} × {side} px: {levels} ({255 * self.gaussian:.1f} of 255 levels)."

    def warn_of_range(self, title: str, noise: NoiseConfig) -> str:
        """Return why a model was not trained for this noise; empty if it was.

        Examples:
            >>> found = NoiseEstimate(0.2, 0.25)
            >>> found.warn_of_range("unet", NoiseConfig(noise="rician", noise_high=0.1))[:64]
            'The estimated noise, σ = 0.250, is above the range that unet was'
            >>> found.warn_of_range("unet", NoiseConfig(noise="gaussian", noise_high=0.2))
            ''
        """
        if noise.noise == "none":
            return f"{title} was trained on noise-free images: it reconstructs, it never learned to remove noise."
        if noise.noise not in ("gaussian", "rician", "gaussian-or-rician"):
            return f"{title} was trained on {noise.noise} noise; no estimate tells how much of it this image has."
        level = self.gaussian if noise.noise == "gaussian" else self.rician
        low, high = noise.noise_low, noise.noise_high
        if low * (1 - RANGE_TOLERANCE) <= level <= high * (1 + RANGE_TOLERANCE):
            return ""
        side = "above" if level > high else "below"
        return (
            f"The estimated noise, σ = {level:.3f}, is {side} the range that {title} was trained on ({low:g} to "
            f"{high:g}, {noise.noise}). Do not trust its result without looking at the residual."
        )


@dataclass(frozen=True)
class ResidualReport:
    """What a method removed: its standard deviation, its autocorrelation at lag 1, and what that says.

    `expected` is the autocorrelation of noise that was resized as the image was.
    """

    sd: float
    autocorrelation: float
    verdict: Verdict
    expected: float = WHITE.correlation

    def describe(self, title: str) -> str:
        """Return the verdict on a method as a sentence with the measured value."""
        value = f"lag-1 autocorrelation {format_fixed(self.autocorrelation, 2)}"
        value += f", {format_fixed(self.expected, 2)} for noise in an image of this size"
        if self.verdict == "white":
            return f"What {title} removed is white, as noise is ({value})."
        if self.verdict == "structure":
            return (
                f"What {title} removed contains structure ({value}). It may be anatomy or a lesion; look at the "
                "residual."
            )
        if self.verdict == "noise-left":
            return f"What {title} removed is finer than noise ({value}): part of the noise is still there."
        return f"Too few pixels to say what {title} removed."


def head_of(image: Image) -> Mask:
    """Return the pixels of an image that are clearly brighter than black.

    Examples:
        >>> image = np.zeros((8, 8), np.float32)
        >>> image[2:6, 2:6] = 0.5
        >>> int(head_of(image).sum())
        16
    """
    return np.asarray(image > HEAD_PART * float(np.percentile(image, 99)))


def estimate_noise(image: Image, shape: NoiseShape = WHITE) -> NoiseEstimate:
    """Estimate the standard deviation of the noise in one (height, width) image.

    Gaussian: median absolute finest diagonal db2 wavelet coefficient over 0.6745, within the head (Donoho, Johnstone:
    Ideal spatial adaptation by wavelet shrinkage, Biometrika 81 (1994)). Rician: the same, corrected for the mean
    signal-to-noise ratio (Coupé and others: Robust Rician noise estimation for MR images, Medical Image Analysis 14
    (2010); Koay, Basser: Analytically exact correction scheme, J. Magnetic Resonance 179 (2006)). Resizing averages
    noise, so the estimate holds for the image at this size; `shape` corrects for the details that resizing takes away.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> found = estimate_noise(0.5 + 0.05 * rng.standard_normal((96, 96)))
        >>> round(found.gaussian, 2), round(found.rician, 2)
        (0.05, 0.05)
    """
    details = _diagonal_details(image)
    inside = head_of(image)[1 : 2 * details.shape[0] : 2, 1 : 2 * details.shape[1] : 2]
    chosen = details[inside & (details != 0)]
    if chosen.size < MIN_PIXELS:
        chosen = details[details != 0]
    gaussian = float(np.median(np.abs(chosen))) / (MAD_OF_NORMAL * shape.detail) if chosen.size else 0.0
    mean = float(image[head_of(image)].mean()) if gaussian else 0.0
    return NoiseEstimate(gaussian, _correct_for_rician(gaussian, mean))


def report_residual(image: Image, result: Image, shape: NoiseShape = WHITE) -> ResidualReport:
    """Measure what a method removed from an image: (height, width) in [0, 1] each.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> clean = np.full((64, 64), 0.5)
        >>> report_residual(clean + 0.05 * rng.standard_normal((64, 64)), clean).verdict
        'white'
    """
    inside, residual = head_of(result), np.asarray(image, np.float64) - result
    if inside.sum() < MIN_PIXELS:
        return ResidualReport(float(residual.std()), math.nan, "unknown")
    sd = float(residual[inside].std())
    if sd < 1e-9:
        return ResidualReport(sd, math.nan, "unknown")
    found = _correlate(residual, inside)
    beyond = found - shape.correlation
    verdict: Verdict = "structure" if beyond >= WHITE_LIMIT else "noise-left" if beyond <= -WHITE_LIMIT else "white"
    return ResidualReport(sd, found, verdict, shape.correlation)


def measure_shape(noise: Image) -> NoiseShape:
    """Measure white noise that was resized: (height, width) around a gray level, black where there is no image.

    Examples:
        >>> noise = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((128, 128))
        >>> round(measure_shape(noise).correlation, 2), round(measure_shape(noise).detail, 1)
        (-0.06, 1.0)
    """
    inside = head_of(noise)
    centered = np.asarray(noise, np.float64) - noise[inside].mean()
    correlation = _correlate(centered, inside)
    detail = estimate_noise(noise).gaussian / float(centered[inside].std())
    return NoiseShape(round(correlation, 3), min(max(detail, MIN_DETAIL), 1.0))


def _correlate(residual: NDArray[np.float64], inside: Mask) -> float:
    """Return the correlation of neighbors within a region, the mean of both directions, without local means."""
    weights = _box_sum(inside.astype(np.float64))
    flat = np.where(inside, residual - _box_sum(np.where(inside, residual, 0.0)) / np.maximum(weights, 1.0), 0.0)
    flat = np.where(inside, flat - flat[inside].mean(), 0.0)
    return float(np.mean([_correlate_along(flat, inside, axis) for axis in (0, 1)]))


def _box_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum in the window around each pixel."""
    padded = np.pad(values, LOCAL_PX // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (LOCAL_PX, LOCAL_PX))
    return np.asarray(windows.sum(axis=(-2, -1)))


def _correlate_along(residual: NDArray[np.float64], inside: Mask, axis: int) -> float:
    first, second = (slice(None, -1), slice(1, None))
    before, after = (np.moveaxis(residual, axis, 0)[part] for part in (first, second))
    both = np.moveaxis(inside, axis, 0)[first] & np.moveaxis(inside, axis, 0)[second]
    left, right = before[both], after[both]
    power = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / power if power else 0.0


def _diagonal_details(image: Image) -> NDArray[np.float64]:
    """Return the finest diagonal db2 wavelet coefficients."""
    found = np.asarray(image, np.float64)
    for axis in (0, 1):
        turned = np.moveaxis(found, axis, 0)
        count = (len(turned) - len(DB2)) // 2 + 1
        found = np.moveaxis(sum(tap * turned[at : at + 2 * count : 2][:count] for at, tap in enumerate(DB2)), 0, axis)
    return found


def _correct_for_rician(spread: float, mean: float) -> float:
    """Return the Rician noise level that makes magnitudes of a mean vary by a standard deviation."""
    level = spread
    for _ in range(ITERATIONS if spread else 0):
        signal = math.sqrt(max(mean**2 + spread**2 - 2 * level**2, 0.0))
        level = spread / math.sqrt(_rician_variance(signal / level))
    return level


def _rician_variance(ratio: float) -> float:
    """Return the variance of a Rician magnitude at noise level 1, by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    magnitudes = np.hypot(ratio + nodes[:, np.newaxis], nodes)
    mean = float(weights @ magnitudes @ weights) / (2 * math.pi)
    return max(2 + ratio**2 - mean**2, 1e-6)


GRAY, SPREAD, SEED = 0.5, 0.1, 0


def shape_of_scan(scan: Scan, config: DataConfig) -> NoiseShape:
    """Measure white noise of a file's size that is prepared as the file is."""
    noise = _draw_noise(scan.pixels.shape[1:3])
    return measure_shape(data.prepare(replace(scan, pixels=noise[np.newaxis]), _without_scaling(config), 0))


def shape_of_file(path: Path, config: DataConfig) -> NoiseShape:
    """Measure the same for an image of a dataset's folder; white noise if its size cannot be read."""
    try:
        with PillowImage.open(path) as opened:
            width, height = opened.size
    except (OSError, ValueError, PillowImage.DecompressionBombError):
        return WHITE
    return measure_shape(data.prepare(_draw_noise((height, width)), _without_scaling(config)))


def _draw_noise(shape: tuple[int, ...]) -> np.ndarray:
    drawn = GRAY + SPREAD * np.random.default_rng(SEED).standard_normal(shape, np.float32)
    return np.clip(drawn, 0.0, 1.0)


def _without_scaling(config: DataConfig) -> DataConfig:
    return config.model_copy(update={"normalisation": "none"})
