"""Mouse and keyboard gestures over an image that change its ViewState."""

from collections.abc import Callable
from typing import Any, Protocol, cast

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.pixmaps import Array, Colormap, robust_limit, robust_range
from gui.widgets.view_state import Point, Size, ViewState, ViewTransform, pan_by, zoom_at

FULL_RANGE_PX = 250.0
WHEEL_STEP = 1.2
ARROWS = {
    Qt.Key.Key_Left: (-12.0, 0.0),
    Qt.Key.Key_Right: (12.0, 0.0),
    Qt.Key.Key_Up: (0.0, -12.0),
    Qt.Key.Key_Down: (0.0, 12.0),
}


class GestureTarget(Protocol):
    """What the gestures need to know of the view that they act on."""

    state: ViewState
    values: Array | None
    scale: Colormap
    data_span: float
    hovered: Any
    hover_ended: Any
    maximized: Any
    clicked: Any

    def placement(self) -> ViewTransform: ...
    def picture_size(self) -> Size: ...
    def width(self) -> int: ...
    def height(self) -> int: ...


class ImageGestures(QObject):
    """Gesture handler of one image view.

    The wheel zooms at the cursor, a middle-drag pans, W + left-drag sets window and level, Shift + move points.
    Keys: R, A, I, +, -, Enter.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._picture = cast(GestureTarget, widget)
        self._lighting = False
        self._last: QPointF | None = None
        self._pressed: tuple[int, int] | None = None
        self._hover: tuple[int, int] | None = None
        self._answers: dict[QEvent.Type, Callable[[Any], bool]] = {
            QEvent.Type.Wheel: self._on_wheel,
            QEvent.Type.MouseButtonPress: self._on_press,
            QEvent.Type.MouseMove: self._on_move,
            QEvent.Type.MouseButtonRelease: self._on_release,
            QEvent.Type.MouseButtonDblClick: self._on_double_click,
            QEvent.Type.KeyPress: self._on_key,
            QEvent.Type.KeyRelease: self._on_key_up,
            QEvent.Type.FocusOut: self._on_gone,
            QEvent.Type.Leave: self._on_gone,
        }
        widget.setMouseTracking(True)
        widget.installEventFilter(self)

    @property
    def is_adjusting(self) -> bool:
        """Return whether a drag changes window and level, because W is held."""
        return self._lighting

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        answer = self._answers.get(event.type())
        return answer is not None and self._picture.values is not None and answer(event)

    def _on_wheel(self, event: QWheelEvent) -> bool:
        zoom(self._picture, WHEEL_STEP ** (event.angleDelta().y() / 120), event.position().toTuple())
        return True

    def _on_press(self, event: QMouseEvent) -> bool:
        self._last = event.position()
        plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers() and not self._lighting
        self._pressed = self._pixel(event.position().toTuple()) if plain else None
        return event.button() == Qt.MouseButton.MiddleButton or self._lighting

    def _on_release(self, event: QMouseEvent) -> bool:
        pressed, self._pressed, self._last = self._pressed, None, None
        if pressed is not None and pressed == self._pixel(event.position().toTuple()):
            self._picture.clicked.emit(*pressed)
        return False

    def _on_double_click(self, event: QMouseEvent) -> bool:
        if event.button() == Qt.MouseButton.LeftButton:
            self._picture.maximized.emit()
        return True

    def _on_move(self, event: QMouseEvent) -> bool:
        at = event.position()
        if self._last is not None:
            step = (at.x() - self._last.x(), at.y() - self._last.y())
            self._last = at
            if event.buttons() & Qt.MouseButton.MiddleButton:
                pan(self._picture, step)
            elif event.buttons() & Qt.MouseButton.LeftButton and self._lighting:
                adjust_window(self._picture, step)
        self._emit_hover(at.toTuple(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        return self._lighting

    def _on_key(self, event: QKeyEvent) -> bool:
        key, shift = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            return False
        if key in ARROWS and self._lighting:
            adjust_window(self._picture, ARROWS[key])
        elif key in ARROWS and shift:
            pan(self._picture, (-ARROWS[key][0], -ARROWS[key][1]))
        elif key == Qt.Key.Key_Escape and self._picture.state.view.crosshair is None:
            return False
        elif key in KEYS:
            KEYS[key](self._picture)
        elif key == Qt.Key.Key_W:
            self._lighting = True
            self._widget.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            return False
        return True

    def _on_key_up(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_W and not event.isAutoRepeat():
            self._lighting = False
            self._widget.unsetCursor()
        return False

    def _on_gone(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self._lighting = False
            self._widget.unsetCursor()
        elif self._hover is not None:
            self._hover = None
            self._picture.hover_ended.emit()
        return False

    def _emit_hover(self, at: Point, crosshair: bool) -> None:
        """Emit the pixel under the cursor; with Shift, move the crosshair of all linked images there."""
        pixel = self._pixel(at)
        if pixel != self._hover:
            self._hover = pixel
            self._picture.hovered.emit(*pixel) if pixel else self._picture.hover_ended.emit()
        if crosshair and pixel:
            x, y = self._picture.placement().to_picture(at)
            width, height = self._picture.picture_size()
            self._picture.state.update(crosshair=(x / width, y / height))

    def _pixel(self, at: Point) -> tuple[int, int] | None:
        """Return the pixel at a point of the view, or None beside the image."""
        x, y = self._picture.placement().to_picture(at)
        width, height = self._picture.picture_size()
        return (int(x), int(y)) if 0 <= x < width and 0 <= y < height else None


def zoom(picture: GestureTarget, factor: float, cursor: Point | None = None) -> None:
    """Zoom at the cursor, or at the view's center."""
    size = (picture.width(), picture.height())
    at = cursor or (size[0] / 2, size[1] / 2)
    nearer, centre = zoom_at(picture.state.view, picture.picture_size(), size, factor, at)
    picture.state.update(zoom=nearer, centre=centre)


