"""The part of a widget's picture that takes longer than a frame to draw."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from gui.widgets.timer import make_timer


class RenderCache(QObject):
    """Keeps the picture, of the widget's size, until it is dropped; a new one is drawn at once or little by little.

    `draw` draws some of it at each step.
    """

    def __init__(self, widget: QWidget, draw: Callable[[QPixmap], Iterator[object]]) -> None:
        super().__init__(widget)
        self._widget, self._draw = widget, draw
        self._picture: QPixmap | None = None
        self._drawing: Iterator[QPixmap | None] = iter(())
        self._next = make_timer(self, 0)
        self._next.timeout.connect(self._draw_on)

    def picture(self) -> QPixmap | None:
        """The picture, drawn at once where there is none; None while the first is drawn little by little."""
        if self._picture is None and not self._next.isActive():
            *_, self._picture = self._paint_progressively()
        return self._picture

    def invalidate(self) -> None:
        """Let it be drawn anew, at once when it is needed."""
        self._next.stop()
        self._picture = None
        self._widget.update()

    def redraw_progressively(self) -> None:
        """Draw it anew little by little; until then the one before is kept."""
        self._drawing = self._paint_progressively()
        self._next.start()

    def fit(self) -> None:
        """Take the widget's new size: at once, unless drawing has been put off."""
        if self._next.isActive():
            self._picture = None
            self.redraw_progressively()
        else:
            self.invalidate()

    def _paint_progressively(self) -> Iterator[QPixmap | None]:
        ratio = self._widget.devicePixelRatioF()
        picture = QPixmap(self._widget.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        for _ in self._draw(picture):
            yield None
        yield picture

    def _draw_on(self) -> None:
        picture = next(self._drawing)
        if picture is None:
            self._next.start()
        else:
            self._picture = picture
            self._widget.update()
