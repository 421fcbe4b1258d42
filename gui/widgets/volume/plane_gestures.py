"""Mouse and keyboard gestures over a plane, before those of every image view.

The wheel and Page Up / Page Down change the slice, Ctrl + wheel zooms, a drag moves the crosshair or draws with the
chosen tool. W + drag, zoom and pan stay with `ImageGestures`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent

from gui.widgets.volume.measure import Measurement
from gui.widgets.volume.model import crop
from gui.widgets.volume.plane_view import PlaneView, place_default

NOTCH = 120
STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
PAGES = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}


class PlaneGestures(QObject):
    """Gesture handler of one plane; `auto_wanted` asks for the automatic window, `activated` tells of its use."""

    auto_wanted = Signal()
    activated = Signal()

    def __init__(self, view: PlaneView) -> None:
        super().__init__(view)
        self._view, self._turned = view, 0
        self._start: Measurement | None = None
        self._pointing = False
        self._answers: dict[QEvent.Type, Callable[[Any], bool]] = {
            QEvent.Type.Wheel: self._on_wheel,
            QEvent.Type.MouseButtonPress: self._on_press,
            QEvent.Type.MouseMove: self._on_move,
            QEvent.Type.MouseButtonRelease: self._on_release,
            QEvent.Type.KeyPress: self._on_key,
            QEvent.Type.FocusIn: self._on_focus,
        }
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        answer = self._answers.get(event.type())
        return answer is not None and self._view.values is not None and answer(event)

    def _on_wheel(self, event: QWheelEvent) -> bool:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        self._turned -= event.angleDelta().y()
        steps = int(self._turned / NOTCH)
        self._turned -= steps * NOTCH
        if steps:
            self.activated.emit()
            self._view.cross.step(self._view.plane, steps)
        return True

    def _on_press(self, event: QMouseEvent) -> bool:
        view, tool = self._view, self._view.measures.tool
        if event.button() != Qt.MouseButton.LeftButton or view.gestures.is_adjusting:
            return False
        view.setFocus(Qt.FocusReason.MouseFocusReason)
        self.activated.emit()
        at = crop(view.to_pixels(event.position().toTuple()), view.size_in_pixels())
        if tool:
            self._start = Measurement(tool, view.plane, view.index, at, at)
        else:
            self._pointing = True
            self._point(event.position())
        return True

    def _on_move(self, event: QMouseEvent) -> bool:
        view = self._view
        if self._start is not None:
            end = crop(view.to_pixels(event.position().toTuple()), view.size_in_pixels())
            view.measures.show(replace(self._start, end=end))
            return True
        if self._pointing or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._point(event.position())
            return True
        return False

    def _on_release(self, event: QMouseEvent) -> bool:
        drawn = self._start is not None
        if drawn and (made := self._view.measures.measured) and not made.is_visible:
            self._view.measures.show(None)
        self._start, self._pointing = None, False
        return drawn

    def _on_focus(self, event: QFocusEvent) -> bool:
        # An image below the cursor takes the focus too.
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.activated.emit()
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        view, key, held = self._view, Qt.Key(event.key()), event.modifiers()
        measures = view.measures
        if held & Qt.KeyboardModifier.AltModifier and key in STEPS and measures.measured:
            only_end = bool(held & Qt.KeyboardModifier.ShiftModifier)
            measures.show(measures.measured.move(STEPS[key], view.size_in_pixels(), only_end))
            return True
        if held & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if key in PAGES:
            view.cross.step(view.plane, PAGES[key])
        elif key in STEPS and not view.gestures.is_adjusting:
            self._step(STEPS[key])
        elif key == Qt.Key.Key_A:
            self.auto_wanted.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and measures.tool:
            measures.show(place_default(view, measures.tool))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            measures.show(None)
        elif key == Qt.Key.Key_Escape and measures.tool:
            measures.set_tool(None)
        else:
            return False
        return True

    def _point(self, at: QPointF) -> None:
        """Move the crosshair of all planes to the pixel below a point of the view."""
        volume, view = self._view.cross.volume, self._view
        if volume is not None:
            x, y = view.to_pixels(at.toTuple())
            view.cross.move_to(volume.to_voxel(view.plane, (int(x // 1), int(y // 1)), view.cross.at))

    def _step(self, step: tuple[int, int]) -> None:
        volume, view = self._view.cross.volume, self._view
        if volume is not None:
            x, y = volume.to_pixel(view.plane, view.cross.at)
            view.cross.move_to(volume.to_voxel(view.plane, (x + step[0], y + step[1]), view.cross.at))
