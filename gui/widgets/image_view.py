"""View of one image that follows a ViewState, and a box over it."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QSizePolicy, QStyle, QWidget

from gui import palette
from gui.pixmaps import Array, Colormap, gray_image, heat_image, signed_image
from gui.widgets.image_gestures import ImageGestures
from gui.widgets.view_state import Size, View, ViewState, ViewTransform, compute_fit, visible_pixels

UNKNOWN = "orientation unknown"
# Sides in px from which there is room for the letters, and for words.
ROOM_FOR_LETTERS, ROOM_FOR_WORDS, HALO = 56, 150, 3
SIDES = (
    Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
    Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
    Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter,
    Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignHCenter,
)
CENTERED = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
Box = tuple[int, int, int, int]


class ImageView(QWidget):
    """One (h, w) array, shown as its ViewState says, pixel for pixel, never flipped."""

    hovered = Signal(int, int)
    hover_ended = Signal()
    maximized = Signal()
    clicked = Signal(int, int)

    def __init__(self, state: ViewState | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values: Array | None = None
        self.scale = Colormap.GRAY
        self.data_span = 1.0
        self.orientation: str | None = None
        self._empty_text = ""
        self._drawn: tuple[tuple[object, ...], QImage] | None = None
        self._overlays: list[Callable[[QPainter], None]] = []
        self.state = state or ViewState(parent=self)
        self.state.changed.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(32, 32)
        self.setToolTipDuration(8000)
        self.setAccessibleName("image")
        self.gestures = ImageGestures(self)

    def set_image(self, values: Array | None, scale: Colormap = Colormap.GRAY) -> None:
        """Show an (h, w) array with one of the color maps, or nothing for None."""
        self.values = None if values is None else np.asarray(values).reshape(values.shape[:2])
        self.scale = scale
        self._drawn = None
        if values is not None and values.size:
            span = float(np.nanmax(values)) - float(np.nanmin(values))
            self.data_span = span if np.isfinite(span) and span > 0 else 1.0
        self.update()

    def set_state(self, state: ViewState) -> None:
        """Follow another state; views that share one are linked."""
        self.state.changed.disconnect(self.update)
        self.state = state
        state.changed.connect(self.update)
        self.update()

    def set_orientation(self, letters: str | None) -> None:
        """Set the letters at the left, right, top and bottom ("RLAP").

        None says that the orientation is unknown, "" shows nothing.
        """
        self.orientation = letters
        self.update()

    def set_empty_text(self, text: str) -> None:
        """Set the text that stands here while there is no image."""
        self._empty_text = text
        self.update()

    def add_overlay(self, paint: Callable[[QPainter], None]) -> None:
        """Register a function that draws over the image, in the view's pixels."""
        self._overlays.append(paint)

    def placement(self) -> ViewTransform:
        return compute_fit(self.state.view, self.picture_size(), (self.width(), self.height()))

    def picture_size(self) -> Size:
        return (1.0, 1.0) if self.values is None else (float(self.values.shape[1]), float(self.values.shape[0]))

    def sizeHint(self) -> QSize:
        return QSize(160, 160)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Take the keyboard focus from another image or from nothing, never from a field that the user types in."""
        holder = QApplication.focusWidget()
        if holder is None or (isinstance(holder, ImageView) and holder is not self):
            self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().enterEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette.PICTURE_BACK))
        if self.values is None:
            painter.setPen(QColor(palette.PICTURE_TEXT))
            painter.drawText(self.rect().adjusted(8, 8, -8, -8), CENTERED, self._empty_text)
        else:
            self.paint_picture(painter)
            for paint in self._overlays:
                painter.save()
                paint(painter)
                painter.restore()
            self.paint_crosshair(painter)
            self.paint_orientation(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(palette.PICTURE_CHOSEN), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def paint_picture(self, painter: QPainter) -> None:
        """Draw the array: nearest neighbor past 100%, smooth below."""
        if self.values is not None:
            draw(painter, self.colored(self.values), self.placement(), (self.width(), self.height()))

    def colored(self, values: Array) -> QImage:
        view = self.state.view
        key = (view.window, view.level, view.invert, view.limit)
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, colorize(values, self.scale, view))
        return self._drawn[1]

    def paint_crosshair(self, painter: QPainter) -> None:
        at = self.state.view.crosshair
        if at is None:
            return
        width, height = self.picture_size()
        x, y = self.placement().to_view((at[0] * width, at[1] * height))
        painter.setPen(QPen(QColor(palette.PICTURE_MARK), 1))
        gap = 6
        painter.drawLine(QPointF(x, 0), QPointF(x, y - gap))
        painter.drawLine(QPointF(x, y + gap), QPointF(x, self.height()))
        painter.drawLine(QPointF(0, y), QPointF(x - gap, y))
        painter.drawLine(QPointF(x + gap, y), QPointF(self.width(), y))

    def paint_orientation(self, painter: QPainter) -> None:
        """Draw the letters of the sides, each with a dark halo, so that they stand out on bright bone too."""
        side = min(self.width(), self.height())
        if side < ROOM_FOR_LETTERS or self.orientation == "":
            return
        room = self.rect().adjusted(6, 5, -6, -5)
        if self.orientation is None:
            text = UNKNOWN if side >= ROOM_FOR_WORDS else "?"
            draw_outlined(painter, room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)
        else:
            for place, letter in zip(SIDES, self.orientation, strict=True):
                draw_outlined(painter, room, place, letter)


def draw_outlined(painter: QPainter, room: QRect, place: Qt.AlignmentFlag, text: str) -> None:
    """Draw a text at a side of a rectangle, light with a dark outline."""
    metrics = painter.fontMetrics()
    box = QRect(0, 0, metrics.horizontalAdvance(text), metrics.height())
    at = QStyle.alignedRect(Qt.LayoutDirection.LeftToRight, place, box.size(), room)
    path = QPainterPath()
    path.addText(QPointF(at.left(), at.top() + metrics.ascent()), painter.font(), text)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.strokePath(path, QPen(QColor(palette.PICTURE_BACK), HALO))
    painter.fillPath(path, QColor(palette.PICTURE_TEXT))
    painter.restore()


def colorize(values: Array, scale: Colormap, view: View) -> QImage:
    """Return the array as an image in its color map, with the window and level of the view."""
    if scale is Colormap.SIGNED:
        return signed_image(values, view.limit)
    if scale is Colormap.HEAT:
        return heat_image(values, view.level - view.window / 2, view.level + view.window / 2)
    return gray_image(values, view.window, view.level, view.invert)


def draw(painter: QPainter, image: QImage, placement: ViewTransform, size: Size) -> None:
    """Draw the visible part of an image: nearest neighbor past 100% of the screen's pixels, smooth below."""
    ratio = painter.device().devicePixelRatio()
    screen_scale = placement.scale * ratio
    if screen_scale < 1:
        small = image.scaled(
            max(round(image.width() * screen_scale), 1),
            max(round(image.height() * screen_scale), 1),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        small.setDevicePixelRatio(ratio)
        painter.drawImage(QPointF(placement.left, placement.top), small)
        return
    x, y, columns, rows = visible_pixels(placement, (image.width(), image.height()), size)
    left, top = placement.to_view((x, y))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    target = QRectF(left, top, columns * placement.scale, rows * placement.scale)
    painter.drawImage(target, image, QRectF(x, y, columns, rows))


class BoxOverlay(QObject):
    """Box over a view, in pixels of the image; a part of it may lie outside the image."""

    def __init__(self, view: ImageView) -> None:
        super().__init__(view)
        self._view = view
        self.box: Box | None = None
        view.add_overlay(self.paint)

    def set_box(self, box: Box | None) -> None:
        """Show (x, y, width, height), or nothing for None."""
        if box != self.box:
            self.box = box
            self._view.update()

    def paint(self, painter: QPainter) -> None:
        if self.box is None:
            return
        x, y, width, height = self.box
        placement = self._view.placement()
        left, top = placement.to_view((x, y))
        rect = QRectF(left, top, width * placement.scale, height * placement.scale)
        for color, wide in ((palette.PICTURE_BACK, 3.5), (palette.PICTURE_CHOSEN, 1.5)):
            painter.setPen(QPen(QColor(color), wide))
            painter.drawRect(rect)
