"""Color bar: maps colors to numbers."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.formatting import format_number
from gui.pixmaps import Colormap, bar_image

BAR_PX, TEXT_GAP = 8, 12


class ColorBar(QWidget):
    """Horizontal bar with its lowest, middle and highest value below it, as many of the `texts` as fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale, self._low, self._high = Colormap.SIGNED, -1.0, 1.0
        self.texts = "", "", ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_range(self, scale: Colormap, low: float, high: float) -> None:
        self._scale, self._low, self._high = scale, low, high
        left, middle, right = (format_number(value, 2) for value in (low, (low + high) / 2, high))
        self.texts = left, middle, f"+{right}" if scale is Colormap.SIGNED else right
        self.setAccessibleName(f"color bar from {left} to {self.texts[-1]}")
        self.update()

    @property
    def ends(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        return self._low, self._high

    def sizeHint(self) -> QSize:
        return QSize(110, BAR_PX + 4 + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawImage(QRect(0, 0, self.width(), BAR_PX), bar_image(self._scale, self.width()))
        painter.setPen(QColor(palette.current().quiet))
        room = self.rect().adjusted(0, BAR_PX + 2, 0, 0)
        for side, text in self.shown_texts():
            painter.drawText(room, side | Qt.AlignmentFlag.AlignTop, text)

    def shown_texts(self) -> list[tuple[Qt.AlignmentFlag, str]]:
        """Return the texts that fit, with their alignment: all three, the two ends, or both ends in one text."""
        low, middle, high = self.texts
        side = Qt.AlignmentFlag
        both = f"\u00b1{format_number(self._high, 2)}" if self._low == -self._high else f"{low} to {high}"
        wide_low, wide_middle, wide_high = map(self.fontMetrics().horizontalAdvance, (low, middle, high))
        if 2 * max(wide_low, wide_high) + wide_middle + 2 * TEXT_GAP <= self.width():
            return [(side.AlignLeft, low), (side.AlignHCenter, middle), (side.AlignRight, high)]
        if wide_low + wide_high + TEXT_GAP <= self.width():
            return [(side.AlignLeft, low), (side.AlignRight, high)]
        return [(side.AlignHCenter, both)]
