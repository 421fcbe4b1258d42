"""Paths through a latent space: interpolation between two codes, and traversal of one dimension."""

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Latent, Latents, PerImage

PARALLEL = 1e-6  # radians


def linear(first: Latent, second: Latent, steps: int) -> Latents:
    """Interpolate linearly, ends included: two (k,) -> (steps, k).

    Example:
        >>> linear(np.array([0.0, 2.0], np.float32), np.array([2.0, 0.0], np.float32), 3).tolist()
        [[0.0, 2.0], [1.0, 1.0], [2.0, 0.0]]
    """
    share = np.linspace(0.0, 1.0, steps)[:, None]
    return np.asarray((1 - share) * first + share * second, np.float32)


def spherical(first: Latent, second: Latent, steps: int) -> Latents:
    """Interpolate on the arc about the origin, ends included, with lengths from the first's to the second's.

    Shoemake: Animating rotation with quaternion curves. SIGGRAPH (1985): sin((1 - t) w) / sin(w) a + sin(t w) / sin(w)
    b for unit vectors at an angle w. A straight line passes nearer to the origin, where a Gaussian prior of many
    dimensions has hardly any mass (White: Sampling generative networks, 2016). If the two are parallel, or either is 0,
    the arc is a line; if they are antiparallel no arc is better than another, and the one through the first axis that
    is
    not parallel is taken.

    Args:
        first: (k,).
        second: (k,).
        steps: number of points, at least 2.

    Returns:
        (steps, k) float32.

    Example:
        >>> middle = spherical(np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32), 3)[1]
        >>> [round(float(value), 3) for value in middle]
        [0.707, 0.707]
    """
    lengths = [float(np.linalg.norm(each.astype(np.float64))) for each in (first, second)]
    if min(lengths) == 0.0 or len(first) < 2:
        return linear(first, second, steps)
    one, other = (each.astype(np.float64) / length for each, length in zip((first, second), lengths, strict=True))
    angle = float(2 * np.arctan2(np.linalg.norm(one - other), np.linalg.norm(one + other)))
    if angle < PARALLEL:
        return linear(first, second, steps)
    aside = _orthogonal_part(one, other if np.pi - angle > PARALLEL else None)
    share = np.linspace(0.0, 1.0, steps)[:, None]
    arc = np.cos(share * angle) * one + np.sin(share * angle) * aside
    found = ((1 - share) * lengths[0] + share * lengths[1]) * arc
    found[0], found[-1] = first, second
    return np.asarray(found, np.float32)


def vary_dimension(latent: Latent, dimension: int, values: PerImage) -> Latents:
    """Return copies of one latent code (k,) with one dimension set to each of some values (n,): (n, k).

    Example:
        >>> vary_dimension(np.array([1.0, 2.0], np.float32), 0, np.array([5.0, 6.0])).tolist()
        [[5.0, 2.0], [6.0, 2.0]]
    """
    found = np.repeat(latent[None], len(values), axis=0)
    found[:, dimension] = values
    return found


def _orthogonal_part(one: NDArray[np.float64], other: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return the unit vector orthogonal to `one` in the plane of both, for slerp by a cosine and a sine."""
    if other is None:
        other = np.eye(len(one))[int(np.abs(one).argmin())]
    rest = other - (one @ other) * one
    return np.asarray(rest / np.linalg.norm(rest))
