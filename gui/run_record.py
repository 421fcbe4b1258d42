"""State of a run, folded from its events one by one. Watching and reopening a run give the same state."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from engine.config import BACKEND_TITLES, RunConfig
from engine.durable import write_text_atomic
from engine.errors import EngramError
from engine.messages import (
    Continued,
    EpochEnded,
    Event,
    JobEnded,
    JobStarted,
    Log,
    Paused,
    Progress,
    read_events,
)
from engine.run_damage import check_folder, read_record
from engine.runs import Run
from gui.formatting import format_parameters

NOTES_FILE = "view.json"
XAxis = Literal["epoch", "step", "relative", "wall"]


@dataclass(frozen=True)
class LogLine:
    """Sentence of the log with its time, in seconds since the epoch."""

    time: float
    text: str
    level: str = "info"


@dataclass(frozen=True)
class RunNotes:
    """What the app keeps with a run for its user: the look of its curves, a note, tags."""

    place: int | None = None
    note: str = ""
    tags: tuple[str, ...] = ()


def read_notes(folder: Path) -> RunNotes:
    """Read the notes of a run's folder; what is missing or invalid has its default."""
    try:
        kept = json.loads(read_record(folder / NOTES_FILE))
    except (OSError, ValueError, RecursionError):
        return RunNotes()
    found = kept if isinstance(kept, dict) else {}
    place, note, tags = found.get("place"), found.get("note"), found.get("tags")
    return RunNotes(
        place if isinstance(place, int) else None,
        note if isinstance(note, str) else "",
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def write_notes(folder: Path, notes: RunNotes) -> None:
    """Write the notes of a run in one step. Raises OSError."""
    write_text_atomic(folder / NOTES_FILE, json.dumps(asdict(notes)))


@dataclass
class RunRecord:
    """State of one run according to its events; `apply` adds the next one.

    `search` is the name of the search that the run is a trial of, empty if it is none.
    """

    run: Run
    config: RunConfig | None = None
    damage: str = ""
    notes: RunNotes = RunNotes()
    search: str = ""
    busy: bool = False
    started: JobStarted | None = None
    ended: JobEnded | None = None
    progress: Progress | None = None
    paused: bool = False
    epochs: dict[int, EpochEnded] = field(default_factory=dict)
    log: list[LogLine] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)
    # For each time: training time (s) without breaks, and seconds since 1970; by epoch.
    _clock: dict[float, tuple[float, float]] = field(default_factory=dict)
    _active_s: float = 0.0
    _since: float | None = None
    _live: list[tuple[float, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.run.path.name

    @property
    def state(self) -> str:
        """Return the state.

        It is 'damaged', 'running', 'paused', 'new', 'finished', 'stopped', 'failed' or 'interrupted'.
        """
        if self.damage:
            return "damaged"
        if self.busy:
            return "paused" if self.paused else "running"
        if self.ended:
            return self.ended.state
        return "interrupted" if self.started or self.log else "new"

    @property
    def has_checkpoint(self) -> bool:
        """Return whether there is a complete epoch to resume from; a demo run has none."""
        return any(self.run.checkpoints.glob("epoch-*"))

    @property
    def can_resume(self) -> bool:
        unfinished = self.state in ("new", "stopped", "failed", "interrupted")
        return unfinished and (not self.epochs or self.has_checkpoint)

    @property
    def last_epoch(self) -> int:
        """Return the number of complete epochs."""
        return max(self.epochs, default=0)

    @property
    def target_epochs(self) -> int:
        """Return the number of requested epochs."""
        return self.started.epochs if self.started else self.config.training.epochs if self.config else 0

    @property
    def backend(self) -> str:
        """Return the backend of the last training; before any, that of the settings."""
        chosen = self.config.training.backend if self.config else "tensorflow"
        return self.started.backend if self.started else chosen

    @property
    def best(self) -> EpochEnded | None:
        """Return the epoch with the smallest validation loss, or None."""
        known = [event for event in self.epochs.values() if math.isfinite(event.metrics.get("val_loss", math.nan))]
        return min(known, key=lambda event: event.metrics["val_loss"], default=None)

    @property
    def metric_names(self) -> frozenset[str]:
        """Return the names of the metrics of the newest epoch."""
        return frozenset(self.epochs[self.last_epoch].metrics) if self.epochs else frozenset()

    def curve(self, metric: str) -> tuple[list[int], list[float]]:
        """Return the epochs and values of a metric, in order."""
        epochs = [epoch for epoch in sorted(self.epochs) if metric in self.epochs[epoch].metrics]
        return epochs, [self.epochs[epoch].metrics[metric] for epoch in epochs]

    def batch_curve(self) -> tuple[list[float], list[float]]:
        """Return the loss within the epochs, at shares of epochs, up to the last report of the current one."""
        points = [(e - 1 + share, loss) for e in sorted(self.epochs) for share, loss in self.epochs[e].batch_losses]
        points += self._live
        return [at for at, _ in points], [loss for _, loss in points]

    @property
    def training_s(self) -> float:
        """Return the training time so far, s, without pauses and breaks."""
        return max((time for time, _ in self._clock.values()), default=0.0)

    @property
    def live_points(self) -> int:
        """Return the number of reports in the current epoch."""
        return len(self._live)

    def to_axis(self, epochs: Sequence[float], axis: XAxis) -> list[float]:
        """Return the places of these epochs, or shares of epochs, on an axis.

        It counts epochs, steps of the optimizer, seconds of training without breaks, or seconds since 1970.
        """
        if axis == "epoch" or not self._clock or not self.started or not self.config:
            return list(epochs)
        if axis == "step":
            steps = math.ceil(self.started.train_images / self.config.training.batch_size)
            return [epoch * steps for epoch in epochs]
        known = sorted(self._clock)
        times = [self._clock[epoch][axis == "wall"] for epoch in known]
        return np.interp(epochs, known, times).tolist()

    def apply(self, event: Event) -> bool:
        """Apply an event; return False if it was applied before, because it comes from the engine and the run's file.

        An event without a number comes one way only: from an engine alone, or from an old record.
        """
        if event.sequence in self._seen:
            return False
        if event.sequence is not None:
            self._seen.add(event.sequence)
        self._keep_time(event)
        if isinstance(event, Progress):
            self.progress = event
            if event.batch_loss is not None:
                self._live.append((share_of_epochs(event), event.batch_loss))
        elif isinstance(event, (Paused, Continued)):
            self.paused = isinstance(event, Paused)
        elif isinstance(event, JobStarted):
            self.started, self.ended, self.paused = event, None, False
        elif isinstance(event, EpochEnded):
            self.epochs[event.epoch] = event
            self._live = []
        elif isinstance(event, JobEnded):
            self.ended, self.progress, self.paused = event, None, False
        self._append_log(event)
        return True

    def _keep_time(self, event: Event) -> None:
        """Note the training time at the places that an event tells; a pause and the time between jobs do not count."""
        if self._since is None or isinstance(event, (JobStarted, Continued)):
            self._since = event.time
        if isinstance(event, JobStarted):
            self._active_s = self._clock.get(event.first_epoch, (self._active_s, 0.0))[0]
            self._live = []
            self._clock.setdefault(event.first_epoch, (self._active_s, event.time))
        elif isinstance(event, Paused):
            self._active_s += event.time - self._since
        elif isinstance(event, (EpochEnded, Progress)):
            place = share_of_epochs(event) if isinstance(event, Progress) else event.epoch
            self._clock = {epoch: time for epoch, time in self._clock.items() if epoch < place and epoch % 1 == 0}
            self._clock[place] = self._active_s + event.time - self._since, event.time

    def _append_log(self, event: Event) -> None:
        text, level = log_entry(event)
        if text:
            self.log.append(LogLine(event.time, text, level))


def share_of_epochs(at: Progress) -> float:
    """Return how many epochs are done, with the share of the current one."""
    return at.epoch - 1 + at.batch / max(at.batches, 1)


def log_entry(event: Event) -> tuple[str, str]:
    """Return the text and the level of an event in the log; an empty text for an event without a line."""
    if isinstance(event, Log):
        return event.text, event.level
    if isinstance(event, JobStarted):
        at = f"from epoch {event.first_epoch + 1} " if event.first_epoch else ""
        counts = f"{event.train_images:,} training and {event.validation_images:,} validation images"
        where = f"{BACKEND_TITLES.get(event.backend, event.backend)}, {event.device}"
        return f"Training {at}on {where}: {counts}, {format_parameters(event.parameters)} parameters.", "info"
    if isinstance(event, EpochEnded) and event.best:
        # A record from elsewhere may lack the number.
        loss = event.metrics.get("val_loss", math.nan)
        return f"Best so far: epoch {event.epoch}, validation loss {loss:,.6g}.", "info"
    if isinstance(event, JobEnded):
        said = " ".join(filter(None, (event.reason, event.advice)))
        epochs = "1 epoch" if event.epoch == 1 else f"{event.epoch} epochs"
        kept = f"after {epochs}; the best model is kept" if event.epoch else "before the first epoch was completed"
        texts = {"finished": f"Finished after {epochs}.", "stopped": f"Stopped {kept}.", "failed": f"Failed: {said}"}
        return texts[event.state], "error" if event.state == "failed" else "info"
    return {Paused: ("Paused.", "info"), Continued: ("Continued.", "info")}.get(type(event), ("", ""))


def open_record(path: Path) -> RunRecord:
    """Return a new record of a run folder, with its settings but without its events."""
    run = Run(path)
    try:
        check_folder(path)
        return RunRecord(run, run.config, notes=read_notes(path))
    except EngramError as error:
        return RunRecord(run, None, str(error))


class EventFileTail:
    """Reader of the events that were appended to a run's file since the last read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def bytes_added(self) -> int:
        """Return the number of appended bytes; it is negative if another file has taken its place."""
        try:
            return self._path.stat().st_size - self._offset
        except OSError:
            return 0

    def read(self) -> list[Event]:
        """Return the new events.

        An incomplete line waits for the next call; a line that cannot be parsed is skipped.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        return list(read_events(whole.split(b"\n")))
