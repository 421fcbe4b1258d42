"""Bars of effects: the length is the size, a whisker the uncertainty, a text the direction."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui import palette

ROW_PX, BAR_PX, NAME_SHARE, SMALL_PX = 37, 9, 0.36, 11


@dataclass(frozen=True)
class EffectBar:
    """One bar.

    Args:
        name: text at its left.
        size: its length; low and high are the ends of its interval, all three in one unit and not below zero.
        value_text: text below it.
        color: key of its color in the palette, such as 'role:accent'.
        tip: longer text, shown on hover.
    """

    name: str
    size: float
    low: float
    high: float
    value_text: str
    color: str = "role:accent"
    tip: str = ""


class EffectBars(QWidget):
    """One row for each effect, all on one scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._effects: Sequence[EffectBar] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("importance")

    def show_effects(self, effects: Sequence[EffectBar]) -> None:
        self._effects = list(effects)
        self.setAccessibleDescription("; ".join(f"{effect.name}: {effect.value_text}" for effect in effects))
        self.updateGeometry()
        self.update()

    def effects(self) -> Sequence[EffectBar]:
        return self._effects

    def sizeHint(self) -> QSize:
        return QSize(240, ROW_PX * len(self._effects))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self.width() * NAME_SHARE
        longest = max((max(effect.size, min(effect.high, 2 * effect.size)) for effect in self._effects), default=0.0)
        scale = (self.width() - left - 4) / longest if longest > 0 else 0.0
        for row, effect in enumerate(self._effects):
            self._draw(painter, effect, QRectF(left, row * ROW_PX, self.width() - left, ROW_PX), scale)

    def _draw(self, painter: QPainter, effect: EffectBar, room: QRectF, scale: float) -> None:
        colors = palette.current()
        painter.setFont(self.font())
        painter.setPen(QColor(colors.text))
        name = QRectF(0, room.top() + 2, room.left() - 8, 18)
        elided = painter.fontMetrics().elidedText(effect.name, Qt.TextElideMode.ElideRight, int(name.width()))
        painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
        middle = room.top() + 11
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(palette.find_series_color(effect.color)))
        painter.drawRoundedRect(QRectF(room.left(), middle - BAR_PX / 2, max(effect.size * scale, 1), BAR_PX), 2, 2)
        low, high = (min(room.left() + end * scale, room.right() - 2) for end in (effect.low, effect.high))
        painter.setPen(QPen(QColor(colors.text), 1.2))
        painter.drawLine(QLineF(low, middle, high, middle))
        for end in (low, high):
            painter.drawLine(QLineF(end, middle - 4, end, middle + 4))
        font = QFont(self.font())
        font.setPixelSize(SMALL_PX)
        painter.setFont(font)
        painter.setPen(QColor(colors.quiet))
        said = QRectF(room.left(), room.top() + 18, room.width(), 16)
        painter.drawText(said, Qt.AlignmentFlag.AlignLeft, effect.value_text)

    def event(self, event: QEvent) -> bool:
        """Show the tip of the row under the cursor."""
        if isinstance(event, QHelpEvent):
            row = event.pos().y() // ROW_PX
            tip = self._effects[row].tip if 0 <= row < len(self._effects) else ""
            QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)
