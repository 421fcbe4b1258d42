"""One decoded image, before its preparation."""

import hashlib
import math
import threading
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEFT_OUT: Final = "a slice that is left out"  # the reason of slices that show too little, see `engine.data.volumes`
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


def scale_to_percentiles(
    values: NDArray[np.float32] | NDArray[np.float64],
) -> tuple[NDArray[np.float32], float, float]:
    """Scale values without a known black and white to [0, 1], by their 0.1 and 99.9 percentiles.

    If these two are equal, as in a volume with a few bright voxels, the lowest and the highest value are taken.

    Args:
        values: any shape; overwritten. They are scaled in their own precision.

    Returns:
        float32 in [0, 1], NaN where it was NaN, and the values that became black and white (a constant image becomes
        black).
    """
    low, high = find_percentiles(values)
    if not math.isfinite(high - low):  # the difference of two huge numbers
        values /= 4
        low, high = low / 4, high / 4
        return scale_between(values, low, high), low * 4, high * 4
    return scale_between(values, low, high), low, high


def check_volume(volume: int | None, count: int) -> None:
    """Check the number of a chosen volume.

    Args:
        volume: volume, counted from 1; None if none is chosen.
        count: number of volumes of the file.

    Raises:
        UnreadableFile: the file has no such volume.
    """
    if volume is not None and not 1 <= volume <= count:
        holds = f"{count:,} volumes, counted from 1" if count > 1 else "one volume"
        raise UnreadableFile(f"it has no volume {volume}; it holds {holds}")


def describe_percentiles(low: float, high: float) -> str:
    """Return the sentence on values that `scale_to_percentiles` scaled, from its verb on."""
    if math.isnan(low):
        return "its pixels hold no numbers and are shown black."
    # Large values that differ little need more digits.
    digits = 6 if low == high or f"{low:g}" != f"{high:g}" else 12
    return f"displayed from the 0.1 to the 99.9 percentile ({low:.{digits}g} to {high:.{digits}g})."


def scale_between(values: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """Scale values to [0, 1] from black to white in float32; they are overwritten."""
    kind = values.dtype.type
    if math.isnan(low):
        return np.zeros(values.shape, np.float32)
    np.subtract(values, kind(low), out=values)
    np.divide(values, kind(high - low) or kind(1), out=values)
    return np.clip(values, 0, 1, out=values).astype(np.float32, copy=False)


def find_percentiles(values: NDArray[Any]) -> tuple[float, float]:
    """Return the 0.1 and 99.9 percentiles of the finite values; NaN if there are none."""
    sample = values.ravel()[:: max(1, values.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return math.nan, math.nan
    low, high = (float(value) for value in np.percentile(sample, (0.1, 99.9)))
    return (low, high) if low < high else (float(sample.min()), float(sample.max()))
