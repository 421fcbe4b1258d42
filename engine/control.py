"""What a thread that listens tells a job that works: stop, pause, go on."""

import threading
from collections.abc import Callable

from engine.messages import Continue, Message, Pause, Stop


class Control:
    """The wishes of whoever started a job.

    Args:
        held: called when the job begins to wait.
        released: called when it goes on.
    """

    def __init__(self, held: Callable[[], None], released: Callable[[], None]) -> None:
        self._running = threading.Event()
        self._running.set()
        self._stop = threading.Event()
        self.held, self.released = held, released

    def reset(self) -> None:
        """Forget the wishes meant for the job before."""
        self._stop.clear()
        self._running.set()

    def obey(self, command: Message) -> bool:
        """Take a command that must be heard at once; False when it is none of these."""
        if isinstance(command, Stop):
            self._stop.set()
        if isinstance(command, (Stop, Continue)):
            self._running.set()
        if isinstance(command, Pause):
            self._running.clear()
        return isinstance(command, (Stop, Pause, Continue))

    def should_stop(self) -> bool:
        """Whether the job is to end; waits here while it is paused."""
        if self.is_paused():
            self.held()
            self._running.wait()
            self.released()
        return self.is_stopped()

    def is_stopped(self) -> bool:
        """Whether the job is to end; never waits."""
        return self._stop.is_set()

    def is_paused(self) -> bool:
        """Whether the job is to hold; never waits."""
        return not self._running.is_set()
