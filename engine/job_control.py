"""What a thread that listens tells a job that works: stop, pause, go on."""

import threading
from collections.abc import Callable

from engine.messages import Continue, Message, Pause, Stop


class JobControl:
    """The wishes of whoever started a job.

    Args:
        on_paused: called when the job begins to wait.
        on_resumed: called when it goes on.
    """

    def __init__(self, on_paused: Callable[[], None], on_resumed: Callable[[], None]) -> None:
        self._running = threading.Event()
        self._running.set()
        self._stop = threading.Event()
        self.on_paused, self.on_resumed = on_paused, on_resumed

    def reset(self) -> None:
        """Forget the wishes meant for the job before."""
        self._stop.clear()
        self._running.set()

    def handle(self, command: Message) -> bool:
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
            self.on_paused()
            self._running.wait()
            self.on_resumed()
        return self.is_stopped()

    def is_stopped(self) -> bool:
        """Whether the job is to end; never waits."""
        return self._stop.is_set()

    def is_paused(self) -> bool:
        """Whether the job is to hold; never waits."""
        return not self._running.is_set()
