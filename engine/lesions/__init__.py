"""A lesion in an image: its region, its contrast, and how much of the contrast a method retains.

    mask = lesions.ellipse((128, 128), x=40, y=52, width=18, height=14)
    kept = lesions.retention(clean, denoised, mask)
    kept.value, kept.interval                         # 0.41, (0.37, 0.46): 59% of its contrast is lost

Images are float (height, width) with a data range of 1; masks are bool of the same shape. An image spans
[0, width] x [0, height]; the pixel in row r and column c has its center at x = c + 0.5, y = r + 0.5.
"""

from engine.lesions.boxes import Box, Boxes, make_boxes, read_boxes, read_boxes_beside
from engine.lesions.contrast import contrast, contrast_to_noise, edge_sharpness
from engine.lesions.inpainting import inpaint
from engine.lesions.masks import find_slice_boxes, read_masks
from engine.lesions.regions import (
    LesionRegion,
    area,
    ellipse,
    make_lesion_region,
    make_rim_mask,
    parse_region,
    polygon,
    rectangle,
    require_measurable,
    trace,
)
from engine.lesions.retention import LEAST_CONTRAST, WARN_BELOW, Retention, retention

__all__ = [
    "LEAST_CONTRAST",
    "WARN_BELOW",
    "Box",
    "Boxes",
    "LesionRegion",
    "Retention",
    "area",
    "contrast",
    "contrast_to_noise",
    "edge_sharpness",
    "ellipse",
    "find_slice_boxes",
    "inpaint",
    "make_boxes",
    "make_lesion_region",
    "make_rim_mask",
    "parse_region",
    "polygon",
    "read_boxes",
    "read_boxes_beside",
    "read_masks",
    "rectangle",
    "require_measurable",
    "retention",
    "trace",
]
