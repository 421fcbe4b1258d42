"""Posterior SD of reconstructions, and its calibration against the reconstruction error.

The posterior SD of a variational autoencoder is the encoder's uncertainty about the latent code. It is not the
reconstruction error, which includes everything that the decoder cannot represent. Calibration measures its use: of the
pixels of held-out images, how many lie in the central interval that should contain 50%, 90%, ... of them.

Intervals are those of a normal distribution with the samples' mean and standard deviation, as for any predicted mean
and variance (Kuleshov, Fenner, Ermon: Accurate uncertainties for deep learning using calibrated regression, ICML 2018,
the source of this calibration curve and error, here with equal weights).

Calibrated intervals are wider: mean ± factor × √(SD² + excess²). The excess is the RMS error at each pixel beyond the
SD, the factor of each level the quantile of the errors in this unit (split conformal prediction: Lei, G'Sell, Rinaldo,
Tibshirani, Wasserman, JASA 2018), both from validation images. They hold on average over the pixels of images of other
patients like these, not for each image or region. Whether they do is checked on patients that were not used for them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy
from numpy.typing import NDArray

from engine.arrays import Images
from engine.evaluation.evaluator import bootstrap_interval
from engine.job_context import Steps
from engine.latent.space import Codes, LatentSpace

LEVELS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
# Expected calibration error above which the intervals count as miscalibrated.
TOLERATED: Final = 0.05
# In intensities; a pixel with less SD does not change between samples.
MIN_PIXELS: Final = 1e-6
# The level of the intervals that maps show.
SHOWN_LEVEL: Final = 0.9


@dataclass(frozen=True, eq=False)
class Spread:
    """Mean and SD of the decoded posterior samples of some images.

    Args:
        mean: (n, size, size, 1), mean of the decoded samples.
        deviation: (n, size, size, 1), their standard deviation (with n - 1), intensities.
    """

    mean: Images
    deviation: Images


# From the row of an image in its split, and the image (1, size, size, 1), to the mean and SD that a model predicts.
Predict = Callable[[int, Images], Spread]


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


def predict_posterior(space: LatentSpace, samples: int) -> Predict:
    """Return the function from an image to mean and SD of that number of decoded posterior samples."""
    return lambda row, images: spread(space, space.encode(images), samples)


@dataclass(frozen=True, eq=False)
class IntervalScale:
    """What makes calibrated intervals of the posterior SD.

    Args:
        excess: (1, size, size, 1), RMS error at each pixel beyond the posterior SD, intensities.
        factors: for each of `LEVELS`, half of the interval's width ÷ √(SD² + excess²).
        images: number of images that both come from.
    """

    excess: Images
    factors: tuple[float, ...]
    images: int

    def combine(self, deviation: Images) -> NDArray[np.float64]:
        """Return √(SD² + excess²) of posterior SDs (n, size, size, 1)."""
        return np.sqrt(
            np.square(deviation, dtype=np.float64) + np.square(self.excess, dtype=np.float64) + MIN_PIXELS**2
        )

    def half_width(self, deviation: Images, level: float = SHOWN_LEVEL) -> Images:
        """Return half the width of the calibrated interval of a level at each pixel, intensities."""
        return (self.factors[LEVELS.index(level)] * self.combine(deviation)).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Convert it to JSON types; the excess is rounded to 1e-5."""
        rows = np.round(self.excess[0, ..., 0].astype(np.float64), 5).tolist()
        return {"excess": rows, "factors": list(self.factors), "images": self.images}

    @classmethod
    def from_json(cls, content: Any) -> "IntervalScale | None":
        """Return what `to_json` returned. Returns None for any other content."""
        try:
            excess = np.asarray(content["excess"], np.float32)[None, ..., None]
            factors = tuple(map(float, content["factors"]))
            return cls(excess, factors, int(content["images"])) if len(factors) == len(LEVELS) else None
        except (TypeError, KeyError, ValueError):
            return None


def fit_intervals(originals: Images, found: Spread, patients: Sequence[str]) -> IntervalScale:
    """Fit calibrated intervals to images that the weights were not trained on, (n, size, size, 1).

    The factors come from errors in units whose excess is that of the other patients; with the excess of the same images
    the intervals would be too narrow for new ones.
    """
    error = np.abs(originals.astype(np.float64) - found.mean)
    beyond = np.square(error) - np.square(found.deviation, dtype=np.float64)
    owners, scaled = np.array(patients), np.empty_like(error)
    for patient in dict.fromkeys(patients):
        own = owners == patient
        others = beyond if np.all(own) else beyond[~own]  # of one patient alone, the same images
        scaled[own] = error[own] / _to_scale(others).combine(found.deviation[own])
    factors = tuple(np.quantile(scaled, LEVELS).tolist())
    return IntervalScale(_to_scale(beyond).excess, factors, len(originals))


def _to_scale(beyond: NDArray[np.float64]) -> IntervalScale:
    """Return a scale without factors from squared errors less squared SDs, (n, size, size, 1)."""
    excess = np.sqrt(np.maximum(beyond.mean(axis=0, keepdims=True), 0))
    return IntervalScale(excess.astype(np.float32), (), len(beyond))


