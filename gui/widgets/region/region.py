"""Region of an image as plain geometry, in fractions of the image's sides, and the state that several images share."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

Kind = Literal["ellipse", "rectangle", "polygon"]
Point = tuple[float, float]
# Handles of a box: columns and rows of three.
SIDES = ((0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1))
Mode = Literal["", "ellipse", "polygon"]
LEAST_CORNERS = 3
MAX_SAVED = 64


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


class ChangeRegionCommand(QUndoCommand):
    """Undo step of a region that changed, appeared or vanished; it turns obsolete when another image is shown."""

    def __init__(self, state: "RegionState", before: Region | None, after: Region | None, text: str) -> None:
        super().__init__(text)
        self._state, self._before, self._after, self._of = state, before, after, state.of

    def redo(self) -> None:
        self._show(self._after)

    def undo(self) -> None:
        self._show(self._before)

    def _show(self, region: Region | None) -> None:
        if self._of == self._state.of:
            self._state.show_region(region)
        else:
            self.setObsolete(True)


class RegionStore(QObject):
    """Regions of images by the key of the image, shared by several states; changed carries the key."""

    changed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.regions: dict[str, Region | None] = {}

    def put(self, of: str, region: Region | None) -> None:
        """Keep the region of an image; None if it has none, though it may have a known lesion."""
        if of not in self.regions or self.regions[of] != region:
            self.regions[of] = region
            self.changed.emit(of)

    def forget(self, prefix: str) -> None:
        """Remove the regions of all images whose key begins so."""
        for of in [of for of in self.regions if of.startswith(prefix)]:
            del self.regions[of]

    def save(self) -> dict[str, Any]:
        """Return the newest regions as JSON."""
        kept = list(self.regions.items())[-MAX_SAVED:]
        return {of: None if region is None else [region.kind, region.points] for of, region in kept}

    def restore(self, kept: object) -> None:
        """Take the valid ones of the regions that `save` returned."""
        for of, saved in kept.items() if isinstance(kept, dict) else ():
            with suppress(TypeError, ValueError):
                self.regions[of] = None if saved is None else _read_region(*saved)


def _read_region(kind: object, points: Sequence[Sequence[float]]) -> Region:
    """Return a region from its JSON. Raises TypeError, ValueError."""
    read = tuple((float(x), float(y)) for x, y in points)
    if kind not in ("ellipse", "rectangle", "polygon") or len(read) < (LEAST_CORNERS if kind == "polygon" else 2):
        raise ValueError(kind)
    return Region(kind, read)


class RegionState(QObject):
    """Region shared by several views: a change in one view shows in all, and in all states with the same store.

    Signals: `changed` when anything looks different, `region_changed` when the region itself differs, `mode_changed`
    when drawing begins or ends.
    """

    changed = Signal()
    region_changed = Signal()
    mode_changed = Signal(str)

    def __init__(self, undo: QUndoStack, parent: QObject | None = None, store: RegionStore | None = None) -> None:
        super().__init__(parent)
        self._undo, self._store = undo, store or RegionStore(self)
        self.region: Region | None = None
        self.mode: Mode = ""
        self.draft: tuple[Point, ...] = ()
        self.rim_px = 4
        self.of = ""
        self._before: Region | None = None
        self._store.changed.connect(self._on_stored)

    def set_image(self, of: str, region: Region | None) -> None:
        """Switch to another image, with the region it had, or with this one if it is new."""
        self.of = of
        self.set_mode("")
        self._show(self._store.regions.get(of, region))

    def show_region(self, region: Region | None) -> None:
        """Show a region, or none; this is not an undo step."""
        self._show(region)
        self._store.put(self.of, region)

    def change(self, region: Region | None, text: str) -> None:
        """Change the region as an undo step."""
        if region != self.region:
            self._undo.push(ChangeRegionCommand(self, self.region, region, text))

    def begin(self) -> None:
        """Begin a change by hand; `finish` turns it into an undo step."""
        self._before = self.region

    def finish(self, text: str) -> None:
        """Finish a change by hand."""
        after, before = self.region, self._before
        if after != before:
            self._undo.push(ChangeRegionCommand(self, before, after, text))

    def set_mode(self, mode: Mode) -> None:
        """Begin to draw an ellipse or a polygon, or stop drawing."""
        self.draft = ()
        if mode != self.mode:
            self.mode = mode
            self.mode_changed.emit(mode)
        self.changed.emit()

    def set_draft(self, points: tuple[Point, ...]) -> None:
        """Set the corners of an unfinished polygon; the last one follows the cursor."""
        self.draft = points
        self.changed.emit()

    def close_polygon(self) -> None:
        """Turn the corners so far into a region, if there are enough."""
        corners = tuple(dict.fromkeys(self.draft))
        if len(corners) >= LEAST_CORNERS:
            self.set_mode("")
            self.change(Region("polygon", corners), "draw polygon")

    def _show(self, region: Region | None) -> None:
        if region != self.region:
            self.region = region
            self.region_changed.emit()
            self.changed.emit()

    def _on_stored(self, of: str) -> None:
        """Show a region that another state has changed."""
        if of == self.of:
            self._show(self._store.regions[of])

    def set_rim(self, rim_px: int) -> None:
        """Set the width of the background ring, in pixels of the image."""
        if rim_px != self.rim_px:
            self.rim_px = rim_px
            self.region_changed.emit()
            self.changed.emit()
