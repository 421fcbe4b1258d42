"""State that linked images share (zoom, center, window, level), and the position of an image in its view."""

import math
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

MOST_ZOOM = 64.0
LEAST_WINDOW = 1e-4
Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class View:
    """One state of a view.

    A zoom of 1 fits the image into its view. Center and crosshair are fractions of the image, (0, 0) its upper left
    corner. Window and level are in the image's own unit; limit is the end of the symmetric scale of differences.
    """

    zoom: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    window: float = 1.0
    level: float = 0.5
    limit: float = 0.3
    invert: bool = False
    crosshair: tuple[float, float] | None = None


class ViewState(QObject):
    """Observable view that several images follow: share one to link them, give each its own to unlink them."""

    changed = Signal()

    def __init__(self, view: View | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view or View()
        self._default_view = self._view

    @property
    def view(self) -> View:
        return self._view

    def update(self, **changes: Any) -> None:
        """Change the named fields of the view, clamped to what can be shown."""
        view = _sane(replace(self._view, **changes))
        if view != self._view:
            self._view = view
            self.changed.emit()

    def reset(self) -> None:
        """Restore the full view and the initial contrast, or that of the last `set_default_view`."""
        self.update(**vars(self._default_view))

    def set_default_view(self, **changes: Any) -> None:
        """Change fields of the view and of the state that `reset` restores."""
        self._default_view = _sane(replace(self._default_view, **changes))
        self.update(**changes)

    def copy(self) -> "ViewState":
        """Return an independent state with the same view, to unlink an image."""
        twin = ViewState(self._default_view)
        twin.update(**vars(self._view))
        return twin


def _sane(view: View) -> View:
    zoom = min(max(view.zoom, 1.0), MOST_ZOOM)
    reach = 0.5 - 0.5 / zoom
    x, y = (min(max(at, 0.5 - reach), 0.5 + reach) for at in view.centre)
    return replace(
        view,
        zoom=zoom,
        centre=(x, y),
        window=max(view.window, LEAST_WINDOW),
        limit=max(view.limit, LEAST_WINDOW),
    )


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
