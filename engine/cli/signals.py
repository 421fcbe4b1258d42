"""Ctrl-C: the first asks the job to stop and keep what it has, the second ends the process."""

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
NOTE = "Stopping after this batch; the model is kept. Press Ctrl-C again to quit immediately."


class GracefulInterrupt:
    """While entered, hears SIGINT and SIGTERM; called, says whether one came: the `should_stop` of a job.

    Args:
        note: what is said when the first one comes.
    """

    def __init__(self, note: str = NOTE) -> None:
        self.note = f"\n{note}\n".encode()
        self.wished = False
        self._before: dict[signal.Signals, Any] = {}
        self._stderr = 2

    def __call__(self) -> bool:
        """Whether the job is to end."""
        return self.wished

    def __enter__(self) -> Self:
        self._stderr = os.dup(2)  # the terminal, whatever is done to 2 while a framework is imported
        self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._stderr)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.wished = True
        for each in SIGNALS:  # the system's own answer to the next one, which no busy framework can hold up
            signal.signal(each, signal.SIG_DFL)
        os.write(self._stderr, self.note)  # a handler may not touch buffered streams
