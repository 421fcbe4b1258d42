"""Timers that work in every locale, and a queue that runs one step per turn of the event loop."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer


def make_timer(parent: QObject, interval_ms: int, single_shot: bool = True) -> QTimer:
    """Return a stopped timer.

    `QTimer(interval=...)` fails in a Turkish locale: PySide looks for the setter with the locale's capital of "i".
    """
    timer = QTimer(parent)
    timer.setSingleShot(single_shot)
    timer.setInterval(interval_ms)
    return timer


class StepQueue(QObject):
    """Queue that runs one step per turn of the event loop; new steps replace the remaining ones."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left: list[Callable[[], object]] = []
        self._next = make_timer(self, 0)
        self._next.timeout.connect(self._on_beat)

    def schedule(self, steps: Iterable[Callable[[], object]]) -> None:
        """Schedule these steps, starting with the next turn of the event loop."""
        self._left = list(steps)
        self._next.start()

    def run_now(self, steps: Iterable[Callable[[], object]]) -> None:
        """Run these steps at once."""
        self._left = []
        for step in steps:
            step()

    def _on_beat(self) -> None:
        if self._left:
            step = self._left.pop(0)
            self._next.start()
            step()
