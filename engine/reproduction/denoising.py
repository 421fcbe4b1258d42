"""What a model makes of noisy scans, and the noise below which it does more harm than good: the study's own levels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import noise
from engine.denoising import noise_sweep
from engine.denoising.noise_sweep import SweepSpec, SweepSummary
from engine.evaluation import scoring
from engine.messages import ShouldStop

Images = NDArray[np.float32]
SIGMAS = (0.01, 0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.14, 0.2, 0.3)
SEED = 0


def noisy(images: Images, sigma: float) -> Images:
    """The same noise for the same scans each time: (n, size, size, 1) -> the same shape, cut to [0, 1]."""
    return noise.add_noise(images, "gaussian", sigma, SEED)


def sweep(model: Any, images: Images, should_stop: ShouldStop) -> SweepSummary | None:
    """Put scans with more and more Gaussian noise through a model.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], clean.
        should_stop: asked between noise levels.

    Returns:
        The errors, means over the scans; None when stopped.
    """
    conditions = SweepSpec(images, (0.0, *SIGMAS), seed=SEED)
    given = noise_sweep.run_sweep(lambda scans: scans, conditions, should_stop, with_ssim=False)
    made = noise_sweep.run_sweep(
        lambda scans: scoring.reconstruct(model, scans), conditions, should_stop, with_ssim=False
    )
    return None if given is None or made is None else noise_sweep.summarize(made, given)
