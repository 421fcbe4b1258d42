"""Position of an image in its view: plain geometry, no widget."""

import math
from dataclasses import dataclass

from gui.widgets.view_state import MOST_ZOOM, View

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class ViewTransform:
    """Point on the view = offset + scale x point in the image, whose pixel (i, j) covers [i, i+1) x [j, j+1)."""

    scale: float
    left: float
    top: float

    def to_picture(self, at: Point) -> Point:
        return (at[0] - self.left) / self.scale, (at[1] - self.top) / self.scale

    def to_view(self, at: Point) -> Point:
        return self.left + at[0] * self.scale, self.top + at[1] * self.scale


def fit_scale(picture: Size, size: Size) -> float:
    """Return the view's pixels per image pixel at which the whole image just fits."""
    return max(min(size[0] / picture[0], size[1] / picture[1]), 1e-6)


def compute_fit(view: View, picture: Size, size: Size) -> ViewTransform:
    """Return the transform that shows `view.centre` of an image (width, height) at the center of the view."""
    scale = fit_scale(picture, size) * view.zoom
    left = size[0] / 2 - view.centre[0] * picture[0] * scale
    top = size[1] / 2 - view.centre[1] * picture[1] * scale
    return ViewTransform(scale, left, top)


def zoom_at(view: View, picture: Size, size: Size, factor: float, cursor: Point) -> tuple[float, Point]:
    """Return zoom and center after zooming by a factor so that the point under the cursor stays there."""
    zoom = min(max(view.zoom * factor, 1.0), MOST_ZOOM)
    fixed = compute_fit(view, picture, size).to_picture(cursor)
    scale = fit_scale(picture, size) * zoom
    centre = [(fixed[axis] - (cursor[axis] - size[axis] / 2) / scale) / picture[axis] for axis in (0, 1)]
    return zoom, (centre[0], centre[1])


def pan_by(view: View, picture: Size, size: Size, step: Point) -> Point:
    """Return the center after a drag of the image by a step in view pixels."""
    scale = compute_fit(view, picture, size).scale
    return view.centre[0] - step[0] / scale / picture[0], view.centre[1] - step[1] / scale / picture[1]


def visible_pixels(placement: ViewTransform, picture: Size, size: Size) -> tuple[int, int, int, int]:
    """Return the visible pixels of the image: first column, first row, columns, rows."""
    x0, y0 = placement.to_picture((0, 0))
    x1, y1 = placement.to_picture(size)
    first_x, first_y = max(math.floor(x0), 0), max(math.floor(y0), 0)
    last_x, last_y = min(math.ceil(x1), int(picture[0])), min(math.ceil(y1), int(picture[1]))
    return first_x, first_y, max(last_x - first_x, 0), max(last_y - first_y, 0)
