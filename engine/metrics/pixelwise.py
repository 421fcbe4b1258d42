"""Pixel errors, averaged over an image or over a mask."""

import numpy as np
from numpy.typing import NDArray

from engine.metrics.intensity import Mask, Pictures, data_range, validate_pair


def mse(originals: Pictures, reconstructed: Pictures, mask: Mask | None = None) -> NDArray[np.float64]:
    """Return the mean squared error of each image, in squared intensities: two (n, height, width[, 1]) -> (n,).

    Args:
        originals: uint8, uint16, or floats in [0, 1].
        reconstructed: the same type and shape.
        mask: bool (n, height, width), the pixels that count; all if None.

    Returns:
        (n,) values; nan for an empty mask.
    """
    first, second, _ = validate_pair(originals, reconstructed)
    return masked_mean(np.square(first - second), mask)


def mae(originals: Pictures, reconstructed: Pictures, mask: Mask | None = None) -> NDArray[np.float64]:
    """Return the mean absolute error of each image, in intensities; arguments and result as in `mse`."""
    first, second, _ = validate_pair(originals, reconstructed)
    return masked_mean(np.abs(first - second), mask)


def psnr_db(originals: Pictures, reconstructed: Pictures, mask: Mask | None = None) -> NDArray[np.float64]:
    """Return the peak signal-to-noise ratio of each image, 10 log10(range^2 / mse) dB; infinite for equal images.

    The range is that of the type (`data_range`): 1 for floats, 255 for uint8, 65535 for uint16.
    """
    return mse_to_psnr_db(mse(originals, reconstructed, mask), data_range(originals))


def mse_to_psnr_db(squared_error: NDArray[np.float64], span: float = 1.0) -> NDArray[np.float64]:
    """Convert a mean squared error to PSNR: (n,) in squared intensities of this range -> (n,) dB."""
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(span**2 / squared_error)


def masked_mean(values: NDArray[np.float64], mask: Mask | None) -> NDArray[np.float64]:
    """Return the mean of each image's pixels, or of those in a mask: (n, height, width) -> (n,), nan if empty."""
    if mask is None:
        return np.mean(values, axis=(1, 2))
    inside = np.sum(mask, axis=(1, 2))
    with np.errstate(invalid="ignore"):
        return np.sum(values, axis=(1, 2), where=mask) / np.where(inside, inside, np.nan)
