"""A run is a folder: its settings, its events and its results. Opening one needs no Keras.

config.json       the settings
provenance.json   versions, backend (and which ones before), device, seed, fingerprint of the data
events.jsonl      every event, one per line; replaying them replays the run
history.csv       one row per epoch
model.keras       the best model by validation
checkpoint/       the last two complete epochs, to resume from
previews/         fixed validation images: originals.npy, epoch-00001.npy, ... uint8 (n, height, width)
"""

import builtins
import csv
import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine import config as settings
from engine.archives import content_checksum
from engine.config import RunConfig
from engine.durable import flush, flush_folder, make_folder, move_copy, name_failures, remove_folder, replace_durably
from engine.durable import write_text_atomic as write_text_atomic
from engine.errors import RunBusy, RunDamaged, RunError, RunExists, RunNotFound
from engine.folders import cache_root
from engine.folders import is_locked as is_locked
from engine.folders import lock_folder as lock_folder
from engine.formatting import suggest
from engine.messages import EpochEnded, Event, JobEnded, JobStarted, Log, read_events
from engine.run_damage import check_folder, read_record

NOT_COPIED = ("lock", "stop", "view.json", "wandb", "tracking.json")  # files of the run itself, not of a copy
NAME_PATTERN = re.compile(
    r"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
)


def check_name(name: str) -> None:
    """Raise RunError if a run cannot have this name."""
    if not NAME_PATTERN.fullmatch(name):
        use = "Use letters, digits, '.', '_' and '-', but no name of a Windows device, such as con."
        raise RunError(f"'{name}' is not a valid run name.", use)


def default_root() -> Path:
    """Return the folder that holds the runs: `ENGRAM_RUNS`, else `Engram/runs` in the user's home."""
    return Path(os.environ.get("ENGRAM_RUNS") or Path.home() / "Engram" / "runs")


