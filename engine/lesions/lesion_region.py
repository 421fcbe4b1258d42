"""A lesion in images of one size: its region, its background ring, and its contrast there."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from engine.errors import RegionError
from engine.lesions.regions import Mask, find_bounding_slices, make_rim_mask, require_measurable

Picture = NDArray[np.floating]
Stacked = NDArray[np.float64]
PATTERN_BLUR_PX: Final = 1.5  # removes the grain, which is not part of the pattern


@dataclass(frozen=True, eq=False)
class LesionRegion:
    """Region of a lesion, computed once for many images.

    Args:
        shape: (height, width) of the images.
        near: rows and columns around the lesion; the masks cover this part.
        region: mask of the lesion.
        rim: mask of its background ring.
    """

    shape: tuple[int, int]
    near: tuple[slice, slice]
    region: Mask
    rim: Mask

    def crop(self, before: Picture, after: Picture) -> Stacked:
        """Crop two images to the part around the lesion: (height, width) each -> float64 (2, height, width).

        Raises:
            RegionError: an image has another shape.
        """
        pictures = [np.asarray(picture, np.float64) for picture in (before, after)]
        for picture in pictures:
            if picture.shape != self.shape:
                raise RegionError(
                    f"Images of shape {picture.shape} and {self.shape} cannot be compared.",
                    "Use two images of one shape (height, width), and a region of that shape.",
                )
        return np.stack([picture[self.near] for picture in pictures])

    def contrasts(self, cut: Stacked) -> tuple[float, float]:
        """Return the mean of the region minus the mean of the rim, for both images of a crop."""
        before, after = cut[:, self.region].mean(axis=1) - cut[:, self.rim].mean(axis=1)
        return float(before), float(after)

    def pattern(self, cut: Stacked) -> float:
        """Return the slope of the region's smoothed pixels after on those before, both minus the mean of the rim."""
        smooth = gaussian_filter(cut, (0, PATTERN_BLUR_PX, PATTERN_BLUR_PX), mode="nearest")
        before, after = smooth[:, self.region] - smooth[:, self.rim].mean(axis=1, keepdims=True)
        size = float(before @ before)
        return float(before @ after) / size if size > 0 else math.nan


def make_lesion_region(mask: Mask, rim: int = 4, avoid: Mask | None = None) -> LesionRegion:
    """Compute the region of a lesion for many images.

    Args:
        mask: bool (height, width), the lesion.
        rim: width of the background ring, px.
        avoid: pixels that the ring leaves out.

    Raises:
        RegionError: the region cannot be measured, or has no surroundings; see `make_rim_mask`.
    """
    region = require_measurable(mask)
    band = make_rim_mask(region, rim, avoid)
    near = find_bounding_slices(region, rim + math.ceil(4 * PATTERN_BLUR_PX))
    return LesionRegion((region.shape[0], region.shape[1]), near, region[near], band[near])
