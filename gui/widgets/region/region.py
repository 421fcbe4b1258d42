"""Region of an image as plain geometry: an ellipse, a rectangle or a polygon, in fractions of the image's sides."""

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["ellipse", "rectangle", "polygon"]
Point = tuple[float, float]
# Handles of a box: columns and rows of three.
SIDES = ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Region:
    """Shape on an image. Points are (x, y), (0, 0) the upper left corner and (1, 1) the lower right one.

    An ellipse or rectangle has two points, opposite corners of its box; a polygon has its corners.
    """

    kind: Kind
    points: tuple[Point, ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Return the left, upper, right and lower end."""
        across, down = zip(*self.points, strict=True)
        return min(across), min(down), max(across), max(down)

    def handles(self) -> tuple[Point, ...]:
        """Return the points to resize it by.

        A box has eight, clockwise from the upper left; a polygon has its corners.
        """
        if self.kind == "polygon":
            return self.points
        left, top, right, bottom = self.box
        across, down = (left, (left + right) / 2, right), (top, (top + bottom) / 2, bottom)
        return tuple((across[x], down[y]) for x, y in SIDES)

    def with_handle(self, index: int, to: Point) -> "Region":
        """Return the region with one handle dragged to a point inside the image."""
        x, y = (min(max(at, 0.0), 1.0) for at in to)
        if self.kind == "polygon":
            return replace(self, points=(*self.points[:index], (x, y), *self.points[index + 1 :]))
        left, top, right, bottom = self.box
        column, row = SIDES[index]
        left, right = (x if column == 0 else left), (x if column == 2 else right)
        top, bottom = (y if row == 0 else top), (y if row == 2 else bottom)
        return replace(self, points=((left, top), (right, bottom)))

    def moved(self, step: Point) -> "Region":
        """Return the region moved by a step, as far as it stays inside the image."""
        left, top, right, bottom = self.box
        x = min(max(step[0], min(-left, 0.0)), max(1 - right, 0.0))
        y = min(max(step[1], min(-top, 0.0)), max(1 - bottom, 0.0))
        return replace(self, points=tuple((at[0] + x, at[1] + y) for at in self.points))

    def grown(self, by: Point) -> "Region":
        """Return the region widened around its center by `by` on every side; negative values narrow it."""
        left, top, right, bottom = self.box
        middle = (left + right) / 2, (top + bottom) / 2
        half = max((right - left) / 2, 1e-6), max((bottom - top) / 2, 1e-6)
        factors = tuple(max((half[axis] + by[axis]) / half[axis], 0.05) for axis in (0, 1))
        points = [
            tuple(middle[axis] + (at[axis] - middle[axis]) * factors[axis] for axis in (0, 1)) for at in self.points
        ]
        return replace(self, points=tuple((min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)) for x, y in points))

    def contains(self, at: Point) -> bool:
        """Return whether a point lies inside."""
        left, top, right, bottom = self.box
        if not (left <= at[0] <= right and top <= at[1] <= bottom):
            return False
        if self.kind == "ellipse":
            across, down = max((right - left) / 2, 1e-9), max((bottom - top) / 2, 1e-9)
            return ((at[0] - (left + right) / 2) / across) ** 2 + ((at[1] - (top + bottom) / 2) / down) ** 2 <= 1
        return self.kind == "rectangle" or _is_inside(self.points, at)


def _is_inside(corners: tuple[Point, ...], at: Point) -> bool:
    """Return whether a point lies inside a closed line, by the even-odd rule."""
    inside = False
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y0 > at[1]) != (y1 > at[1]) and at[0] < x0 + (at[1] - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside
