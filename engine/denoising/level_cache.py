"""Cache of a model's outputs for one image at many noise levels, with interpolation between levels."""

import bisect
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import metrics, noise
from engine.arrays import Images
from engine.evaluation import scoring
from engine.protocols import ImageModel

# Largest gap between two levels whose outputs may be interpolated.
MAX_GAP: Final = 0.03


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """One noise level: the output for the noisy image, (1, side, side, 1), and the errors of output and noisy image."""

    made: Images
    mse: float
    noisy_mse: float


class NoiseLevelCache:
    """Cache of a model's outputs for one image over the levels of one noise.

    Most kinds of noise draw the same pattern at every level, only stronger, so the output changes smoothly.

    Args:
        model: reconstructs noisy images; None for no denoising. The cache holds only a weak reference.
        originals: float32 (1, side, side, 1) in [0, 1], without noise.
        kind: kind of the noise.
        seed: seed of the noise.
    """

    def __init__(self, model: ImageModel | None, originals: Images, kind: str, seed: int) -> None:
        self._model: Callable[[], ImageModel | None] = weakref.ref(model) if model is not None else lambda: None
        self._originals, self._noise = originals, (kind, seed)
        self._rungs: dict[float, NoiseLevel] = {}

    def is_of(self, model: ImageModel | None, originals: Images, kind: str, seed: int) -> bool:
        """Return whether the cache belongs to this model, image, kind and seed."""
        return self._model() is model and (kind, seed) == self._noise and np.array_equal(originals, self._originals)

    def has(self, sigma: float) -> bool:
        """Return whether a level is cached."""
        return sigma in self._rungs

    def rung(self, sigma: float) -> NoiseLevel:
        """Return a level; computed at the first request."""
        if sigma not in self._rungs:
            self._rungs[sigma] = self._computed(sigma)
        return self._rungs[sigma]

    def between(self, sigma: float) -> Images | None:
        """Return the approximate output at a level, interpolated linearly between the two neighboring levels.

        Args:
            sigma: the noise level, in units of the data range.

        Returns:
            float32 (1, side, side, 1) in [0, 1]. Returns None if the cached levels are too far away, or if the noise
            draws another pattern at every level.
        """
        if self.has(sigma):
            return self._rungs[sigma].made
        known = sorted(self._rungs)
        place = bisect.bisect(known, sigma)
        if self._noise[0] not in noise.SCALABLE_KINDS or place in (0, len(known)):
            return None
        low, high = known[place - 1], known[place]
        if high - low > MAX_GAP + 1e-9:
            return None
        share = np.float32((sigma - low) / (high - low))
        return (1 - share) * self._rungs[low].made + share * self._rungs[high].made

    def _computed(self, sigma: float) -> NoiseLevel:
        kind, seed = self._noise
        noisy = noise.add_noise(self._originals, kind, sigma, seed)
        model = self._model()
        made = noisy if model is None else scoring.reconstruct(model, noisy)
        mse, noisy_mse = (float(metrics.mse(self._originals, images)[0]) for images in (made, noisy))
        return NoiseLevel(made, mse, noisy_mse)
