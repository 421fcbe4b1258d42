"""Mask of the head, so that black air around it does not improve a metric."""

from typing import Final

import numpy as np
import scipy
import skimage

from engine.arrays import Mask, Masks, Picture, Pictures
from engine.metrics.pixelwise import data_range, drop_channel

BLUR_SHARE: Final = 1 / 96
GAP_SHARE: Final = 1 / 32
SPUR_SHARE: Final = 1 / 64
FRAME_SHARE: Final = 1 / 16
FRAME_LIT: Final = 0.9


def head_mask(images: Pictures) -> Masks:
    """Segment the head of each image: one filled region without holes.

    The slightly blurred image is thresholded at half of its Otsu threshold, low enough for dark brain next to bright
    fat. Bright lines along an edge are a drawn frame and are excluded. Gaps up to a sixteenth of the side are closed
    (the sinuses, the mouth), the largest region is kept, its holes are filled and thin spurs removed. On bright
    backgrounds, or on images without a head, the mask is whatever is brighter than the rest; a constant image has an
    empty mask.

    Args:
        images: (n, height, width) or (n, height, width, 1), uint8, uint16 or floats in [0, 1].

    Returns:
        bool (n, height, width).

    Example:
        >>> image = np.zeros((1, 64, 64), np.float32)
        >>> image[0, 16:48, 16:48] = 0.6
        >>> bool(head_mask(image)[0, 32, 32]), bool(head_mask(image)[0, 2, 2])
        (True, False)
    """
    unit = drop_channel(images).astype(np.float64) / data_range(images)
    return np.stack([_head(image) for image in unit]) if len(unit) else np.zeros(unit.shape, np.bool_)


def _head(image: Picture) -> Mask:
    side = min(image.shape)
    blurred = scipy.ndimage.gaussian_filter(image, side * BLUR_SHARE)
    if np.ptp(blurred) < 1e-6:
        return np.zeros(image.shape, np.bool_)
    lit = _without_frame(blurred > skimage.filters.threshold_otsu(blurred) / 2)
    gap = max(1, round(side * GAP_SHARE))
    closed = scipy.ndimage.binary_closing(np.pad(lit, 2 * gap), iterations=gap)[2 * gap : -2 * gap, 2 * gap : -2 * gap]
    head = scipy.ndimage.binary_fill_holes(_largest(closed))
    return _largest(scipy.ndimage.binary_opening(head, iterations=max(1, round(side * SPUR_SHARE))))


def _without_frame(lit: Mask) -> Mask:
    """Clear the lines of each edge, from outside in, that are bright nearly from end to end."""
    lit = lit.copy()
    deepest = max(1, round(min(lit.shape) * FRAME_SHARE))
    for edge in (lit, lit[::-1], lit.T, lit.T[::-1]):
        for line in edge[:deepest]:
            if line.mean() < FRAME_LIT:
                break
            line[:] = False
    return lit


def _largest(regions: Mask) -> Mask:
    """Return the largest connected region."""
    numbered, count = scipy.ndimage.label(regions)
    if count < 2:
        return regions
    sizes = np.bincount(numbered.ravel())
    return numbered == 1 + int(np.argmax(sizes[1:]))