@dataclass(frozen=True)
class Run:
    """One run folder."""

    path: Path

    @property
    def name(self) -> str:
        """Return the run's name, which is its folder's."""
        return self.path.name

    @property
    def model_path(self) -> Path:
        """Return the file of the best model by validation."""
        return self.path / "model.keras"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of the last complete epochs."""
        return self.path / "checkpoint"

    @property
    def previews(self) -> Path:
        """Return the folder of the fixed validation images through the epochs."""
        return self.path / "previews"

    @property
    def is_packaged(self) -> bool:
        """Return whether the run ships with Engram; its folder is never written to."""
        return settings.RESOURCES in self.path.resolve().parents

    @property
    def derived(self) -> Path:
        """Return the folder of results that can be recomputed: the run's own, or in the cache if that is read-only."""
        if not self.is_packaged and os.access(self.path, os.W_OK):
            return self.path
        identity = hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:16]
        return cache_root() / "derived" / f"{self.name}-{identity}"

    @property
    def config(self) -> RunConfig:
        """Return the run's settings.

        Raises:
            RunDamaged: config.json is missing or cannot be read.
        """
        return settings.from_record(self.read_json("config.json"))

    @property
    def provenance(self) -> dict[str, Any]:
        """Return versions, backend, device, seed and data fingerprint; empty before the first step."""
        return self.read_json("provenance.json") if (self.path / "provenance.json").exists() else {}

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one of the run's JSON files.

        Raises:
            RunDamaged: it is missing or cannot be read.
        """
        try:
            content = json.loads(read_record(self.path / name))
        except (OSError, ValueError, RecursionError) as error:
            raise RunDamaged(f"{name} of run '{self.name}' cannot be read ({error}).", "Restore the file.") from None
        if not isinstance(content, dict):
            raise RunDamaged(f"{name} of run '{self.name}' holds no settings or facts.", "Restore the file.")
        return content

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of the run's JSON files atomically: a reader sees the old or the new content."""
        write_text_atomic(self.path / name, json.dumps(content, indent=2))

    def append(self, event: Event) -> None:
        """Append an event to the run's record, on a line of its own even after a line that a crash cut off.

        It is on the disk when this returns, except a line of the log.

        Raises:
            OSError: the record cannot be written.
        """
        record = self.path / "events.jsonl"
        with name_failures(record), builtins.open(record, "ab+") as file:
            is_new = not file.tell()
            if not is_new:
                file.seek(-1, os.SEEK_END)
                cut_off = file.read(1) != b"\n"
                file.write(b"\n" * cut_off)
            file.write(event.to_json_line().encode())
            file.flush()
            if not isinstance(event, Log):
                flush(file.fileno())
        if is_new:
            flush_folder(self.path)

    def events(self) -> Iterator[Event]:
        """Yield every event so far, in order; a line cut off by a crash is skipped."""
        try:
            record = (self.path / "events.jsonl").read_bytes().decode(errors="replace")
        except OSError:
            return
        # Not `splitlines`: a path may hold one of the separators that Unicode also counts as ends of lines.
        yield from read_events(record.split("\n"))

    def history(self) -> list[dict[str, float]]:
        """Return the metrics of every epoch, in order; of an epoch run twice (after a crash) the later one counts."""
        rows: dict[int, dict[str, float]] = {}
        for event in self.events():
            if isinstance(event, EpochEnded):
                rows[event.epoch] = {"epoch": event.epoch} | event.metrics | {"epoch": event.epoch}
        return [rows[epoch] for epoch in sorted(rows)]

    def best_epoch(self) -> int | None:
        """Return the epoch (from 1) with the smallest validation loss; None before the first epoch ends."""
        rows = [row for row in self.history() if np.isfinite(row.get("val_loss", np.nan))]
        return int(min(rows, key=lambda row: row["val_loss"])["epoch"]) if rows else None

    def state(self) -> str:
        """Return 'new', 'running', 'finished', 'stopped', 'failed' or 'interrupted' (its process died)."""
        last = [event for event in self.events() if isinstance(event, (JobStarted, JobEnded))][-1:]
        if self.is_busy():
            return "running"
        if not last:
            return "new"
        return last[0].state if isinstance(last[0], JobEnded) else "interrupted"

    def is_busy(self) -> bool:
        """Return whether a living process holds the run."""
        return is_locked(self.path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run while training it.

        Raises:
            RunBusy: another process holds it.
            RunError: it ships with Engram.
        """
        if self.is_packaged:
            fixed = f"Run '{self.name}' is a demo run that comes with Engram and cannot be changed."
            raise RunError(fixed, "Train a run of your own.")
        check_folder(self.path)
        busy = RunBusy(f"Run '{self.name}' is being trained by another process.", "Stop it there first.")
        with lock_folder(self.path, busy):
            yield


def create_run(config: RunConfig, name: str | None = None, root: Path | str | None = None) -> Run:
    """Create a run folder, or take over that of a run which failed before it saved anything.

    Args:
        config: the run's settings.
        name: letters, digits, '.', '_' and '-'; '<model>-0001' and so on when None.
        root: folder of the runs; `default_root()` when None.

    Raises:
        RunExists: the name is taken by a run that saved something, or that never ended.
        RunError: the name is not valid, or nothing can be written.
    """
    folder = Path(root or default_root())
    if name is not None:
        check_name(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _make_folder(folder, name, config) if name else _claim_next(folder, config)
    except OSError as error:
        raise RunError(f"Runs cannot be saved in {folder} ({error.strerror or error}).", "Choose another.") from None


def copy_run(run: Run, name: str) -> Run:
    """Copy a run under another name, so that later changes to the original do not affect it.

    Args:
        run: a run that no process is training.
        name: as for `create_run`.

    Raises:
        RunExists: the name is taken.
        RunBusy: the run is being trained.
        RunError: the name is not valid, or the copy cannot be written.
    """
    check_name(name)
    if run.is_busy():
        raise RunBusy(f"Run '{run.name}' is being trained.", "Wait until it ends, or stop it.")
    path, unfinished = run.path.with_name(name), run.path.with_name(f".{name}")
    if path.exists():
        raise RunExists(f"There is already a run '{name}' in {path.parent}.", "Choose another name.")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(run.path, unfinished, ignore=shutil.ignore_patterns(*NOT_COPIED))
        write_text_atomic(
            unfinished / "events.jsonl", "".join(retarget_event(event, path).to_json_line() for event in run.events())
        )
        move_copy(unfinished, path)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise RunError(
            f"The run could not be copied to {path} ({error.strerror}).", "Check that the disk is not full."
        ) from None
    return Run(path)


def retarget_event(event: Event, path: Path) -> Event:
    """Return the event with the name of another run, without a path."""
    changes = {"run": path.name, "path": ""}
    return event.model_copy(update={name: value for name, value in changes.items() if name in type(event).model_fields})


def _make_folder(folder: Path, name: str, config: RunConfig) -> Run:
    run, content = Run(folder / name), settings.to_record(config)
    _remove_unfinished(run)
    if not run.path.exists():
        _write_folder(run, content)
    elif _is_blank(run):
        _clear(run)
        run.write_json("config.json", content)
    else:
        raise _name_taken(run)
    return run


def _write_folder(run: Run, content: Mapping[str, Any]) -> None:
    """Create a run folder with its settings in one step, so that no crash leaves a folder without them."""
    staged = Run(run.path.with_name(f".{run.name}-{secrets.token_hex(4)}"))
    try:
        make_folder(staged.path)
        staged.write_json("config.json", content)
        replace_durably(staged.path, run.path)
    except OSError:
        remove_folder(staged.path)
        if run.path.exists():
            raise _name_taken(run) from None
        raise


def _name_taken(run: Run) -> RunExists:
    return RunExists(f"There is already a run '{run.name}' in {run.path.parent}.", "Choose another name, or resume it.")


def _remove_unfinished(run: Run) -> None:
    """Remove a folder that a killed process left before it wrote the settings, as earlier versions of Engram did."""
    leftovers = {"config.json.new", "lock"}
    if run.path.is_dir() and not run.is_busy() and {path.name for path in run.path.iterdir()} <= leftovers:
        for name in leftovers:
            (run.path / name).unlink(missing_ok=True)
        run.path.rmdir()


def _is_blank(run: Run) -> bool:
    """Return whether a run failed before its first epoch ended and has no model: a new run may take its name."""
    has_kept = run.model_path.exists() or any(run.checkpoints.glob("epoch-*"))
    return not has_kept and run.state() == "failed" and not run.history()


def _clear(run: Run) -> None:
    """Remove everything of a blank run except its record, which the next attempt continues."""
    for file in ("provenance.json", "history.csv"):
        (run.path / file).unlink(missing_ok=True)
    for folder in (run.previews, run.checkpoints):
        shutil.rmtree(folder, ignore_errors=True)


def _claim_next(folder: Path, config: RunConfig) -> Run:
    model = config.model.model
    taken = (re.fullmatch(rf"{model}-(\d+)", path.name) for path in folder.iterdir())
    number = max((int(match[1]) for match in taken if match), default=0) + 1
    while True:
        with suppress(RunExists):
            return _make_folder(folder, f"{model}-{number:04d}", config)
        number += 1


def open_run(name: str | Path, root: Path | str | None = None) -> Run:
    """Open a run by its name, or by the path of its folder.

    Raises:
        RunNotFound: there is no such run.
    """
    folder = Path(root or default_root())
    for path in (folder / name, Path(name)):
        if (path / "config.json").is_file():
            return Run(path.resolve())
    known = [run.name for run in list_runs(folder)]
    raise RunNotFound(f"There is no run '{name}' in {folder}.", suggest(str(name), known, "Runs there"))


def list_runs(root: Path | str | None = None) -> list[Run]:
    """Return all runs of a folder, oldest first."""
    folder = Path(root or default_root())
    times = {path: _creation_time(path) for path in folder.iterdir()} if folder.is_dir() else {}
    found = sorted((time, path.name, path) for path, time in times.items() if time is not None)
    return [Run(path.resolve()) for _, _, path in found]


def _creation_time(path: Path) -> float | None:
    """Return when the settings of a run folder were written. Returns None if it is no run, or cannot be looked into."""
    settings_file = path / "config.json"
    try:
        # A folder that is still being copied or created has a name with a dot in front.
        is_run = not path.name.startswith(".") and settings_file.is_file()
        return settings_file.stat().st_mtime if is_run else None
    except OSError:
        return None


def model_checksum(run: Run) -> str:
    """Return a hash that identifies the content of a run's model file; empty if there is no model."""
    return content_checksum(run.model_path)


def last_sequence(run: Run) -> int:
    """Return the number of a run's last event; a line without a number, or an unreadable one, counts as one."""
    record = run.path / "events.jsonl"
    content = record.read_bytes() if record.exists() else b""
    lines = content.count(b"\n") + (content[-1:] not in (b"", b"\n"))
    return max([lines, *(event.sequence or 0 for event in run.events())])


def write_history(run: Run) -> None:
    """Rewrite a run's history.csv from its events: one row per epoch."""
    rows = run.history()
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    write_text_atomic(run.path / "history.csv", text.getvalue())
