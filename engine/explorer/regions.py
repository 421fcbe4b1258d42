"""The pixels of a region that was drawn in the app."""

from engine import lesions
from engine.arrays import Mask
from engine.messages import RegionSpec


def region_mask(region: RegionSpec, shape: tuple[int, int]) -> Mask:
    """Return the pixels of a region, a boolean mask of the shape.

    Raises:
        RegionError: too few pixels are inside, or all of them.
    """
    points = [(x * shape[1], y * shape[0]) for x, y in region.points]
    if region.kind == "polygon":
        return lesions.require_measurable(lesions.polygon(shape, points))
    (left, right), (top, bottom) = (sorted(ends) for ends in zip(*points, strict=True))
    draw = lesions.ellipse if region.kind == "ellipse" else lesions.rectangle
    return lesions.require_measurable(draw(shape, left, top, right - left, bottom - top))
