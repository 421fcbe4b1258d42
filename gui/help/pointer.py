"""Frame around the control that a lesson talks about."""

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QScrollArea, QWidget

from gui import palette

MARGIN, WIDTH = 6, 3


class Pointer(QWidget):
    """Frame over a window that marks one of its controls; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._target: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def point_at(self, target: QWidget | None) -> None:
        """Mark a control, scrolled into view; None marks nothing."""
        if self._target is not None:
            self._target.removeEventFilter(self)
            self._target.destroyed.disconnect(self._on_target_destroyed)
        self._target = target
        if target is None:
            self.hide()
            return
        target.installEventFilter(self)
        target.destroyed.connect(self._on_target_destroyed)
        for area in ancestors(target):
            area.ensureWidgetVisible(target)
        self.raise_()
        self._follow()

    def target(self) -> QWidget | None:
        """Return the marked control."""
        return self._target

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._follow()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(palette.current().accent), WIDTH))
        inset = WIDTH // 2 + 1
        painter.drawRoundedRect(self.rect().adjusted(inset, inset, -inset, -inset), 7, 7)

    def _follow(self) -> None:
        target, window = self._target, self._window
        if target is None or not target.isVisible():
            self.hide()
            return
        seen = QRect(target.mapTo(window, target.rect().topLeft()), target.size())
        self.setGeometry(seen.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN))
        self.show()

    def _on_target_destroyed(self) -> None:
        self._target = None
        self.hide()


def ancestors(widget: QWidget) -> list[QScrollArea]:
    """Return the scroll areas around a widget, the innermost first."""
    found, at = [], widget.parentWidget()
    while at is not None:
        found += [at] if isinstance(at, QScrollArea) else []
        at = at.parentWidget()
    return found


def find_control(panel: QWidget, name: str) -> QWidget | None:
    """Return the first visible control of a panel with an accessible name. Returns None if there is none."""
    named = (each for each in panel.findChildren(QWidget) if each.isVisible())
    return next((each for each in named if each.accessibleName().split(":")[0] == name), None)
