"""Where a lesion lies in pictures of one size: its region, its rim, and what is to be seen of it there."""

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
PATTERN_BLUR_PX: Final = 1.5  # grain is no pattern


@dataclass(frozen=True, eq=False)
class LesionRegion:
    """A lesion's place, found once for many pictures.

    Args:
        shape: (height, width) of the pictures.
        near: rows and columns round the lesion; the masks are of this part.
        region: the lesion.
        rim: its rim.
    """

    shape: tuple[int, int]
    near: tuple[slice, slice]
    region: Mask
    rim: Mask

    def crop(self, before: Picture, after: Picture) -> Stacked:
        """The part round the lesion of two pictures: (height, width) each -> float64 (2, height, width).

        Raises:
            RegionError: a picture has another shape.
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
        """Mean of the region minus mean of the rim, in both pictures of a `cut`."""
        before, after = cut[:, self.region].mean(axis=1) - cut[:, self.rim].mean(axis=1)
        return float(before), float(after)

    def pattern(self, cut: Stacked) -> float:
        """Slope of the region's smoothed pixels after on those before, both seen from the mean of the rim."""
        smooth = gaussian_filter(cut, (0, PATTERN_BLUR_PX, PATTERN_BLUR_PX), mode="nearest")
        before, after = smooth[:, self.region] - smooth[:, self.rim].mean(axis=1, keepdims=True)
        size = float(before @ before)
        return float(before @ after) / size if size > 0 else math.nan


def make_lesion_region(mask: Mask, rim: int = 4, avoid: Mask | None = None) -> LesionRegion:
    """Find a lesion's place.

    Args:
        mask: bool (height, width), the lesion.
        rim: width of the band round it, px.
        avoid: what the band stays out of.

    Raises:
        RegionError: the region is unfit, or nothing is left round it; see `make_rim_mask`.
    """
    region = require_measurable(mask)
    band = make_rim_mask(region, rim, avoid)
    near = find_bounding_slices(region, rim + math.ceil(4 * PATTERN_BLUR_PX))
    return LesionRegion((region.shape[0], region.shape[1]), near, region[near], band[near])
