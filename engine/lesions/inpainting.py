"""An image without its lesion: the region is filled in from its surroundings, as an approximate healthy twin.

The filling is smooth (biharmonic: Damelin, Hoang, On surface completion and image inpainting by biharmonic functions,
Int. J. Mathematics and Mathematical Sciences 2018), stays within the intensities of the rim, and can take the rim's
grain. It invents no anatomy: it shows an unremarkable image, not the tissue that was there.
"""

from typing import Final

import numpy as np
import scipy
import skimage
from numpy.typing import NDArray

from engine.arrays import Mask, Picture
from engine.lesions.regions import find_bounding_slices, make_rim_mask, require_measurable

SMOOTHING_PX: Final = 1.0  # width of the Gaussian that removes the grain of the rim before it is extrapolated
RIM_PX: Final = 4


def inpaint(image: Picture, mask: Mask, margin: int = 1, grain_seed: int | None = 0) -> NDArray[np.float32]:
    """Fill in a region of an image; pixels outside stay unchanged.

    Args:
        image: (height, width) in [0, 1].
        mask: bool (height, width), the region.
        margin: how far the filling extends beyond the region, px, since the edge of a lesion is soft.
        grain_seed: seed of the grain, drawn from that of the rim; the filling is smooth if None.

    Returns:
        float32 (height, width) in [0, 1].

    Raises:
        RegionError: the region cannot be measured, or has no surroundings.

    Example:
        >>> image, lesion = np.full((32, 32), 0.4, np.float32), np.zeros((32, 32), bool)
        >>> lesion[12:20, 12:20] = True
        >>> image[lesion] = 0.9
        >>> round(float(inpaint(image, lesion)[lesion].mean()), 2)
        0.4
    """
    pixels = np.asarray(image, np.float64)
    region = require_measurable(mask, pixels.shape)
    if margin:
        region = require_measurable(scipy.ndimage.binary_dilation(region, iterations=margin))
    rim = make_rim_mask(region, RIM_PX)
    near = find_bounding_slices(region, 2 * RIM_PX)
    smooth = _smooth(pixels, ~region)
    filled = skimage.restoration.inpaint_biharmonic(smooth[near], region[near])
    low, high = smooth[rim].min(), smooth[rim].max()
    found = pixels.copy()
    found[region] = np.clip(filled[region[near]], low, high)
    if grain_seed is not None:
        grain = (pixels - smooth)[rim]
        found[region] += np.random.default_rng(grain_seed).choice(grain - grain.mean(), np.count_nonzero(region))
    return np.clip(found, 0.0, 1.0).astype(np.float32)


def _smooth(pixels: NDArray[np.float64], outside: Mask) -> NDArray[np.float64]:
    """Smooth the image with the pixels outside the region alone."""
    weight = scipy.ndimage.gaussian_filter(outside.astype(np.float64), SMOOTHING_PX, mode="nearest")
    blurred = scipy.ndimage.gaussian_filter(np.where(outside, pixels, 0.0), SMOOTHING_PX, mode="nearest")
    return np.where(outside, blurred / np.maximum(weight, 1e-6), 0.0)
