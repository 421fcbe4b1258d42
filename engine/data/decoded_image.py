"""One decoded image, before its preparation."""

import hashlib
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SAMPLE: Final = 4_000_000  # number of values that the percentiles of a volume are estimated from
_LARGE: Final = 4 * 1024 * 1024
_one_large_at_a_time = threading.Lock()


class UnreadableFile(Exception):
    """Signal that one file cannot be used, with the reason; outside this package a `Skipped` or a `ScanError`."""


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """Intensities of one image at full size.

    Args:
        gray: (height, width), uint8 or uint16 as stored in the file, or float32 in [0, 1].
        white: the value of `gray` that is white.
        aspect: height of a pixel divided by its width.
    """

    gray: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
    white: float
    aspect: float = 1.0

    def unit(self) -> NDArray[np.float32]:
        """Return the image as float32 (height, width) in [0, 1]."""
        return np.divide(self.gray, self.white, dtype=np.float32)

    def key(self) -> str:
        """Hash shape, type and intensities; equal pixels have equal keys, whatever the file's bytes."""
        digest = hashlib.blake2b(repr((self.gray.shape, self.gray.dtype.str)).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(self.gray).data)
        return digest.hexdigest()


def large_image_lock(pixels: int) -> AbstractContextManager[object]:
    """Return a lock for work on an image with this number of pixels; small images need none.

    Only one large image is processed at a time: many threads with a huge image each would take gigabytes.
    """
    return _one_large_at_a_time if pixels > _LARGE else nullcontext()


def scale_to_percentiles(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, float]:
    """Scale values without a known black and white to [0, 1], by their 0.1 and 99.9 percentiles.

    Args:
        values: any shape; overwritten.

    Returns:
        float32 in [0, 1], NaN where it was NaN, and the values that became black and white (a constant image becomes
        black).
    """
    sample = values.ravel()[:: max(1, values.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    low, high = (float(value) for value in np.percentile(sample, (0.1, 99.9))) if sample.size else (0.0, 0.0)
    np.subtract(values, np.float32(low), out=values)
    np.divide(values, np.float32((high - low) or 1.0), out=values)
    return np.clip(values, 0, 1, out=values), low, high
