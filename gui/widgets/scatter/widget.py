"""A map of thousands of points: hover shows one, a click chooses one, a drag goes round many."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.widgets.scatter.gestures import ScatterGestures
from gui.widgets.scatter.model import EMPTY, Flags, PlotTransform, Point, Scatter, fit_all
from gui.widgets.scatter.overlay import Preview, draw_extra_point, draw_preview, draw_rings
from gui.widgets.scatter.paint import draw_bar, draw_field, draw_points, room_of


class ScatterPlot(QWidget):
    """Draws a Scatter. pointed tells the point under the cursor (-1 for none), chosen one that was clicked at.

    lassoed tells the shown points that a line was drawn round, as a list; an empty one lets go of them.
    """

    pointed = Signal(int)
    chosen = Signal(int)
    lassoed = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scatter, self.hidden, self.selected = EMPTY, frozenset[int](), None
        self.frame = fit_all(EMPTY.points, (1.0, 1.0))
        self.lasso: list[Point] = []
        self.hovered_index = -1
        self.by_keys = False  # whether the focus came by a key or keys were used since: then it is framed
        self.preview: Callable[[int], Preview] = lambda at: (None, ())
        self._rings: dict[int, str] = {}
        self._layer: QPixmap | None = None
        self._empty = ""
        self._gestures = ScatterGestures(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("latent map")

    selected: Flags | None

    def show_points(self, scatter: Scatter, keep_view: bool = False) -> None:
        """Show other points, all of them in sight; with `keep_view` they lie where the old ones did."""
        self.scatter = scatter
        self.hidden, self.hovered_index, self.lasso = frozenset(), -1, []
        if not keep_view:
            self.selected, self._rings = None, {}
            self.frame = fit_all(scatter.extent(), (self.width(), self.height()))
        groups = ", ".join(mark.title for mark in scatter.marks)
        self.setAccessibleDescription(f"{len(scatter.points)} points; {groups}")
        self.refresh()

    def set_empty_text(self, text: str) -> None:
        """Say this while there are no points."""
        self._empty = text
        self.refresh()

    def set_hidden(self, groups: Collection[int]) -> None:
        """Leave out the points of these groups."""
        self.hidden = frozenset(groups)
        self.refresh()

    def select(self, at: Sequence[int] | None) -> None:
        """Let these stand out; None lets all."""
        self.selected = None
        if at is not None and len(at):
            self.selected = np.zeros(len(self.scatter.points), np.bool_)
            self.selected[list(at)] = True
        self.refresh()

    def set_rings(self, rings: Mapping[int, str]) -> None:
        """Draw rings round points, each with a few letters beside it."""
        self._rings = dict(rings)
        self.update()

    def set_guest(self, guest: Point | None, title: str = "") -> None:
        """Show one more point with its name, zooming out where it would be out of sight; None takes it away."""
        self.scatter = replace(self.scatter, extra_point=guest, guest_title=title)
        if guest is not None and not room_of(self.frame).contains(*self.frame.to_view(np.array([guest]))[0].tolist()):
            self.set_transform(fit_all(self.scatter.extent(), self.frame.size))
        self.update()

    def shown(self) -> Flags:
        """Which points are not hidden."""
        return ~np.isin(self.scatter.groups, list(self.hidden))

    def set_transform(self, frame: PlotTransform) -> None:
        """Look at another part of the plane."""
        self.frame = frame
        self.refresh()

    def refresh(self) -> None:
        """Draw everything anew."""
        self._layer = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(480, 240)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The points are kept as a picture: pointing at one costs only that one."""
        if self._layer is None:
            self._layer = self._paint_layer()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._layer)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        draw_rings(
            painter,
            self.scatter,
            self.frame,
            self._rings | {self.hovered_index: self._rings.get(self.hovered_index, "")},
        )
        draw_extra_point(painter, self.scatter, self.frame)
        if self.lasso:
            ground = QColor(palette.current().accent)
            painter.setPen(QPen(ground, 1.5))
            ground.setAlpha(40)
            painter.setBrush(ground)
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in self.lasso]))
        if self.hovered_index >= 0:
            place = self.frame.to_view(self.scatter.points[[self.hovered_index]])[0].tolist()
            draw_preview(painter, self.preview(self.hovered_index), (place[0], place[1]), self.frame.size)
        if self.hasFocus() and self.by_keys:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.current().focus), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Whoever looked at all of it still does, and whoever looked at a part, at the middle of that part."""
        super().resizeEvent(event)
        extent, size = self.scatter.extent(), (self.width(), self.height())
        was_whole = self.frame == fit_all(extent, self.frame.size)
        self.frame = fit_all(extent, size) if was_whole else replace(self.frame, size=size)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self.refresh()

    def _paint_layer(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        layer = QPixmap(self.size() * ratio)
        layer.setDevicePixelRatio(ratio)
        layer.fill(QColor(palette.current().field))
        painter = QPainter(layer)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(self.font())
        if len(self.scatter.points):
            draw_field(painter, self.scatter, self.frame)
            draw_points(painter, self.scatter, self.frame, self.shown(), self.selected)
            draw_bar(painter, self.scatter, self.frame)
        else:
            painter.setPen(QColor(palette.current().quiet))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(40, 20, -40, -20), int(flags), self._empty)
        painter.end()
        return layer
