"""Hands for the widget tests: events as a mouse sends them, at exact places."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

NONE = Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier


def _send(widget, kind, at, button, buttons, modifiers):
    place = QPointF(*at)
    event = QMouseEvent(kind, place, QPointF(widget.mapToGlobal(place.toPoint())), button, buttons, modifiers)
    QApplication.sendEvent(widget, event)


@pytest.fixture
def wheel():
    """Turn the wheel by so many notches at a place."""

    def turn(widget, at, notches=1):
        place = QPointF(*at)
        everywhere = QPointF(widget.mapToGlobal(place.toPoint()))
        event = QWheelEvent(
            place, everywhere, QPoint(), QPoint(0, 120 * notches), NONE, PLAIN, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(widget, event)

    return turn


@pytest.fixture
def move():
    """Move the mouse to a place, no button held."""

    def go(widget, at, modifiers=PLAIN):
        _send(widget, QEvent.Type.MouseMove, at, NONE, NONE, modifiers)

    return go


@pytest.fixture
def drag():
    """Press a button at one place and let it go at another."""

    def pull(widget, start, end, button=Qt.MouseButton.LeftButton):
        _send(widget, QEvent.Type.MouseButtonPress, start, button, button, PLAIN)
        _send(widget, QEvent.Type.MouseMove, end, NONE, button, PLAIN)
        _send(widget, QEvent.Type.MouseButtonRelease, end, button, NONE, PLAIN)

    return pull
