"""Histogram of the values of a volume, with the window marked."""

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.formatting import format_number
from gui.pixmaps import Array

BINS: Final = 128
HEIGHT_PX, TEXT_PX = 96, 18


def count_values(sample: Array) -> tuple[Array, float, float]:
    """Return how many values fall into each bin, and the ends of the first and the last bin."""
    if not sample.size:
        return np.zeros(BINS), 0.0, 1.0
    low, high = float(sample.min()), float(sample.max())
    high = high if high > low else low + 1
    return np.histogram(sample, BINS, (low, high))[0], low, high


class Histogram(QWidget):
    """Counts on a logarithmic scale; a band and two lines show what lies between black and white."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts, self.low, self.high = count_values(np.zeros(0))
        self._window = (0.0, 1.0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("histogram of the values")

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT_PX)

    def set_values(self, sample: Array) -> None:
        """Show the values of another volume."""
        self._counts, self.low, self.high = count_values(sample)
        self.update()

    def set_window(self, low: float, high: float) -> None:
        """Mark the values that are black and white."""
        self._window = low, high
        self.setAccessibleDescription(f"window from {format_number(low)} to {format_number(high)}")
        self.update()

    def x_of(self, value: float) -> float:
        """Return where a value lies across the widget, also beyond its ends."""
        return (value - self.low) / (self.high - self.low) * self.width()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter = palette.current(), QPainter(self)
        floor = self.height() - TEXT_PX
        field = QRectF(0, 0, self.width(), floor)
        painter.fillRect(field, QColor(colors.field))
        left, right = (min(max(self.x_of(value), 0.0), float(self.width())) for value in self._window)
        painter.fillRect(QRectF(left, 0, right - left, floor), QColor(colors.selection))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors.quiet))
        painter.drawPolygon(self._outline(floor))
        painter.setPen(QPen(QColor(colors.accent), 1.5))
        for value in self._window:
            if self.low <= value <= self.high:
                painter.drawLine(QPointF(self.x_of(value), 0), QPointF(self.x_of(value), floor))
        painter.setPen(QColor(colors.quiet))
        line = QRectF(0, floor, self.width(), TEXT_PX)
        for value, side in ((self.low, Qt.AlignmentFlag.AlignLeft), (self.high, Qt.AlignmentFlag.AlignRight)):
            painter.drawText(line, side | Qt.AlignmentFlag.AlignBottom, format_number(value))

    def _outline(self, floor: float) -> QPolygonF:
        heights = np.log1p(self._counts)
        heights = heights / max(float(heights.max()), 1e-9) * (floor - 4)
        step, points = self.width() / BINS, [QPointF(0, floor)]
        for at, height in enumerate(heights.tolist()):
            points += [QPointF(at * step, floor - height), QPointF((at + 1) * step, floor - height)]
        return QPolygonF([*points, QPointF(self.width(), floor)])
