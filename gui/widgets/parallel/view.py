"""View of parallel coordinates, a line for each trial over an axis for each setting, and its export to files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QMarginsF, QObject, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QImageWriter,
    QPageLayout,
    QPageSize,
    QPainter,
    QPaintEvent,
    QPdfWriter,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import palette
from gui.widgets.parallel.model import Lines, ParallelAxis, ParallelModel
from gui.widgets.parallel.paint import (
    AxesGeometry,
    draw_axes,
    draw_bar,
    draw_light,
    draw_lines,
    frame_of,
    paint_progressively,
)
from gui.widgets.timers import make_timer

# Number of lines above which new ones are drawn progressively.
MANY = 200
RATIO, LINE_PX, MARGIN_PX = 2, 26, 12
# A pixel of the screen is a dot of the page.
DOTS = 96


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


class ParallelView(QWidget):
    """View of a ParallelModel; all changes to the model pass through `change`.

    Signals: `brushed` when other lines pass the brushes, `hovered` with the line under the cursor (empty for none),
    `chosen` with the clicked line, `arranged` when an axis was moved, flipped or made logarithmic.
    """

    brushed = Signal()
    hovered = Signal(str)
    chosen = Signal(str)
    arranged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ParallelModel()
        self.layer = RenderCache(
            self, lambda picture: paint_progressively(picture, self.model, self.frame(), self.font())
        )
        self._lit = self._picked = ""
        self._focus = 0
        self._moved: tuple[str, float] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("parallel coordinates")

    def show_lines(self, axes: Sequence[ParallelAxis], lines: Lines) -> None:
        """Show these lines; brushes and axis order stay.

        Many lines take longer than a frame. They are drawn progressively, and the old image stays meanwhile.
        """
        before = self.model.selected() if len(self.model.lines.keys) == len(lines.keys) else None
        self.model.show(axes, lines)
        self._focus = min(self._focus, max(len(axes) - 1, 0))
        self.setAccessibleDescription(describe(self.model))
        if len(lines.keys) > MANY and self.isVisible():
            self.layer.redraw_progressively()
        else:
            self.refresh()
        if before is None or not np.array_equal(before, self.model.selected()):
            self.brushed.emit()

    def clear(self) -> None:
        """Clear lines and axes: the next ones belong to something else."""
        self.model = ParallelModel()
        self._lit = self._picked = ""
        self.refresh()
        self.brushed.emit()

    def selection(self) -> list[str] | None:
        """Return the keys of the lines that pass the brushes, or None if there is no brush."""
        if not self.model.brushes:
            return None
        return [self.model.lines.keys[at] for at in np.flatnonzero(self.model.selected())]

    def highlight(self, key: str) -> None:
        """Draw one line above the others, because the cursor points at it in another widget."""
        if key != self._lit:
            self._lit = key
            self.update()

    def select(self, key: str) -> None:
        """Mark the line of the current trial."""
        if key != self._picked:
            self._picked = key
            self.update()

    def clear_brushes(self) -> None:
        """Remove all brushes."""
        self.change(self.model.brushes.clear)

    def change(self, do: Callable[[], object]) -> None:
        """Change the model, draw it, and emit what changed."""
        model = self.model
        before = dict(model.brushes), list(model.order), set(model.flipped), set(model.log)
        do()
        self.refresh()
        if before[0] != model.brushes:
            self.setAccessibleDescription(describe(model))
            self.brushed.emit()
        if before[1:] != (model.order, model.flipped, model.log):
            self.arranged.emit()

    def refresh(self) -> None:
        """Redraw everything at once."""
        self.layer.invalidate()

    def frame(self) -> AxesGeometry:
        """Return the current geometry of the axes."""
        return frame_of(self.model, (self.width(), self.height()), self._moved)

    def drag_axis(self, moved: tuple[str, float] | None) -> None:
        """Draw an axis at the position to which it is dragged."""
        self._moved = moved
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(620, 300)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the cached image of the lines, then the highlighted lines: hovering redraws only those."""
        frame = self.frame()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette.current().field))
        picture = self.layer.picture()
        if picture is not None:
            painter.drawPixmap(0, 0, picture)
        for key, strong in ((self._picked, True), (self._lit, False)):
            if key in self.model.lines.keys and len(frame.keys) > 1:
                draw_light(painter, self.model, frame, self.model.lines.keys.index(key), strong)
        has_focus = self.hasFocus() and bool(frame.keys)
        painter.setFont(self.font())
        draw_axes(painter, self.model, frame, frame.keys[self._focus] if has_focus else "")
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(palette.current().focus), 2))
            painter.drawRect(QRect(self.rect()).adjusted(1, 1, -1, -1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layer.fit()

    def changeEvent(self, event: QEvent) -> None:
        """Apply the colors of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self.refresh()


def describe(model: ParallelModel) -> str:
    """Return the description of the lines for screen readers."""
    brushed = ", ".join(model.axes[key].title for key in model.brushes) or "none"
    return f"{int(model.selected().sum())} of {len(model.lines.keys)} lines shown; filtered axes: {brushed}"


def write_png(view: ParallelView, path: Path, heading: str, footer: str) -> None:
    """Write the lines with their current brushes and axis order. Raises OSError."""
    image = QImage(view.width() * RATIO, (view.height() + 2 * LINE_PX) * RATIO, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    painter = QPainter(image)
    _draw(painter, view, heading, footer)
    painter.end()
    writer = QImageWriter(str(path), b"PNG")
    if not writer.write(image):
        raise OSError(writer.errorString())


def write_pdf(view: ParallelView, path: Path, heading: str, footer: str) -> None:
    """Write the same as one page of vector lines and text. Raises OSError."""
    # Qt gives no reason for a path that it cannot write; this raises the OSError.
    path.write_bytes(b"")
    page = QPdfWriter(str(path))
    page.setResolution(DOTS)
    page.setTitle(heading)
    size = QSizeF(view.width() * 72 / DOTS, (view.height() + 2 * LINE_PX) * 72 / DOTS)
    page.setPageSize(QPageSize(size, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    page.setPageOrientation(QPageLayout.Orientation.Portrait)
    page.setPageMargins(QMarginsF(0, 0, 0, 0))
    painter = QPainter(page)
    if not painter.isActive():
        raise OSError(f"no page could be started in {path.name}")
    _draw(painter, view, heading, footer)
    painter.end()


def _draw(painter: QPainter, view: ParallelView, heading: str, footer: str) -> None:
    wide, high, colors = view.width(), view.height(), palette.current()
    painter.fillRect(QRectF(0, 0, wide, high + 2 * LINE_PX), QColor(colors.field))
    painter.setFont(view.font())
    at_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    for text, top, color in ((heading, 0, colors.text), (footer, high + LINE_PX, colors.quiet)):
        painter.setPen(QColor(color))
        painter.drawText(QRectF(MARGIN_PX, top, wide - 2 * MARGIN_PX, LINE_PX), at_left, text)
    painter.translate(0, LINE_PX)
    frame = frame_of(view.model, (wide, high))
    draw_lines(painter, view.model, frame)
    draw_bar(painter, view.model, frame)
    painter.setFont(view.font())
    draw_axes(painter, view.model, frame)
