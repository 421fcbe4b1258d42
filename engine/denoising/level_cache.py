"""What a model makes of one image at many levels of a noise, and about what it would make of it in between."""

import bisect
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import metrics, noise
from engine.evaluation import scoring

Images = NDArray[np.float32]

MAX_GAP: Final = 0.03  # how far apart two levels may be for what lies between them to be told from both


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """One level: what was made of the noisy image, (1, side, side, 1), and how far it and the noisy one are off."""

    made: Images
    mse: float
    noisy_mse: float


class NoiseLevelCache:
    """The levels of one noise that were put on one image so far, and what a model made of them.

    Most kinds of noise draw the same grains at every level, only stronger, so what is made of them changes smoothly.

    Args:
        model: makes pictures of noisy ones; None for doing nothing. It is not kept alive.
        originals: float32 (1, side, side, 1) in [0, 1], without noise.
        kind: of noise.
        seed: of its grains.
    """

    def __init__(self, model: Any, originals: Images, kind: str, seed: int) -> None:
        self._model: Callable[[], Any] = weakref.ref(model) if model is not None else lambda: None
        self._originals, self._noise = originals, (kind, seed)
        self._rungs: dict[float, NoiseLevel] = {}

    def is_of(self, model: Any, originals: Images, kind: str, seed: int) -> bool:
        """Whether it is the ladder of these."""
        return self._model() is model and (kind, seed) == self._noise and np.array_equal(originals, self._originals)

    def has(self, sigma: float) -> bool:
        """Whether a level has been there."""
        return sigma in self._rungs

    def rung(self, sigma: float) -> NoiseLevel:
        """A level; computed when it is asked for first."""
        if sigma not in self._rungs:
            self._rungs[sigma] = self._computed(sigma)
        return self._rungs[sigma]

    def between(self, sigma: float) -> Images | None:
        """About what is made of a level, by a straight line between the next lower and the next higher one.

        Args:
            sigma: the level, in units of the data range.

        Returns:
            float32 (1, side, side, 1) in [0, 1]; None where the levels known are too far away, and of a noise that
            draws other grains at every level.
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
