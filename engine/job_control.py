"""Control of a running job from another thread: stop, pause, continue."""

import threading
from collections.abc import Callable

from engine.messages import Continue, Message, Pause, Stop


class JobControl:
    """The stop and pause state of a job, set by one thread and read by the job's own.

    Args:
        on_paused: called when the job pauses.
        on_resumed: called when it continues.
    """

    def __init__(self, on_paused: Callable[[], None], on_resumed: Callable[[], None]) -> None:
        self._running = threading.Event()
        self._running.set()
        self._stop = threading.Event()
        self.on_paused, self.on_resumed = on_paused, on_resumed

    def handle(self, command: Message) -> bool:
        """Handle a command to stop, pause or continue. Returns False if it is another command."""
        if isinstance(command, Stop):
            self._stop.set()
        if isinstance(command, (Stop, Continue)):
            self._running.set()
        if isinstance(command, Pause):
            self._running.clear()
        return isinstance(command, (Stop, Pause, Continue))

    def should_stop(self) -> bool:
        """Return whether the job should stop; wait first while it is paused."""
        if self.is_paused():
            self.on_paused()
            self._running.wait()
            self.on_resumed()
        return self.is_stopped()

    def is_stopped(self) -> bool:
        """Return whether the job should stop, without waiting."""
        return self._stop.is_set()

    def is_paused(self) -> bool:
        """Return whether the job should pause, without waiting."""
        return not self._running.is_set()