def pan(picture: GestureTarget, step: Point) -> None:
    """Move the image by a step in the view's pixels."""
    size = (picture.width(), picture.height())
    picture.state.update(centre=pan_by(picture.state.view, picture.picture_size(), size, step))


def adjust_window(picture: GestureTarget, step: Point) -> None:
    """Change window and level: right widens the window, down raises the level (darker).

    On difference images, right widens the scale.
    """
    view, unit = picture.state.view, picture.data_span / FULL_RANGE_PX
    if picture.scale is Colormap.SIGNED:
        picture.state.update(limit=view.limit + step[0] * unit / 2)
    else:
        picture.state.update(window=view.window + step[0] * unit, level=view.level + step[1] * unit)


def auto(picture: GestureTarget) -> None:
    """Set window and level to span the 0.1 to 99.9% quantiles of this image."""
    if picture.values is None:
        return
    if picture.scale is Colormap.SIGNED:
        picture.state.update(limit=robust_limit(picture.values))
    else:
        low, high = robust_range(picture.values)
        picture.state.update(window=high - low, level=(low + high) / 2)


KEYS: dict[Qt.Key, Callable[[GestureTarget], None]] = {
    Qt.Key.Key_R: lambda picture: picture.state.reset(),
    Qt.Key.Key_A: auto,
    Qt.Key.Key_I: lambda picture: picture.state.update(invert=not picture.state.view.invert),
    Qt.Key.Key_Plus: lambda picture: zoom(picture, WHEEL_STEP),
    Qt.Key.Key_Equal: lambda picture: zoom(picture, WHEEL_STEP),
    Qt.Key.Key_Minus: lambda picture: zoom(picture, 1 / WHEEL_STEP),
    Qt.Key.Key_Escape: lambda picture: picture.state.update(crosshair=None),
    Qt.Key.Key_Return: lambda picture: picture.maximized.emit(),
    Qt.Key.Key_Enter: lambda picture: picture.maximized.emit(),
}
