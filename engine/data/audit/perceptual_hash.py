"""Perceptual hash of thumbnails that does not change with rotations by 90° and flips.

It takes the low frequencies of an image's cosine transform, as in pHash, but keeps their magnitudes: a flip changes
only the sign of a coefficient, a rotation by 90° also swaps the two frequencies. So the sum and the absolute difference
of the magnitudes of each pair of swapped coefficients are the same for all eight orientations of an image.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.data.audit.appearance import SIDE

FREQUENCIES: Final = 16
LENGTH: Final = FREQUENCIES**2


def compute_perceptual_hashes(thumbnails: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hash standardized thumbnails; copies are close to each other in Euclidean distance.

    Args:
        thumbnails: (n, SIDE, SIDE), mean 0, standard deviation 1.

    Returns:
        float32 (n, LENGTH), of length 1 if the thumbnail has only low frequencies, shorter otherwise.
    """
    sizes = np.abs(_COSINES @ thumbnails @ _COSINES.T) / SIDE
    one, other = sizes[:, *_UPPER], sizes[:, *_UPPER[::-1]]
    sums, differences = (one + other) / np.sqrt(2), np.abs(one - other) / np.sqrt(2)
    straight = np.diagonal(sizes, axis1=1, axis2=2)
    return np.concatenate([straight, sums, differences], axis=1, dtype=np.float32)


def _cosines() -> NDArray[np.float32]:
    """Return the first rows of the orthonormal cosine transform (DCT-II)."""
    frequency, place = np.arange(FREQUENCIES)[:, None], np.arange(SIDE)[None]
    rows = np.sqrt(2 / SIDE) * np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE))
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


_COSINES: Final = _cosines()
_UPPER: Final = np.triu_indices(FREQUENCIES, 1)
