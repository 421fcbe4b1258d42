"""Control of a running job: stop, pause and continue from another thread, a stop from another process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.messages import Continue, Message, Pause, ShouldStop, Stop

STOP_FILE = "stop"
POLL_INTERVAL_S = 0.5


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


def request_stop(folder: Path) -> None:
    """Ask the process that trains the run of a folder to stop and keep its results.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / STOP_FILE).touch()


@contextmanager
def watch_stop_file(folder: Path, should_stop: ShouldStop) -> Iterator[ShouldStop]:
    """Yield a `should_stop` that also heeds `request_stop` of another process; an earlier request does not count."""
    file, looked, requested = folder / STOP_FILE, time.monotonic(), False

    def is_stop_requested() -> bool:
        nonlocal looked, requested
        if time.monotonic() - looked >= POLL_INTERVAL_S:
            looked, requested = time.monotonic(), requested or file.exists()
        return should_stop() or requested

    with suppress(OSError):
        file.unlink(missing_ok=True)
    try:
        yield is_stop_requested
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
