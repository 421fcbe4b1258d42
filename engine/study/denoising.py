"""What a model makes of noisy scans, and the noise below which it does more harm than good."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import noise, quality, scoring
from engine.messages import ShouldStop

Images = NDArray[np.float32]
SIGMAS = (0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.14, 0.2, 0.3)
SEED = 0


@dataclass(frozen=True)
class Sweep:
    """Mean squared errors against the clean scans, for each standard deviation of the noise.

    Args:
        count: how many scans.
        sigmas: standard deviations of the noise before it is cut to [0, 1].
        noisy_mse: error of the noisy scans themselves.
        output_mse: error of what the model makes of them.
        clean_mse: error of what the model makes of the clean scans.
    """

    count: int
    sigmas: Sequence[float]
    noisy_mse: Sequence[float]
    output_mse: Sequence[float]
    clean_mse: float

    @property
    def break_even(self) -> float | None:
        """The noise under which the output is further from the clean scan than the noisy one; None: not in reach."""
        return crossing(self.sigmas, np.log(np.array(self.output_mse) / np.array(self.noisy_mse)))

    @property
    def expected(self) -> float:
        """What it would be if the output did not change with the noise and nothing were cut: sqrt(clean_mse)."""
        return math.sqrt(self.clean_mse)

    def content(self) -> dict[str, Any]:
        """Everything as plain numbers."""
        return {**vars(self), "break_even": self.break_even, "expected": self.expected}


def crossing(places: Sequence[float], values: NDArray[np.float64]) -> float | None:
    """Where values fall through zero for the last time, between places on a logarithmic scale; None where nowhere."""
    for after in range(len(values) - 1, 0, -1):
        above, below = float(values[after - 1]), float(values[after])
        if above > 0 >= below:
            share = above / (above - below)
            return float(np.exp((1 - share) * np.log(places[after - 1]) + share * np.log(places[after])))
    return None


def noisy(images: Images, sigma: float) -> Images:
    """The same noise for the same scans each time: (n, size, size, 1) -> the same shape, cut to [0, 1]."""
    return noise.gaussian(images, sigma, np.random.default_rng([SEED, round(sigma * 1e6)]))


def sweep(model: Any, images: Images, should_stop: ShouldStop) -> Sweep | None:
    """Put scans with more and more Gaussian noise through a model.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], clean.
        should_stop: asked between noise levels.

    Returns:
        The errors, means over the scans; None when stopped.
    """
    before, after = [], []
    clean = float(quality.mse(images, scoring.reconstruct(model, images)).mean())
    for sigma in SIGMAS:
        if should_stop():
            return None
        given = noisy(images, sigma)
        before.append(float(quality.mse(images, given).mean()))
        after.append(float(quality.mse(images, scoring.reconstruct(model, given)).mean()))
    return Sweep(len(images), SIGMAS, before, after, clean)
