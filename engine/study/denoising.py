"""What a model makes of noisy scans, and the noise below which it does more harm than good: the study's own levels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import noise
from engine.evaluation import scoring
from engine.measures import sweeps
from engine.measures.sweeps import Conditions, Sweep
from engine.messages import ShouldStop

Images = NDArray[np.float32]
SIGMAS = (0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.14, 0.2, 0.3)
SEED = 0


def noisy(images: Images, sigma: float) -> Images:
    """The same noise for the same scans each time: (n, size, size, 1) -> the same shape, cut to [0, 1]."""
    return noise.add_noise(images, "gaussian", sigma, SEED)


def sweep(model: Any, images: Images, should_stop: ShouldStop) -> Sweep | None:
    """Put scans with more and more Gaussian noise through a model.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], clean.
        should_stop: asked between noise levels.

    Returns:
        The errors, means over the scans; None when stopped.
    """
    conditions = Conditions(images, (0.0, *SIGMAS), seed=SEED)
    given = sweeps.follow(lambda scans: scans, conditions, should_stop, with_ssim=False)
    made = sweeps.follow(lambda scans: scoring.reconstruct(model, scans), conditions, should_stop, with_ssim=False)
    return None if given is None or made is None else sweeps.summed_up(made, given)
