"""Calibrated 90% intervals of denoised images: result ± half width at each pixel, for one kind and level of noise.

They are those of `engine.latent.calibration`, fitted to validation images with this noise, and noise-free targets. A
model without a posterior has an SD of 0, which leaves factor × excess. A variational model's interval is around its
denoised image, not around the mean of its samples.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.arrays import Images
from engine.config import DataConfig, NoiseConfig
from engine.data import Dataset
from engine.errors import DataError
from engine.evaluation import scoring
from engine.job_context import Steps
from engine.latent import calibration
from engine.latent.calibration import LEVELS, SHOWN_LEVEL, IntervalScale, Spread
from engine.latent.space import LatentSpace
from engine.messages.denoise import MIN_INTERVAL_IMAGES
from engine.noise import add_noise
from engine.protocols import EngramModel
from engine.result_cache import ResultCache
from engine.runs import Run, model_checksum

FILE: Final = "denoised_intervals.json"
VERSION, CACHE_SIZE = 1, 8
# Images that intervals are fitted to.
MAX_IMAGES: Final = 64
# Samples per posterior. The SD is the smaller part of the width, and each sample costs a pass through the decoder.
SAMPLES: Final = 16
NAMES: Final = {"gaussian": "Gaussian", "rician": "Rician", "poisson": "Poisson"}


@dataclass(frozen=True)
class NoiseLevel:
    """Kind and level of noise, the level in units of the data range, 1."""

    kind: str
    level: float

    def round(self) -> "NoiseLevel":
        """Return the level with two digits, at most 5% away, so that levels close to each other share intervals.

        Example:
            >>> NoiseLevel("gaussian", 0.1234).round()
            NoiseLevel(kind='gaussian', level=0.12)
        """
        return NoiseLevel(self.kind, round(float(f"{self.level:.2g}"), 3))

    def describe(self) -> str:
        """Return it as text.

        Example:
            >>> NoiseLevel("gaussian", 0.098).describe()
            'Gaussian noise, σ = 0.098'
        """
        if not self.level:
            return "no noise"
        name, unit = self.kind.replace("-", " "), "fraction" if self.kind == "salt-and-pepper" else "σ"
        return f"{NAMES.get(self.kind, name)} noise, {unit} = {self.level:g}"


@dataclass(frozen=True, eq=False)
class DenoisedIntervals:
    """Intervals of the images that a run denoises.

    Args:
        noise: the noise that they hold for.
        scale: the intervals for further images.
        coverage: share of the pixels in the 90% intervals, each half of the patients with intervals from the other.
        interval: 95% interval of the coverage over patients, from a bootstrap of them; None if they are unknown.
    """

    noise: NoiseLevel
    scale: IntervalScale
    coverage: float
    interval: tuple[float, float] | None

    def summary(self, is_estimated: bool = False) -> str:
        """Describe what was measured and what the intervals hold for; `is_estimated` says where the level is from."""
        noise = self.noise.describe() + (" (estimated in this image)" if is_estimated else "")
        share, half, whose = f"{100 * self.coverage:.1f}%", "half of the patients", "other patients' images"
        if self.interval:
            low, high = (100 * end for end in self.interval)
            share += f" (95% CI {low:.1f} to {high:.1f}%)"
        else:
            half, whose = "half, which may share patients, because these are unknown,", "images like these"
        return (
            f"90% interval, result ± value, for {noise}: on average over pixels of {whose}, so a lost lesion is not "
            f"marked. Coverage on the other {half} of {self.scale.images} validation images: {share}."
        )

    def numbers(self) -> dict[str, Any]:
        """Return the numbers without the map, as JSON types."""
        known = {"noise": self.noise.kind, "sigma": self.noise.level, "scans": self.scale.images}
        return known | {"coverage": self.coverage, "coverage_interval": self.interval}

    def to_json(self) -> dict[str, Any]:
        """Convert them to JSON types."""
        known = {"kind": self.noise.kind, "level": self.noise.level, "coverage": self.coverage}
        return known | {"interval": self.interval, "scale": self.scale.to_json()}

    @classmethod
    def from_json(cls, content: Any) -> "DenoisedIntervals | None":
        """Return what `to_json` returned. Returns None for any other content."""
        try:
            noise = NoiseLevel(str(content["kind"]), float(content["level"]))
            scale, coverage = IntervalScale.from_json(content["scale"]), float(content["coverage"])
            interval = content["interval"] and (float(content["interval"][0]), float(content["interval"][1]))
        except (TypeError, KeyError, ValueError, IndexError):
            return None
        return cls(noise, scale, coverage, interval) if scale else None


@dataclass(frozen=True, eq=False)
class IntervalSubject:
    """A run with its loaded model, and the dataset whose validation images the intervals are fitted to.

    Args:
        images: prepared at the size of the model.
        seen: keys of images that the model was trained on; they are left out.
    """

    run: Run
    model: EngramModel
    images: Dataset
    seen: Collection[str] = ()

    def key(self, noise: NoiseLevel) -> str:
        """Return the key of the intervals of a noise level."""
        return f"{VERSION} {self.images.fingerprint} {model_checksum(self.run)} {noise.kind} {noise.level:g}"

    def rows(self) -> list[int]:
        """Return validation images, evenly spaced.

        Raises:
            DataError: there are too few.
        """
        keys = self.images.validation.keys
        rows = np.array([row for row, key in enumerate(keys) if key not in self.seen], np.int64)
        if len(rows) < MIN_INTERVAL_IMAGES:
            raise DataError(
                f"Intervals need at least {MIN_INTERVAL_IMAGES} validation images that the run was not trained on; "
                f"{self.images.source} has {len(rows)}.",
                "Load a dataset with more validation images.",
            )
        chosen = np.linspace(0, len(rows) - 1, min(len(rows), MAX_IMAGES)).round().astype(np.int64)
        return [int(row) for row in rows[np.unique(chosen)]]


def find_training_keys(run: Run, images: Dataset, load: Callable[[DataConfig], Dataset]) -> frozenset[str]:
    """Return the keys of a run's training images, if it was trained on the same source with other settings.

    Args:
        run: the run.
        images: a dataset whose validation images are wanted.
        load: loads the run's own dataset.
    """
    own, other = run.config.data, images.config
    if own == other or Path(own.source).expanduser() != Path(other.source).expanduser():
        return frozenset()
    return frozenset(load(own).train.keys)


def assume_noise(trained_on: NoiseConfig, gaussian: float, rician: float) -> NoiseLevel:
    """Return the noise to assume in an image that is noisy already, rounded.

    Args:
        trained_on: the noise that a run was trained on. Rician noise is assumed if it is among it, else Gaussian.
        gaussian: the estimated level if the noise is Gaussian.
        rician: the estimated level if it is Rician.

    Example:
        >>> assume_noise(NoiseConfig(noise="gaussian-or-rician"), 0.0312, 0.0333)
        NoiseLevel(kind='rician', level=0.033)
    """
    if "rician" in trained_on.noise:
        return NoiseLevel("rician", min(rician, 1.0)).round()
    return NoiseLevel("gaussian", min(gaussian, 1.0)).round()


def predict_denoised(model: EngramModel, noisy: Images) -> Spread:
    """Return the denoised images, and the SD of the decoded posterior samples; 0 without a posterior."""
    denoised, space = scoring.reconstruct(model, noisy), LatentSpace(model)
    if space.kind != "posterior":
        return Spread(denoised, np.zeros_like(denoised))
    return Spread(denoised, calibration.spread(space, space.encode(noisy), SAMPLES).deviation)


def fit(model: EngramModel, split: Any, rows: Sequence[int], noise: NoiseLevel) -> Steps[DenoisedIntervals]:
    """Fit intervals to images of a split, each with noise of its own; yield after each image."""

    def predict(row: int, originals: Images) -> Spread:
        return predict_denoised(model, add_noise(originals, noise.kind, noise.level, row))

    found = yield from calibration.measure(predict, split, rows)
    coverage = found.calibrated.get_result().coverage[LEVELS.index(SHOWN_LEVEL)]
    low, high = found.interval or (0.0, 0.0)
    return DenoisedIntervals(noise, found.scale, coverage, (low, high) if found.interval else None)


def load_or_fit(subject: IntervalSubject, noise: NoiseLevel) -> Steps[DenoisedIntervals]:
    """Return the intervals that are cached with the run; fit them if there are none, and cache them.

    Raises:
        DataError: there are too few validation images.
    """
    key = subject.key(noise)
    cache = ResultCache(subject.run.derived / FILE, CACHE_SIZE)
    known = DenoisedIntervals.from_json(cache.get(key))
    if known is not None:
        return known
    found = yield from fit(subject.model, subject.images.validation, subject.rows(), noise)
    cache.keep(key, found.to_json())
    return found
