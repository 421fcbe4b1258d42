"""Cached image of the part of a widget that takes longer than a frame to draw."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QWidget

from gui.widgets.timer import make_timer


class RenderCache(QObject):
    """Cache of an image of the widget's size, valid until it is invalidated.

    It redraws at once or progressively; `draw` yields after each step.
    """

    def __init__(self, widget: QWidget, draw: Callable[[QPixmap], Iterator[object]]) -> None:
        super().__init__(widget)
        self._widget, self._draw = widget, draw
        self._picture: QPixmap | None = None
        self._drawing: Iterator[QPixmap | None] = iter(())
        self._next = make_timer(self, 0)
        self._next.timeout.connect(self._draw_on)

    def picture(self) -> QPixmap | None:
        """Return the image, drawn at once if there is none; None while the first one is drawn progressively."""
        if self._picture is None and not self._next.isActive():
            *_, self._picture = self._paint_progressively()
        return self._picture

    def invalidate(self) -> None:
        """Drop the image; the next paint event redraws it at once."""
        self._next.stop()
        self._picture = None
        self._widget.update()

    def redraw_progressively(self) -> None:
        """Redraw the image step by step; the old image stays until the new one is complete."""
        self._drawing = self._paint_progressively()
        self._next.start()

    def fit(self) -> None:
        """Follow the widget's new size: at once, unless a progressive redraw is under way."""
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
