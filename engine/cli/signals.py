"""Handling of Ctrl-C: the first stops the job and keeps its results, the second ends the process."""

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTE = "Stopping after this batch; the model is kept. Press Ctrl-C again to quit immediately."


class GracefulInterrupt:
    """Handler of SIGINT and SIGTERM while entered; calling it returns whether one arrived: the `should_stop` of a job.

    Args:
        note: message to print at the first signal.
    """

    def __init__(self, note: str = NOTE) -> None:
        self.note = f"\n{note}\n".encode()
        self.is_requested = False
        self._before: dict[signal.Signals, Any] = {}
        self._stderr = 2

    def __call__(self) -> bool:
        """Return whether the job is to stop."""
        return self.is_requested

    def __enter__(self) -> Self:
        # The terminal, even if an importing framework redirects descriptor 2.
        self._stderr = os.dup(2)
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._stderr)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_requested = True
        # The system's default for the next signal, which no busy framework can delay.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # A signal handler may not use buffered streams.
        os.write(self._stderr, self.note)
