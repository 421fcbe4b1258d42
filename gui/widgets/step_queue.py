"""Work that would hold the event loop up when done at once, done a step a beat."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject

from gui.widgets.timer import make_timer


class StepQueue(QObject):
    """Takes steps one after another and lets the window live between them; new steps replace those still to come."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left: list[Callable[[], object]] = []
        self._next = make_timer(self, 0)
        self._next.timeout.connect(self._on_beat)

    def schedule(self, steps: Iterable[Callable[[], object]]) -> None:
        """Take these steps from the next beat on."""
        self._left = list(steps)
        self._next.start()

    def run_now(self, steps: Iterable[Callable[[], object]]) -> None:
        """Take these steps at once."""
        self._left = []
        for step in steps:
            step()

    def _on_beat(self) -> None:
        if self._left:
            step = self._left.pop(0)
            self._next.start()
            step()
