"""From how much noise on a method does more good than harm. Pure numpy, so that a window may ask too."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS: Final = 1000
CONFIDENCE: Final = 0.95


def break_even(sigmas: Sequence[float], noisy_mse: ArrayLike, output_mse: ArrayLike) -> float | None:
    """The noise under which a method's picture is further from the clean scan than the noisy scan itself.

    Where the error of the output falls to that of the noisy scan for the last time. Between two levels both errors are
    taken to be straight in sigma^2, as that of the noisy scan is until gray values are cut off; so for a method whose
    output does not change with the noise, with error m on clean scans, it is sqrt(m) exactly.

    Args:
        sigmas: levels of the noise, rising; the first is 0 where the clean scan itself was put through.
        noisy_mse: mean squared error of the noisy scans at each level.
        output_mse: that of what the method made of them.

    Returns:
        A level; 0 where the method never does harm and does good somewhere; None where it does no good at any level.
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
    """The 95 % interval of the break-even of the mean errors, by a bootstrap over scans.

    Args:
        sigmas: levels of the noise, rising.
        noisy_mse: (levels, scans).
        output_mse: the same.

    Returns:
        [low, high]; None for fewer than two scans, or where fewer than 95 % of the draws have a break-even.
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
