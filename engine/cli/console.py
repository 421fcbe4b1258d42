"""A job's events as lines on a terminal: a progress bar while it runs, and one line that stays for each epoch.

rich (https://rich.readthedocs.io) draws the bar. Where stderr is not a terminal, only the lines that stay are written.
"""

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBar

from engine.cli.result import duration, number
from engine.cli.terminal import CLEANUP
from engine.messages import EpochEnded, Event, JobStarted, Log, Progress, StudyProgress

BAR_WIDTH = 20


class ConsoleProgress:
    """Shows events as they come; pass it as a job's `emit`.

    Args:
        stream: where to; when it is no terminal, only the lines that stay are written.
        unit: unit of the loss, such as 'nats'; empty when plain.
    """

    def __init__(self, stream: TextIO, unit: str = "") -> None:
        self.stream, self.unit = stream, unit
        self._console = Console(file=stream, force_terminal=True) if stream.isatty() else None
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
            self.print_line(self.epoch(event))
        elif isinstance(event, JobStarted):
            self._epochs = event.epochs
            self.print_line(format_start(event))
        elif isinstance(event, Log):
            self.print_line(event.text)
        elif isinstance(event, StudyProgress):
            self._draw(event.stage, (event.share or 0.0, None if event.share is None else 1.0), event.text)

    def update(self, what: str, done: int, total: int) -> None:
        """Show how far a job without epochs is; the bar goes when it is done."""
        if done < total:
            self._draw(what, (done, total), f"{done:,}/{total:,}")
        else:
            self.clear()

    def print_line(self, text: str) -> None:
        """Write a line that stays."""
        self.clear()
        self.stream.write(text + "\n")
        self.stream.flush()

    def clear(self) -> None:
        """Remove the progress bar, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def progress(self, event: Progress) -> str:
        """Describe an epoch that is running, for beside its bar."""
        speed = f"{event.images_per_s:.0f} images/s  {duration(event.left_s)} left"
        return f"{event.batch}/{event.batches}  loss {self._loss(event.loss)}  {speed}"

    def epoch(self, event: EpochEnded) -> str:
        """The line of an epoch that is over."""
        place = str(event.epoch).rjust(len(str(self._epochs)))
        metrics = event.metrics
        numbers = f"loss {self._loss(metrics.get('loss'))}  validation {self._loss(metrics.get('val_loss'))}"
        speed = f"{metrics.get('images_per_s', 0):.0f} images/s"
        return f"epoch {place}/{self._epochs}  {numbers}  {speed}{'  best so far' if event.best else ''}"

    def _loss(self, value: float | None) -> str:
        return f"{number(value)} {self.unit}".rstrip()

    def _draw(self, title: str, done: tuple[float, float | None], text: str) -> None:
        """Show a bar between a title and a text, in place of the last one; a total of None is unknown."""
        if self._console is None or not self._console.is_interactive:
            return
        if self._bar is None:
            self._bar = _start_bar(self._console)
        self._bar.update(self._bar.task_ids[0], description=title, completed=done[0], total=done[1], text=text)
        self._bar.refresh()


def _start_bar(console: Console) -> ProgressBar:
    """Start an empty bar that leaves nothing behind; drawn at each event, not by a thread."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[text]}", markup=False),
    )
    bar = ProgressBar(
        *columns, console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
    )
    bar.add_task("", text="")
    bar.start()
    # A second Ctrl-C ends the process at once: a hidden cursor would stay hidden.
    console.show_cursor(True)
    return bar


def format_start(event: JobStarted) -> str:
    """What is about to be trained, in one line."""
    images = f"{event.train_images:,} training and {event.validation_images:,} validation images"
    onward = f", from epoch {event.first_epoch + 1}" if event.first_epoch else ""
    return (
        f"Run {event.run}: {images}, {event.parameters:,} parameters, {event.backend} on {event.device}, "
        f"{event.epochs} epochs{onward}."
    )
