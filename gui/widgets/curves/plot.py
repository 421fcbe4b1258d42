"""Curves over a common x: the plot behind every chart of the app."""

from collections.abc import Collection

from numpy.typing import ArrayLike
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gui.widgets.curves.canvas import CurveCanvas
from gui.widgets.curves.item import CurveItem
from gui.widgets.curves.readout import CurveReadout, format_colored_line
from gui.widgets.curves.series import Series, SeriesStyle
from gui.widgets.labels import format_number, label


class CurvePlot(QFrame):
    """Curves that grow while the user watches; hovering lists all of them by their value at that x."""

    def __init__(self, y_label: str = "", x_label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items: dict[str, CurveItem] = {}
        self.x_label, self.y_label = x_label, y_label
        self.canvas = CurveCanvas(x_label, self)
        self._smoothing = 0.0
        self._pointed: float | None = None
        self._legend = label(role="caption", wrap=True)
        self._empty = label(role="quiet", wrap=True)
        self._readout = CurveReadout(self.canvas)
        self._lay_out()
        self.setProperty("kind", "field")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(y_label)
        self.canvas.pointed.connect(self.point_at)
        self.canvas.pointer_left.connect(lambda: self.point_at(None))

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(2)
        column.addWidget(label(self.y_label, role="caption", wrap=True))
        column.addWidget(self.canvas, 1)
        column.addWidget(self._legend)
        self.canvas.setMinimumHeight(140)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.canvas).addWidget(self._empty)

    def set_series(self, key: str, x: ArrayLike, y: ArrayLike, style: SeriesStyle | None = None) -> None:
        """Draw or extend a curve; a curve that only grew costs only its new points."""
        item = self.items.get(key)
        if item is None:
            series = Series(style or SeriesStyle(key, key), self._smoothing)
            item = self.items[key] = CurveItem(series, self.canvas.box)
        item.series.style = style or item.series.style
        item.series.set_data(x, y)
        self._refresh([item])

    def keep_series(self, keys: Collection[str]) -> None:
        """Remove all curves except these."""
        for key in set(self.items) - set(keys):
            self.items.pop(key).remove()
        self._refresh([])

    def mark_best(self, key: str, x: float | None) -> None:
        """Put a star on the curve's point at x, or remove it if `x` is None."""
        self.items[key].series.best = x
        self._refresh([self.items[key]])

    def set_reference(self, name: str, y: float | None, text: str = "") -> None:
        """Draw a dotted level with its label, or remove it if `y` is None."""
        self.canvas.set_reference(name, y, text)
        self._refresh([])

    def set_smoothing(self, weight: float) -> None:
        """Smooth all curves with a weight from 0 (none) to 0.99."""
        self._smoothing = weight
        for item in self.items.values():
            item.series.set_smoothing(weight)
        self._refresh(self.items.values())

    def set_log(self, log_x: bool, log_y: bool) -> None:
        """Choose logarithmic axes; these omit values that are not positive."""
        self.canvas.set_log(log_x, log_y)
        self._refresh(self.items.values())
        self.canvas.show_all()

    def set_empty_text(self, text: str) -> None:
        """Set the text that stands here while there is no curve."""
        self._empty.setText(text)

    def readout(self, x: float) -> list[tuple[SeriesStyle, float]]:
        """Return every curve that has a point at x with its raw value there, highest first."""
        found = []
        for item in self.items.values():
            at = item.series.nearest(x)
            if at is not None:
                found.append((item.series.style, float(item.series.y[at])))
        return sorted(found, key=lambda pair: -pair[1] if pair[1] == pair[1] else float("inf"))

    def point_at(self, x: float | None) -> None:
        """Point at the x of the nearest point of any curve and list the values there; None stops pointing."""
        self._pointed = None if x is None else nearest_x(self.items.values(), x)
        self.canvas.point_at(self._pointed)
        if self._pointed is None:
            self._readout.hide()
        else:
            title = f"{self.x_label} {format_number(self._pointed)}".strip()
            self._readout.show_at(self.canvas.x_on_widget(self._pointed), title, self.readout(self._pointed))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step from one x to the next with the left and right keys; R shows everything."""
        xs = sorted({float(x) for item in self.items.values() for x in item.series.x})
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_R:
            self.canvas.show_all()
        elif event.key() == Qt.Key.Key_Escape and self._pointed is not None:
            self.point_at(None)
        elif step is not None and xs:
            at = xs.index(self._pointed) + step if self._pointed in xs else len(xs) - 1
            self.point_at(xs[min(max(at, 0), len(xs) - 1)])
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Apply the colors of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.canvas.recolor()
            self._refresh(self.items.values())

    def _refresh(self, items: Collection[CurveItem]) -> None:
        for item in items:
            item.draw(self.canvas.log_x, self.canvas.log_y, self._smoothing > 0)
        series = [item.series for item in self.items.values()]
        bounds = [one.bounds(self.canvas.log_x, self.canvas.log_y) for one in series]
        self.canvas.fit([bound for bound in bounds if bound is not None])
        self._legend.setText("&nbsp;&nbsp; ".join(format_colored_line(one.style) for one in series))
        self._empty.setVisible(not series)
        self.canvas.show_axes(bool(series))
        self.point_at(self._pointed)


def nearest_x(items: Collection[CurveItem], x: float) -> float | None:
    """Return the x nearest to `x` at which any curve has a point, or None."""
    near = [(item.series, item.series.nearest(x)) for item in items]
    places = [float(series.x[at]) for series, at in near if at is not None]
    return min(places, key=lambda place: abs(place - x), default=None)
