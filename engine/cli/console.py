"""Terminal of a command: progress bar and lines, its result for people and for programs, and Ctrl-C."""

import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from engine.cli.program import CLEANUP, Interruption, Verbosity, quit_now
from engine.formatting import format_duration, format_number, make_printable
from engine.job_context import is_importing
from engine.messages import EpochEnded, Event, JobStarted, Log, Progress, StudyProgress
from engine.study_folder import to_json_safe

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as ProgressBar


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
        self._console = _open_console(stream) if stream.isatty() and not Verbosity.is_quiet() else None
        self._bar: ProgressBar | None = None
        self._epochs = 0
        if self._console is not None:
            CLEANUP.callback(self.clear)

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Progress):
            done = event.batch, event.batches
            self._draw(f"epoch {event.epoch}/{event.epochs}", done, self.progress(event))
        elif isinstance(event, EpochEnded):
            self.report(self.epoch(event))
        elif isinstance(event, JobStarted):
            self._epochs = event.epochs
            self.report(format_start(event))
        elif isinstance(event, Log):
            self.report(event.text)
        elif isinstance(event, StudyProgress):
            self._draw(event.stage, (event.share or 0.0, None if event.share is None else 1.0), event.text)

    def update(self, what: str, done: int, total: int) -> None:
        """Show the progress of a job without epochs; clear it when the job is done."""
        if done < total:
            self._draw(what, (done, total), f"{done:,}/{total:,}")
        else:
            self.clear()

    def report(self, text: str) -> None:
        """Write a permanent line on what is done, unless the user wants none."""
        if not Verbosity.is_quiet():
            self.print_line(text)

    def print_line(self, text: str) -> None:
        """Write a permanent line that the user must see."""
        # A job goes on when its terminal or the reader of its output is gone.
        with suppress(OSError):
            self.clear()
            self.stream.write(make_printable(text) + "\n")
            self.stream.flush()

    def clear(self) -> None:
        """Remove the progress bar, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def progress(self, event: Progress) -> str:
        """Format the numbers of a running epoch, shown next to its bar."""
        speed = f"{event.images_per_s:.0f} images/s  {format_duration(event.left_s)} left"
        return f"{event.batch}/{event.batches}  loss {self._loss(event.loss)}  {speed}"

    def epoch(self, event: EpochEnded) -> str:
        """Format the line of a completed epoch."""
        place = str(event.epoch).rjust(len(str(self._epochs)))
        metrics = event.metrics
        numbers = f"loss {self._loss(metrics.get('loss'))}  validation {self._loss(metrics.get('val_loss'))}"
        speed = f"{metrics.get('images_per_s', 0):.0f} images/s"
        return f"epoch {place}/{self._epochs}  {numbers}  {speed}{'  best so far' if event.best else ''}"

    def _loss(self, value: float | None) -> str:
        return f"{format_number(value)} {self.unit}".rstrip()

    def _draw(self, title: str, done: tuple[float, float | None], text: str) -> None:
        """Replace the bar, with a title before it and a text after it; a total of None is unknown."""
        if self._console is None or not self._console.is_interactive:
            return
        with suppress(OSError):
            if self._bar is None:
                self._bar = _start_bar(self._console)
            self._bar.update(self._bar.task_ids[0], description=title, completed=done[0], total=done[1], text=text)
            self._bar.refresh()


def _open_console(stream: TextIO) -> "Console":
    from rich.console import Console

    return Console(file=stream, force_terminal=True)


def _start_bar(console: "Console") -> "ProgressBar":
    """Start an empty bar that leaves nothing behind; drawn at each event, not by a thread."""
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(BAR_WIDTH),
        progress.TextColumn("{task.fields[text]}", markup=False),
    )
    bar = progress.Progress(
        *columns, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    bar.add_task("", text="")
    bar.start()
    # A second Ctrl-C ends the process at once: a hidden cursor would stay hidden.
    console.show_cursor(True)
    return bar


def format_start(event: JobStarted) -> str:
    """Format the start of a training in one line."""
    images = f"{event.train_images:,} training and {event.validation_images:,} validation images"
    onward = f", from epoch {event.first_epoch + 1}" if event.first_epoch else ""
    return (
        f"Run {event.run}: {images}, {event.parameters:,} parameters, {event.backend} on {event.device}, "
        f"{event.epochs} epoch{'s' * (event.epochs != 1)}{onward}."
    )


class GracefulInterrupt:
    """Handler of SIGINT and SIGTERM while entered; calling it returns whether one arrived: the `should_stop` of a job.

    While libraries are imported, it ends the process at once.

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
        if is_importing():
            quit_now(signal_number, self._stderr)
        self.is_requested = Interruption.is_heard = True
        # The system's default for the next signal, which no busy framework can delay.
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # A signal handler may not use buffered streams.
        os.write(self._stderr, self.note)


@dataclass(frozen=True)
class CommandResult:
    """The result of a command.

    Args:
        text: the text for people.
        content: the output of `--json`; numbers that are not finite become null. None: the command prints nothing.
        status: the exit status.
    """

    text: str
    content: Any
    status: int = 0

    def render(self, as_json: bool) -> str:
        """Format the result for stdout."""
        if self.content is None:
            return ""
        return (json.dumps(to_json_safe(self.content), indent=2) if as_json else self.text) + "\n"


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Format a table; `align` has '<' or '>' for each column."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    cells = [[f"{text:{side}{width}}" for text, side, width in zip(line, align, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in cells)
