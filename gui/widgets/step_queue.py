"""Queue for work that would block the event loop if it ran at once; it runs one step per loop turn."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject

from gui.widgets.timer import make_timer


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
