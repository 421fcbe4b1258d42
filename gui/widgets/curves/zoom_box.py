"""Area of a plot: a drag zooms to a box, the wheel zooms one axis."""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt

MIN_BOX_PX = 5


class ZoomBox(pg.ViewBox):
    """View box whose wheel zooms x, or y with Shift; a drag zooms to a box, and pans with Shift or the middle button.

    `sigRangeChangedManually` carries which of x and y the user has changed.
    """

    def __init__(self) -> None:
        super().__init__(enableMenu=False)

    def wheelEvent(self, ev: Any, axis: int | None = None) -> None:
        shift = bool(ev.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        super().wheelEvent(ev, axis=int(shift) if axis is None else axis)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:
        pans = ev.button() == Qt.MouseButton.MiddleButton or ev.modifiers() & Qt.KeyboardModifier.ShiftModifier
        self.state["mouseMode"] = pg.ViewBox.PanMode if pans else pg.ViewBox.RectMode
        way = ev.pos() - ev.buttonDownPos(ev.button())
        if not pans and ev.isFinish() and min(abs(way.x()), abs(way.y())) < MIN_BOX_PX:
            self.rbScaleBox.hide()
            ev.accept()
            return
        super().mouseDragEvent(ev, axis)

    def zoom_to(self, one: QPointF, other: QPointF) -> None:
        """Show the box between two points, given in axis positions."""
        self.showAxRect(QRectF(one, other), padding=0)


def place_labels(sizes: list[tuple[float, float]], lines: list[float], area: QRectF) -> list[QRectF | None]:
    """Return places for the labels of horizontal lines so that none overlaps another or leaves the area.

    Args:
        sizes: width and height of each label, px.
        lines: y of its line, px.
        area: the area of the plot.

    Returns:
        For each label, a place just above or below its line, at the right or as far left as needed; None if the area
        has none.
    """
    placed: list[QRectF] = []
    found: dict[int, QRectF | None] = {}
    for at in sorted(range(len(lines)), key=lines.__getitem__):
        (width, height), y = sizes[at], lines[at]
        tops = (y, y - height) if y > area.center().y() else (y - height, y)
        lefts = [area.right() - width] + [other.left() - width for other in placed]
        candidates = (QRectF(left, top, width, height) for left in lefts for top in tops)
        free = (box for box in candidates if area.contains(box) and not any(box.intersects(each) for each in placed))
        found[at] = next(free, None)
        placed += [box for box in [found[at]] if box is not None]
    return [found[at] for at in range(len(lines))]
