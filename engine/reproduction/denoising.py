"""Outputs of a model for noisy images, and its break-even noise level, at the study's noise levels."""

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
    """Add the same noise to the same images each time: (n, size, size, 1) -> the same shape, clipped to [0, 1]."""
    return noise.add_noise(images, "gaussian", sigma, SEED)


def sweep(model: Any, images: Images, should_stop: ShouldStop) -> SweepSummary | None:
    """Run a model on images with increasing Gaussian noise.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1], noise-free.
        should_stop: polled between noise levels.

    Returns:
        The errors, means over the images. Returns None if stopped.
    """
    conditions = SweepSpec(images, (0.0, *SIGMAS), seed=SEED)
    given = noise_sweep.run_sweep(lambda scans: scans, conditions, should_stop, with_ssim=False)
    made = noise_sweep.run_sweep(
        lambda scans: scoring.reconstruct(model, scans), conditions, should_stop, with_ssim=False
    )
    return None if given is None or made is None else noise_sweep.summarize(made, given)
