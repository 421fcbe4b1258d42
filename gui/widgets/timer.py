"""Timers that work in every locale."""

from PySide6.QtCore import QObject, QTimer


def make_timer(parent: QObject, interval_ms: int, single_shot: bool = True) -> QTimer:
    """Return a stopped timer.

    `QTimer(interval=...)` fails in a Turkish locale: PySide looks for the setter with the locale's capital of "i".
    """
    timer = QTimer(parent)
    timer.setSingleShot(single_shot)
    timer.setInterval(interval_ms)
    return timer
