"""Terminal of a command: progress lines, and Ctrl-C."""

import os
import shutil
import signal
from types import FrameType, TracebackType
from typing import Any, Self, TextIO

from engine.cli.result import duration, number
from engine.messages import EpochEnded, Event, JobStarted, Log, Progress, StudyProgress

BAR_WIDTH = 20
SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOP_NOTE = "Stopping after this batch; the model is kept. Press Ctrl-C again to quit immediately."


class ConsoleProgress:
    """Receiver that shows events as they arrive, for use as a job's `emit`.

    Args:
        stream: output stream; if it is no terminal, only permanent lines are written.
        unit: unit of the loss, such as 'nats'; empty if it has none.
    """

    def __init__(self, stream: TextIO, unit: str = "") -> None:
        self.stream, self.unit = stream, unit
        self._live = stream.isatty()
        self._drawn = 0
        self._full, self._tip = ("━", "╸") if "utf" in (stream.encoding or "").lower() else ("#", ">")
        self._epochs = 0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Progress):
            self._draw(self.progress(event))
        elif isinstance(event, EpochEnded):
            self.print_line(self.epoch(event))
        elif isinstance(event, JobStarted):
            self._epochs = event.epochs
            self.print_line(format_start(event))
        elif isinstance(event, Log):
            self.print_line(event.text)
        elif isinstance(event, StudyProgress):
            bar = "" if event.share is None else f"{self._bar(event.share)} "
            self._draw(f"{event.stage} {bar}{event.text}")

    def update(self, what: str, done: int, total: int) -> None:
        """Show the progress of a job without epochs; clear it when the job is done."""
        self._draw(f"{what} {self._bar(done / max(total, 1))} {done:,}/{total:,}" if done < total else "")

    def print_line(self, text: str) -> None:
        """Write a permanent line."""
        self._draw("")
        self.stream.write(text + "\n")
        self.stream.flush()

    def progress(self, event: Progress) -> str:
        """Format the line of a running epoch."""
        bar = f"{self._bar(event.batch / event.batches)} {event.batch}/{event.batches}"
        speed = f"{event.images_per_s:.0f} images/s  {duration(event.left_s)} left"
        return f"epoch {event.epoch}/{event.epochs} {bar}  loss {self._loss(event.loss)}  {speed}"

    def epoch(self, event: EpochEnded) -> str:
        """Format the line of a completed epoch."""
        place = str(event.epoch).rjust(len(str(self._epochs)))
        metrics = event.metrics
        numbers = f"loss {self._loss(metrics.get('loss'))}  validation {self._loss(metrics.get('val_loss'))}"
        speed = f"{metrics.get('images_per_s', 0):.0f} images/s"
        return f"epoch {place}/{self._epochs}  {numbers}  {speed}{'  best so far' if event.best else ''}"

    def _loss(self, value: float | None) -> str:
        return f"{number(value)} {self.unit}".rstrip()

    def _bar(self, share: float) -> str:
        full = min(BAR_WIDTH, int(share * BAR_WIDTH))
        return (self._full * full + self._tip * (full < BAR_WIDTH)).ljust(BAR_WIDTH)

    def _draw(self, text: str) -> None:
        """Replace the redrawn line."""
        if not self._live:
            return
        text = text[: shutil.get_terminal_size().columns - 1]
        self.stream.write("\r" + text.ljust(self._drawn) + ("" if text else "\r"))
        self.stream.flush()
        self._drawn = len(text)


def format_start(event: JobStarted) -> str:
    """Format the start of a training in one line."""
    images = f"{event.train_images:,} training and {event.validation_images:,} validation images"
    onward = f", from epoch {event.first_epoch + 1}" if event.first_epoch else ""
    return (
        f"Run {event.run}: {images}, {event.parameters:,} parameters, {event.backend} on {event.device}, "
        f"{event.epochs} epochs{onward}."
    )


class GracefulInterrupt:
    """Handler of SIGINT and SIGTERM while entered; calling it returns whether one arrived: the `should_stop` of a job.

    Args:
        note: message to print at the first signal.
    """

    def __init__(self, note: str = STOP_NOTE) -> None:
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
        self._before = {each: signal.signal(each, self._on_signal) for each in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        os.close(self._stderr)

    def _on_signal(self, signal_number: int, frame: FrameType | None) -> None:
        self.is_requested = True
        # The system's default for the next signal, which no busy framework can delay.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # A signal handler may not use buffered streams.
        os.write(self._stderr, self.note)
