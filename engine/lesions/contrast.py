"""Contrast of a region with its surroundings."""

import math
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

from engine.arrays import Mask, Picture
from engine.errors import RegionError
from engine.lesions.regions import make_rim_mask, require_measurable

ROUNDING: Final = 1e-9
NORMAL_BLUR_PX: Final = 1.0  # smooths the stairs of a pixel edge before its normal is taken


def contrast(image: Picture, mask: Mask, rim: int = 4, avoid: Mask | None = None) -> float:
    """Return the mean of a region minus the mean of its rim, in units of the data range; negative for a dark lesion.

    Args:
        image: (height, width).
        mask: bool (height, width), the region.
        rim: width of the background ring, px.
        avoid: pixels that the ring leaves out.

    Raises:
        RegionError: region or ring cannot be measured, see `make_rim_mask`.

    Example:
        >>> image, lesion = np.full((32, 32), 0.4), np.zeros((32, 32), bool)
        >>> lesion[12:20, 12:20] = True
        >>> image[lesion] = 0.6
        >>> round(contrast(image, lesion), 3)
        0.2
    """
    pixels, region, band = _inside_and_rim(image, mask, rim, avoid)
    return float(pixels[region].mean() - pixels[band].mean())


def contrast_to_noise(image: Picture, mask: Mask, rim: int = 4, avoid: Mask | None = None) -> float:
    """Return the contrast over the standard deviation of the rim; texture there counts as noise too.

    Arguments and errors as in `contrast`.

    Returns:
        The ratio, with the sign of the contrast; infinite if the ring is constant and the region differs from it, nan
        if they are equal.

    Example:
        >>> image, lesion = np.tile([0.3, 0.5], (32, 16)), np.zeros((32, 32), bool)
        >>> lesion[12:20, 12:20] = True
        >>> image[lesion] += 0.3
        >>> round(contrast_to_noise(image, lesion), 1)
        3.0
    """
    pixels, region, band = _inside_and_rim(image, mask, rim, avoid)
    height, spread = _significant(pixels[region].mean() - pixels[band].mean()), _significant(pixels[band].std())
    if spread == 0.0:
        return math.copysign(math.inf, height) if height else math.nan
    return height / spread


def edge_sharpness(image: Picture, mask: Mask) -> float:
    """Return the mean slope across the edge of a region, inward, in units of the data range per pixel.

    It is the slope of the image (central differences) along the normal of the edge, averaged over the pixels on both
    sides of it. A step of height c between two pixels has c / 2; a straight edge blurred by a Gaussian of width s px
    has nearly c / (s sqrt(2 pi)), its steepest slope.

    Args:
        image: (height, width).
        mask: bool (height, width), the region.

    Raises:
        RegionError: the region cannot be measured.
    """
    region = require_measurable(mask, np.shape(image))
    inward, outward = scipy.ndimage.distance_transform_edt(region), scipy.ndimage.distance_transform_edt(~region)
    edge = np.where(region, inward, outward) <= 1.0
    across, down = _gradient(scipy.ndimage.gaussian_filter(inward - outward, NORMAL_BLUR_PX, mode="nearest"))
    rise_across, rise_down = _gradient(np.asarray(image, np.float64))
    slope = (rise_across * across + rise_down * down) / np.maximum(np.hypot(across, down), 1e-9)
    return float(slope[edge].mean())


def _gradient(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the central differences along a row and down a column."""
    return np.gradient(values, axis=1), np.gradient(values, axis=0)


def _significant(value: float) -> float:
    """Return the value, or 0 if it is only the rounding error of a sum."""
    return float(value) if abs(value) > ROUNDING else 0.0


def _inside_and_rim(image: Picture, mask: Mask, rim: int, avoid: Mask | None) -> tuple[NDArray[np.float64], Mask, Mask]:
    pixels = np.asarray(image, np.float64)
    if pixels.ndim != 2:
        raise RegionError(
            f"An array of shape {pixels.shape} cannot have a region.", "Use one 2-D image (height, width)."
        )
    region = require_measurable(mask, pixels.shape)
    return pixels, region, make_rim_mask(region, rim, avoid)
