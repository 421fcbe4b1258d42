"""Regions of an image as masks, the background ring (rim) of a region, and a lesion in images of one size.

A pixel belongs to a region if its center does. A rectangle contains its left and top edge but not the other two, so
that adjacent rectangles share no pixel; an ellipse contains its edge. Parts outside the image are cut off.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
import scipy
import skimage
from numpy.typing import NDArray

from engine.arrays import AnyMask, AnyPicture, Mask
from engine.errors import RegionError

Stacked = Annotated[NDArray[np.float64], "2 height width"]
Shape = tuple[int, int]
LEAST_PIXELS: Final = 4
EDGE_PX: Final = 0.2
OUTLINE_PX: Final = 0.4  # corners of a traced outline that lie this near to a line are left out
PATTERN_BLUR_PX: Final = 1.5  # removes the grain, which is not part of the pattern
FORMS: Final = "x,y,width,height (an ellipse), rectangle:x,y,width,height or polygon:x,y,x,y,x,y"


def ellipse(shape: Shape, x: float, y: float, width: float, height: float) -> Mask:
    """Return the ellipse that touches all four sides of a box.

    Args:
        shape: (height, width) of the image.
        x: left side of the box, px.
        y: its top side, px.
        width: px, above 0.
        height: px, above 0.

    Returns:
        bool (height, width); may be empty.

    Raises:
        RegionError: width or height is not above 0.

    Example:
        >>> int(ellipse((64, 64), x=8, y=8, width=16, height=16).sum())  # nearly pi * 8 * 8
        208
    """
    _check_size(width, height)
    across, down = _centers(shape)
    squared = ((across - x - width / 2) / (width / 2)) ** 2 + ((down - y - height / 2) / (height / 2)) ** 2
    return np.asarray(squared <= 1.0)


def stretch(shape: Shape, corners: tuple[float, float, float, float], inside: AnyMask) -> Mask:
    """Return the pixels whose centers lie in the true pixels of a mask that is stretched over a box.

    Args:
        shape: (height, width) of the image.
        corners: x, y, width and height of the box, px.
        inside: bool, the mask of the box.

    Example:
        >>> stretch((4, 4), (1, 1, 2, 2), np.array([[True], [False]]))[1].tolist()
        [False, True, True, False]
    """
    x, y, width, height = corners
    _check_size(width, height)
    rows, columns = inside.shape
    across, down = _centers(shape)
    row = np.floor((down - y) / height * rows).astype(np.int64)
    column = np.floor((across - x) / width * columns).astype(np.int64)
    is_near = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    found: Mask = inside[row.clip(0, rows - 1), column.clip(0, columns - 1)] & is_near
    return found


def trace(inside: Mask) -> list[tuple[float, float]]:
    """Return the outer contour of a mask as corners (x, y), fractions of its sides; holes are not traced.

    Example:
        >>> sorted(trace(np.ones((2, 2), np.bool_)))[0]
        (0.0, 0.25)
    """
    contours = skimage.measure.find_contours(np.pad(inside, 1).astype(np.float64), 0.5)
    longest = max(contours, key=len)[:-1]
    rows, columns = inside.shape
    corners = skimage.measure.approximate_polygon(longest, OUTLINE_PX)
    return [(float((x - 0.5) / columns), float((y - 0.5) / rows)) for y, x in corners]


def rectangle(shape: Shape, x: float, y: float, width: float, height: float) -> Mask:
    """Return the pixels of a box; arguments, result and errors as in `ellipse`.

    Example:
        >>> int(rectangle((64, 64), x=8, y=8, width=16, height=16).sum())
        256
    """
    _check_size(width, height)
    across, down = _centers(shape)
    return np.asarray((across >= x) & (across < x + width) & (down >= y) & (down < y + height))


def polygon(shape: Shape, corners: Sequence[tuple[float, float]]) -> Mask:
    """Return the inside of a closed line by the even-odd rule: parts enclosed twice by a crossing line are outside.

    Args:
        shape: (height, width) of the image.
        corners: three or more (x, y) in px; the last is joined to the first.

    Returns:
        bool (height, width); may be empty.

    Raises:
        RegionError: there are fewer than three corners, or one is not a finite point.

    Example:
        >>> int(polygon((64, 64), [(8, 8), (24, 8), (24, 24)]).sum())
        136
    """
    points = np.asarray(corners, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.all(np.isfinite(points)):
        raise RegionError("A polygon needs at least three corners, each a point (x, y).", "Draw or type it again.")
    across, down = _centers(shape)
    inside = np.zeros(shape, np.bool_)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crossed = (down >= min(y0, y1)) & (down < max(y0, y1))
        inside ^= crossed & (across < x0 + (down - y0) * (x1 - x0) / (y1 - y0))
    return inside


def parse_region(text: str, shape: Shape) -> Mask:
    """Parse 'x,y,width,height' for an ellipse, 'rectangle:x,y,width,height', or 'polygon:x,y,x,y,x,y'.

    Raises:
        RegionError: the text has another form, or the region contains too few pixels or all of them.

    Example:
        >>> bool((parse_region("8,8,16,16", (64, 64)) == ellipse((64, 64), 8, 8, 16, 16)).all())
        True
    """
    kind, colon, rest = text.partition(":")
    kind, rest = (kind.strip().lower(), rest) if colon else ("ellipse", text)
    try:
        numbers = [float(part) for part in rest.split(",")]
    except ValueError:
        numbers = []
    if kind in ("ellipse", "rectangle") and len(numbers) == 4 and np.all(np.isfinite(numbers)):
        x, y, width, height = numbers
        return require_measurable((ellipse if kind == "ellipse" else rectangle)(shape, x, y, width, height))
    if kind == "polygon" and len(numbers) >= 6 and len(numbers) % 2 == 0:
        return require_measurable(polygon(shape, list(zip(numbers[::2], numbers[1::2], strict=True))))
    raise RegionError(f"'{text}' is not a valid region.", f"Use {FORMS}, in pixels.")


def require_measurable(mask: Any, shape: Shape | None = None) -> Mask:
    """Return the mask, if contrast can be measured in it.

    Args:
        mask: bool (height, width).
        shape: that of its image; not compared if None.

    Raises:
        RegionError: it has another shape than the image, or contains fewer than 4 pixels or all of them.

    Example:
        >>> int(require_measurable(np.tri(8, dtype=bool)).sum())
        36
    """
    found = require_shape(mask, shape)
    count = area(found)
    if count == 0:
        raise RegionError("The region contains no pixel: it is outside the image or too small.", "Move or enlarge it.")
    if count < LEAST_PIXELS:
        raise RegionError(f"The region contains {count} pixels; at least {LEAST_PIXELS} are needed.", "Make it larger.")
    if count == found.size:
        raise RegionError(
            "The region covers the whole image, so there are no surroundings to compare with.", "Make it smaller."
        )
    return found


def require_shape(mask: Any, shape: tuple[int, ...] | None) -> Mask:
    """Return the mask as bool (height, width); raise RegionError if its shape is not that of the image."""
    found = np.asarray(mask, np.bool_)
    if found.ndim != 2 or (shape is not None and found.shape != tuple(shape)):
        seen, wanted = _format_shape(found.shape), _format_shape(shape) if shape else "(height, width)"
        raise RegionError(
            f"A region for an image of {seen} pixels does not fit an image of {wanted}.", "Use one size for both."
        )
    return found


def make_rim_mask(mask: AnyMask, rim: int = 4, avoid: AnyMask | None = None) -> Mask:
    """Return the band around a region: pixels outside it, at most `rim` px from its edge, inside the image.

    The edge lies beyond the centers of the region's outermost pixels: by half a pixel along the grid, hardly at all
    across corners. A fifth is used everywhere: the band around a disc then has the area of the exact ring, and a
    rim of 4 along the grid is 4 pixels wide.

    Args:
        mask: bool (height, width), the region.
        rim: width of the band, px.
        avoid: bool (height, width), pixels that the band leaves out, such as a second lesion.

    Returns:
        bool (height, width).

    Raises:
        RegionError: the region cannot be measured (`require_measurable`), or the band has fewer than 4 pixels.

    Example:
        >>> lesion = rectangle((32, 32), x=12, y=12, width=8, height=8)
        >>> rim = make_rim_mask(lesion, rim=4)
        >>> bool((rim & lesion).any()), bool(rim[10, 16]), bool(rim[4, 16])
        (False, True, False)
    """
    region = require_measurable(mask)
    if rim < 1:
        raise RegionError(f"A background ring of {rim} px is too narrow.", "Use 1 px or more.")
    band, near = np.zeros_like(region), find_bounding_slices(region, rim + 1)
    band[near] = ~region[near] & (scipy.ndimage.distance_transform_edt(~region[near]) <= rim + EDGE_PX)
    if avoid is not None:
        band &= ~require_shape(avoid, region.shape)
    if area(band) < LEAST_PIXELS:
        raise RegionError(
            "There is too little image around the region to compare it with.",
            "Make the region smaller or the background ring wider.",
        )
    return band


def find_bounding_slices(mask: Mask, margin: int) -> tuple[slice, slice]:
    """Return rows and columns of the smallest box around a region, widened by `margin` px within the image.

    Example:
        >>> find_bounding_slices(rectangle((32, 32), x=12, y=10, width=8, height=4), margin=2)
        (slice(8, 16, None), slice(10, 22, None))
    """
    found = []
    for axis in (1, 0):
        held = np.flatnonzero(mask.any(axis=axis))
        found.append(slice(max(0, int(held[0]) - margin), int(held[-1]) + margin + 1))
    return found[0], found[1]


def area(mask: Mask) -> int:
    """Count the pixels of a region.

    Example:
        >>> area(np.eye(4, dtype=bool))
        4
    """
    return int(np.count_nonzero(mask))


def _check_size(width: float, height: float) -> None:
    if not (width > 0 and height > 0):
        raise RegionError(
            f"A region {width:g} wide and {height:g} high contains nothing.", "Make both sides larger than 0 px."
        )


def _centers(shape: Shape) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the x and y of every pixel's center, as a row and as a column."""
    height, width = shape
    return np.arange(width)[np.newaxis, :] + 0.5, np.arange(height)[:, np.newaxis] + 0.5


def _format_shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


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

    def crop(self, before: AnyPicture, after: AnyPicture) -> Stacked:
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
        smooth = scipy.ndimage.gaussian_filter(cut, (0, PATTERN_BLUR_PX, PATTERN_BLUR_PX), mode="nearest")
        before, after = smooth[:, self.region] - smooth[:, self.rim].mean(axis=1, keepdims=True)
        size = float(before @ before)
        return float(before @ after) / size if size > 0 else math.nan


def make_lesion_region(mask: AnyMask, rim: int = 4, avoid: AnyMask | None = None) -> LesionRegion:
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
