"""All shapes of a plan, varied for a subject and cropped for a frame in a few array operations."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from engine.data.phantom.frame import Frame, Patch, Window
from engine.data.phantom.shapes import (
    Ellipse,
    Points,
    Shape,
    Stroke,
    ellipse_depth,
    open_spline,
    piece_table,
    stroke_depth,
)
from engine.data.phantom.texture import Floats

ALIKE = 0.35  # variation within a pair, in units of the variation of pairs


Cut = tuple[Shape, Patch]


def _pieces(stroke: Stroke) -> int:
    """Return the number of straight pieces between two points: two if the line bends visibly, else one."""
    points = np.array(stroke.points)
    sagitta = np.abs((open_spline(len(points), 2) @ points)[1::2] - (points[1:] + points[:-1]) / 2).max()
    return 2 if sagitta > 0.6 else 1


class Stencil:
    """Shapes of a plan as arrays.

    The mirror image of a pair follows its first half.
    """

    def __init__(self, parts: tuple[tuple[Shape, ...], ...]) -> None:
        """Convert the shapes to arrays, once per plan; `cut` keeps the parts separate."""
        self.shapes: list[Shape] = []
        self._parts = [sum(1 + s.pair for s in part) for part in parts]
        shapes = [shape for part in parts for shape in part]
        sides, owners = [], []
        for owner, shape in enumerate(shapes):
            for side in (1.0, -1.0) if shape.pair else (1.0,):
                self.shapes.append(shape)
                sides.append(side)
                owners.append(owner)
        self._side, self._owner = np.array(sides), np.array(owners, np.intp)
        self._count = len(shapes)
        self._ventricle = np.array([s.tissue == "ventricle" for s in self.shapes], bool)
        self._round = np.array([isinstance(s, Ellipse) for s in self.shapes], bool)
        self._lay_ellipses()
        self._lay_strokes()

    def _lay_ellipses(self) -> None:
        """Store center, radii and tilt of each ellipse."""
        rows = [(*s.centre, *s.radii, np.deg2rad(s.tilt)) for s in self.shapes if isinstance(s, Ellipse)]
        self._ellipses = np.array(rows).reshape(-1, 5)

    def _lay_strokes(self) -> None:
        """Store the concatenated lines of all strokes, and the position of each point on its own line, -1 to 1."""
        strokes = [s for s in self.shapes if isinstance(s, Stroke)]
        splines = [open_spline(len(s.points), _pieces(s)) for s in strokes]
        counts = np.array([len(s) for s in splines], np.intp)
        self._ends = np.cumsum(counts)
        self._of = np.repeat(np.arange(len(strokes)), counts)
        pairs = list(zip(splines, strokes, strict=True))
        self._lines = np.concatenate([w @ np.array(s.points) for w, s in pairs] or [np.zeros((0, 2))])
        self._widths = np.concatenate([w @ np.array(s.widths) for w, s in pairs] or [np.zeros(0)])
        self._along = np.concatenate([np.linspace(-1, 1, n) for n in counts] or [np.zeros(0)])

    def cut(self, frame: Frame, rng: np.random.Generator, ventricles: float) -> list[list[Cut]]:
        """Return another subject's shapes: moved, scaled, tilted and bent, without those outside the image.

        Args:
            frame: head coordinates of the image.
            rng: the subject's random generator.
            ventricles: size of the ventricles, 1 = as planned.
        """
        deviates = rng.standard_normal((self._count, 7))[self._owner]
        deviates += ALIKE * rng.standard_normal((len(self.shapes), 7))
        grown = np.where(self._ventricle, ventricles, 1.0)
        ellipses = self._varied_ellipses(deviates[self._round], grown[self._round])
        table, low, high = self._varied_strokes(deviates[~self._round], grown[~self._round])
        c, s = np.abs(np.cos(ellipses[:, 4])), np.abs(np.sin(ellipses[:, 4]))
        reach = np.column_stack([c * ellipses[:, 2] + s * ellipses[:, 3], s * ellipses[:, 2] + c * ellipses[:, 3]])
        corners = np.empty((2, len(self.shapes), 2))
        corners[:, self._round] = ellipses[:, :2] - reach, ellipses[:, :2] + reach
        corners[:, ~self._round] = low, high
        windows = frame.windows(corners[0], corners[1])
        patches = self._patches(frame, windows, iter(ellipses), iter(table))
        return [[cut for cut in islice(patches, n) if cut[1].depth.size] for n in self._parts]

    def _patches(
        self, frame: Frame, windows: list[Window], ellipses: Iterator[Points], tables: Iterator[Floats]
    ) -> Iterator[Cut]:
        """Yield each shape with its depth in its window."""
        for shape, window in zip(self.shapes, windows, strict=True):
            places = frame.places[(slice(None), *window)]
            if isinstance(shape, Ellipse):
                yield shape, Patch(window, ellipse_depth(places[0], places[1], next(ellipses)))
            else:
                yield shape, Patch(window, stroke_depth(places, next(tables)))

    def _varied_ellipses(self, d: Points, grown: Points) -> Points:
        """Return ellipses moved by 1.6 mm, scaled by 13% and tilted by 6 degrees (standard deviations)."""
        rows = self._ellipses.copy()
        rows[:, :2] += 1.6 * d[:, :2]
        rows[:, 2:4] *= np.exp(0.13 * d[:, 2:4]) * grown[:, None]
        rows[:, 4] += 0.1 * d[:, 4]
        side = self._side[self._round]
        rows[:, 0] *= side
        rows[:, 4] *= side
        return rows

    def _varied_strokes(self, d: Points, grown: Points) -> tuple[list[Floats], Points, Points]:
        """Return lines moved by 1.2 mm, turned and bent by 1 mm and widened by 16%; their tables and corners."""
        if not len(d):
            return [], np.zeros((0, 2)), np.zeros((0, 2))
        each, s = d[self._of], self._along[:, None]
        line = self._lines + 1.2 * each[:, :2] + s * each[:, 2:4] + (s * s - 0.33) * 1.5 * each[:, 4:6]
        width = self._widths * (np.exp(0.16 * d[:, 6]) * grown)[self._of]
        line[:, 0] *= self._side[~self._round][self._of]
        table = piece_table(line, width)
        starts = np.concatenate([[0], self._ends[:-1]])
        reach = np.maximum(np.maximum.reduceat(width, starts), 0)[:, None] + 1
        low, high = np.minimum.reduceat(line, starts), np.maximum.reduceat(line, starts)
        tables = [table[a : b - 1] for a, b in zip(starts.tolist(), self._ends.tolist(), strict=True)]
        return tables, low - reach, high + reach
