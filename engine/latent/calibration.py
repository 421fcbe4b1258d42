"""Posterior SD of reconstructions, and its calibration against the reconstruction error.

The posterior SD of a variational autoencoder is the encoder's uncertainty about the latent code. It is not the
reconstruction error, which includes everything that the decoder cannot represent. Calibration measures its use: of the
pixels of held-out images, how many lie in the central interval that should contain 50%, 90%, ... of them.

Intervals are those of a normal distribution with the samples' mean and standard deviation, as for any predicted mean
and variance (Kuleshov, Fenner, Ermon: Accurate uncertainties for deep learning using calibrated regression, ICML 2018,
the source of this calibration curve and error, here with equal weights).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import ndtri

from engine.arrays import Images
from engine.latent.space import Codes, LatentSpace

LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
# Expected calibration error above which the intervals count as miscalibrated.
TOLERATED: Final = 0.05
# In intensities; a pixel with less SD does not change between samples.
MIN_PIXELS: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean and SD of the decoded posterior samples of some images.

    Args:
        mean: (n, size, size, 1), mean of the decoded samples.
        deviation: (n, size, size, 1), their standard deviation (with n - 1), intensities.
    """

    mean: Images
    deviation: Images


@dataclass(frozen=True)
class Calibration:
    """Nominal and observed coverage of intervals.

    Args:
        levels: nominal coverage of the central intervals.
        coverage: share of the pixels in each of them.
        error: mean absolute difference of the two over the levels (expected calibration error).
        spread, rms_error: root mean square over pixels of the SD, and of original minus mean; intensities.
        pixels: number of pixels.
    """

    levels: tuple[float, ...]
    coverage: tuple[float, ...]
    error: float
    spread: float
    rms_error: float
    pixels: int

    def summary(self) -> str:
        """Describe the calibration to users of the posterior SD."""
        at = self.levels.index(0.9)
        held = f"the 90% intervals cover {100 * self.coverage[at]:.1f}% of held-out pixels"
        times = f"the RMS error is {self.rms_error / max(self.spread, MIN_PIXELS):.1f}× the posterior SD"
        if self.error <= TOLERATED:
            return f"Calibrated: {held}, and {times}."
        if self.coverage[at] < 0.9:
            return (
                f"Overconfident: {held}, and {times}. The posterior SD shows where the latent code is uncertain, "
                "not where the reconstruction is wrong."
            )
        return f"Underconfident: {held}, and {times}."


def spread(space: LatentSpace, codes: Codes, samples: int, seed: int = 0) -> Spread:
    """Decode posterior samples, and compute their mean and SD.

    Args:
        space: latent space of a variational model.
        codes: (n, k) means and log-variances.
        samples: number of samples per posterior, at least 2.
        seed: seed of the samples.

    Returns:
        Their mean and SD; the memory holds the samples of one image.
    """
    space.need_posterior("posterior", "Choose a VAE run.")
    assert codes.log_vars is not None
    means, deviations = [], []
    for number, (mean, log_var) in enumerate(zip(codes.means, codes.log_vars, strict=True)):
        noise = np.random.default_rng([seed, number]).standard_normal((samples, len(mean)), np.float32)
        made = space.decode(mean + np.exp(0.5 * log_var) * noise).astype(np.float64)
        means.append(made.mean(axis=0))
        deviations.append(made.std(axis=0, ddof=1))
    return Spread(np.asarray(means, np.float32), np.asarray(deviations, np.float32))


class CoverageCounter:
    """Counter of the pixels in each interval, image by image."""

    def __init__(self) -> None:
        self._reach = ndtri((1 + np.array(LEVELS)) / 2)
        self._held = np.zeros(len(LEVELS))
        self._sums = np.zeros(2)
        self._pixels = 0

    def add(self, originals: Images, found: Spread) -> None:
        """Count the pixels of some images (n, size, size, 1)."""
        error = np.abs(originals.astype(np.float64) - found.mean)
        deviation = found.deviation.astype(np.float64)
        away = error / np.maximum(deviation, MIN_PIXELS)
        self._held += [np.count_nonzero(away <= reach) for reach in self._reach]
        self._sums += [np.sum(deviation**2), np.sum(error**2)]
        self._pixels += error.size

    def get_result(self) -> Calibration:
        """Return the calibration over all images so far."""
        coverage = self._held / max(1, self._pixels)
        wide, wrong = np.sqrt(self._sums / max(1, self._pixels))
        error = float(np.mean(np.abs(coverage - LEVELS)))
        return Calibration(LEVELS, tuple(coverage.tolist()), error, float(wide), float(wrong), self._pixels)


def to_dict(found: Calibration) -> dict[str, Any]:
    """Convert a calibration to JSON types."""
    return {
        "levels": list(found.levels),
        "coverage": list(found.coverage),
        "calibration_error": found.error,
        "spread": found.spread,
        "rms_error": found.rms_error,
        "pixels": found.pixels,
        "sentence": found.summary(),
    }
