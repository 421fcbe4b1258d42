"""Break-even noise level, above which a method does more good than harm. Pure numpy, so that the app may use it too."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS: Final = 1000
CONFIDENCE: Final = 0.95


def break_even(sigmas: Sequence[float], noisy_mse: ArrayLike, output_mse: ArrayLike) -> float | None:
    """Return the noise level below which a method's output is farther from the noise-free image than the noisy image.

    It is the level at which the error of the output falls below that of the noisy image for the last time. Between two
    levels both errors are interpolated linearly in sigma^2, which is exact for the noisy image until intensities are
    clipped. So for a method whose output does not change with the noise, with error m on noise-free images, it is
    sqrt(m) exactly.

    Args:
        sigmas: noise levels, rising; the first is 0 if the noise-free image itself was measured.
        noisy_mse: mean squared error of the noisy images at each level.
        output_mse: mean squared error of the method's outputs.

    Returns:
        The level; 0 if the method never does harm and does good at some level. Returns None if it does no good at any.

    Example:
        >>> sigmas = [0.0, 0.1, 0.2]
        >>> round(break_even(sigmas, [0.0, 0.01, 0.04], [0.0025, 0.0025, 0.0025]), 3)  # the root of 0.0025
        0.05
    """
    squared = np.square(np.asarray(sigmas, np.float64))
    harm = np.asarray(output_mse, np.float64) - np.asarray(noisy_mse, np.float64)
    for after in range(len(harm) - 1, 0, -1):
        above, below = float(harm[after - 1]), float(harm[after])
        if above > 0 >= below:
            share = above / (above - below)
            return math.sqrt((1 - share) * float(squared[after - 1]) + share * float(squared[after]))
    return 0.0 if np.all(harm <= 0) and np.any(harm < 0) else None


def bootstrap_interval(
    sigmas: Sequence[float], noisy_mse: NDArray[np.float64], output_mse: NDArray[np.float64]
) -> list[float] | None:
    """Return the 95% interval of the break-even level of the mean errors, by a bootstrap over images.

    Args:
        sigmas: noise levels, rising.
        noisy_mse: (levels, images).
        output_mse: the same.

    Returns:
        [low, high]. Returns None for fewer than two images, or if fewer than 95% of the resamples have a break-even.
    """
    count = noisy_mse.shape[1]
    if count < 2:
        return None
    rng = np.random.Generator(np.random.Philox(key=0))
    chosen = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.float64).T / count
    drawn = zip((noisy_mse @ chosen).T, (output_mse @ chosen).T, strict=True)
    found = [place for before, after in drawn if (place := break_even(sigmas, before, after)) is not None]
    if len(found) < CONFIDENCE * DRAWS:
        return None
    low, high = np.percentile(found, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return [float(low), float(high)]