def _halve(patients: Sequence[str]) -> NDArray[np.bool_]:
    """Return in which half of the patients each image is."""
    halves = {patient: bool(number % 2) for number, patient in enumerate(dict.fromkeys(patients))}
    return np.array([halves[patient] for patient in patients])


class CoverageCounter:
    """Counter of the pixels in each interval, image by image.

    Args:
        scale: for calibrated intervals; those of the posterior SD alone without it.
    """

    def __init__(self, scale: IntervalScale | None = None) -> None:
        self._scale = scale
        self._reach = scipy.special.ndtri((1 + np.array(LEVELS)) / 2) if scale is None else np.array(scale.factors)
        self.shares: list[float] = []
        self._held = np.zeros(len(LEVELS))
        self._sums = np.zeros(2)
        self._pixels = 0

    def add(self, originals: Images, found: Spread) -> None:
        """Count the pixels of some images (n, size, size, 1)."""
        error = np.abs(originals.astype(np.float64) - found.mean)
        deviation = found.deviation.astype(np.float64)
        unit = np.maximum(deviation, MIN_PIXELS) if self._scale is None else self._scale.combine(found.deviation)
        away = error / unit
        shown = away <= self._reach[LEVELS.index(SHOWN_LEVEL)]
        self.shares += shown.mean(axis=(1, 2, 3)).tolist()
        self._held += [np.count_nonzero(away <= reach) for reach in self._reach]
        wide = (
            deviation
            if self._scale is None
            else self._scale.half_width(found.deviation) / scipy.special.ndtri((1 + SHOWN_LEVEL) / 2)
        )
        self._sums += [np.sum(np.square(wide, dtype=np.float64)), np.sum(error**2)]
        self._pixels += error.size

    def __add__(self, other: "CoverageCounter") -> "CoverageCounter":
        """Return a counter of the pixels of both."""
        total = CoverageCounter()
        total._held, total._sums = self._held + other._held, self._sums + other._sums
        total._pixels, total.shares = self._pixels + other._pixels, [*self.shares, *other.shares]
        return total

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


@dataclass(frozen=True, eq=False)
class MeasuredCalibration:
    """Calibration of the posterior SD on some images, and of intervals calibrated on others.

    Args:
        plain: that of the posterior SD.
        calibrated: that of the intervals, where each image's come from images of other patients.
        interval: 95% interval of the coverage of the calibrated 90% intervals over patients; None if they are unknown.
        scale: the intervals for further images.
    """

    plain: CoverageCounter
    calibrated: CoverageCounter
    interval: list[float] | None
    scale: IntervalScale

    def summary(self, images: str = "validation images") -> str:
        """Describe the calibrated intervals."""
        share, at = self.calibrated.get_result(), LEVELS.index(SHOWN_LEVEL)
        low, high = (100 * end for end in self.interval or (0, 0))
        over = f" (95% CI over patients {low:.1f} to {high:.1f}%)" if self.interval else ""
        return (
            f"Calibrated intervals: those of 90% cover {100 * share.coverage[at]:.1f}% of the pixels of {images} of "
            f"patients that were not used for them{over}. They hold on average, not for each "
            "region: where a lesion was lost, they can be too narrow."
        )


def measure(
    predict: Predict, split: Any, rows: Sequence[int], scale: IntervalScale | None = None
) -> Steps[MeasuredCalibration]:
    """Measure the calibration on images of a split, and fit calibrated intervals to them; yield after each image.

    Args:
        predict: predicts mean and SD of each image; an SD of 0 if the model has none.
        split: an `engine.data.Split` that the weights were not trained on.
        rows: the images.
        scale: intervals to check, from other patients. If None, they are fitted to each half of the patients and
            checked on the other half, and those that are returned are fitted to all images.
    """
    found = []
    for done, row in enumerate(rows, start=1):
        images = split.read(np.array([row]))
        found.append((images, predict(row, images)))
        yield done, len(rows)
    patients = [split.groups[row] or f"image {row}" for row in rows]
    sides = _halve(patients)
    others = [np.flatnonzero(sides != side) for side in (False, True)]
    every = np.arange(len(rows))
    scales = [scale or _fit(found, patients, part if len(part) else every) for part in others]
    plain, counters, shares = CoverageCounter(), [CoverageCounter(each) for each in scales], []
    for (images, each), side in zip(found, sides.astype(int), strict=True):
        plain.add(images, each)
        counters[side].add(images, each)
        shares.append(counters[side].shares[-1])
    interval = bootstrap_interval(np.array(shares), [split.groups[row] for row in rows])
    scale = scale or _fit(found, patients, every)
    return MeasuredCalibration(plain, counters[0] + counters[1], interval, scale)


def _fit(found: Sequence[tuple[Images, Spread]], patients: Sequence[str], rows: NDArray[np.int64]) -> IntervalScale:
    chosen = [found[row] for row in rows]
    parts = (
        [images for images, _ in chosen],
        [each.mean for _, each in chosen],
        [each.deviation for _, each in chosen],
    )
    originals, means, deviations = map(np.concatenate, parts)
    return fit_intervals(originals, Spread(means, deviations), [patients[row] for row in rows])
