"""Matching of the channels of two models, and the differences between matched channels.

Two trainings of one network put the same feature into different channels. Channels are matched one to one with the
largest sum of correlations, by the Hungarian method: Kuhn, The Hungarian method for the assignment problem, Naval
Research Logistics 2 (1955); for neural networks Li et al., Convergent learning, ICLR (2016).
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import scipy
from numpy.typing import NDArray

from engine.errors import ConfigError

# A channel with a smaller SD, as a share of its layer's, has no correlation with anything.
FLAT = 1e-6
# Among equally similar channels, the one with the same number wins.
MIN_SELF_GAIN = 1e-7
Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Matching:
    """Matched channels of two activations.

    Args:
        pairs: (k, 2), channel of the first and channel of the second, in the order of the first; k is the smaller
            number of channels, and the remaining ones have no match.
        correlation: (k,), from -1 to 1, over all images and positions; 1 for two constant channels of the same value, 0
            for a constant one and any other.
        difference: (n, height, width, k) or (n, k), first minus second, pair by pair.
    """

    pairs: Annotated[NDArray[np.int64], "k 2"]
    correlation: Annotated[NDArray[np.float64], "k"]
    difference: Annotated[NDArray[np.float64], "n *position k"]

    @property
    def rms(self) -> NDArray[np.float64]:
        """Return the root mean square of each pair's difference, (k,), in the units of the activation."""
        return np.asarray(np.sqrt(np.square(self.difference).reshape(-1, len(self.pairs)).mean(axis=0)))


def match(first: Array, second: Array, paired: bool = False) -> Matching:
    """Match the channels of two activations of the same images, or of two images in the same model.

    Args:
        first: (n, height, width, channels) or (n, values).
        second: the same shape except for the number of channels.
        paired: whether channels keep their numbers, as for two inputs of one model.

    Raises:
        ConfigError: the shapes do not match.
    """
    if first.shape[:-1] != second.shape[:-1] or (paired and first.shape != second.shape):
        shapes = " and ".join(" x ".join(map(str, array.shape)) for array in (first, second))
        raise ConfigError(
            f"Activations of {shapes} cannot be matched.", "Use layers of the same size and the same images."
        )
    one, other = first.astype(np.float64), second.astype(np.float64)
    alike = correlations(one, other)
    if paired:
        rows = columns = np.arange(first.shape[-1])
    else:
        rows, columns = scipy.optimize.linear_sum_assignment(-(alike + MIN_SELF_GAIN * np.eye(*alike.shape)))
    difference = one[..., rows] - other[..., columns]
    return Matching(np.stack([rows, columns], axis=1).astype(np.int64), alike[rows, columns], difference)


def correlations(
    first: Annotated[Array, "n *position a"], second: Annotated[Array, "n *position b"]
) -> Annotated[NDArray[np.float64], "a b"]:
    """Compute Pearson's correlation of each pair of channels, over all images and positions.

    Args:
        first: (n, height, width, a) or (n, a).
        second: (n, height, width, b) or (n, b).

    Returns:
        (a, b); constant channels as in `Matching`.

    Example:
        >>> channels = np.random.default_rng(0).normal(size=(50, 2))
        >>> correlations(channels, -channels).round(2).diagonal().tolist()
        [-1.0, -1.0]
    """
    (one, flat_one, level_one), (other, flat_other, level_other) = _standardize(first), _standardize(second)
    found = one.T @ other
    found[flat_one, :] = found[:, flat_other] = 0.0
    same = np.isclose(level_one[:, None], level_other[None, :], rtol=1e-5, atol=1e-12)
    found[flat_one[:, None] & flat_other[None, :] & same] = 1.0
    return np.asarray(np.clip(found, -1.0, 1.0))


def _standardize(array: Array) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Return channels as centered columns of unit length; which of them are constant; the means."""
    values = array.reshape(-1, array.shape[-1]).astype(np.float64)
    level = values.mean(axis=0)
    values = values - level
    length = np.linalg.norm(values, axis=0)
    flat = length <= FLAT * max(float(length.max(initial=0.0)), 1e-30)
    return values / np.where(flat, 1.0, length), flat, level
