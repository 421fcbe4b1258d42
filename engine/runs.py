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
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from engine import config as settings
from engine.config import RunConfig
from engine.errors import EngramError, RunBusy, RunDamaged, RunError, RunExists, RunNotFound
from engine.folders import cache_root
from engine.messages import EpochEnded, Event, JobEnded, JobStarted, read_event

NOT_COPIED = ("lock", "wandb", "tracking.json")  # files of the run itself, not of a copy
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def default_root() -> Path:
    """Return the folder that holds the runs: `ENGRAM_RUNS`, else `Engram/runs` in the user's home."""
    return Path(os.environ.get("ENGRAM_RUNS") or Path.home() / "Engram" / "runs")


def is_locked(folder: Path) -> bool:
    """Return whether a living process holds a folder by its file `lock`."""
    if not (folder / "lock").exists():
        return False
    try:
        with FileLock(folder / "lock", timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def lock_folder(folder: Path, busy: EngramError) -> Iterator[None]:
    """Hold a folder by its file `lock`; the system releases it when the process dies, however it dies.

    Raises:
        EngramError: `busy`, if another process holds it.
    """
    try:
        with FileLock(folder / "lock", timeout=1):
            yield
    except Timeout:
        raise busy from None


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
        """Return the folder of results that can be recomputed from the model: the run's own folder.

        For a run that ships with Engram, or one in a read-only folder, it is a folder in the cache.
        """
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

    def read_derived(self, name: str) -> dict[str, Any]:
        """Read a JSON file of derived results; empty if it is missing or cannot be read."""
        try:
            return dict(json.loads((self.derived / name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def write_derived(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file of derived results; where writing fails, they are computed again next time."""
        with suppress(OSError):
            self.derived.mkdir(parents=True, exist_ok=True)
            write_text_atomic(self.derived / name, json.dumps(content, indent=2))

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one of the run's JSON files.

        Raises:
            RunDamaged: it is missing or cannot be read.
        """
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunDamaged(f"{name} of run '{self.name}' cannot be read ({error}).", "Restore the file.") from None
        return dict(content)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one of the run's JSON files atomically: a reader sees the old or the new content."""
        write_text_atomic(self.path / name, json.dumps(content, indent=2))

    def append(self, event: Event) -> None:
        """Append an event to the run's record, on a line of its own even after a line that a crash cut off."""
        with builtins.open(self.path / "events.jsonl", "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                cut_off = file.read(1) != b"\n"
                file.write(b"\n" * cut_off)
            file.write(event.to_json_line().encode())

    def events(self) -> Iterator[Event]:
        """Yield every event so far, in order; a line cut off by a crash is skipped."""
        try:
            lines = (self.path / "events.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            try:
                yield read_event(line)
            except EngramError:
                continue

    def history(self) -> list[dict[str, float]]:
        """Return the metrics of every epoch, in order; of an epoch run twice (after a crash) the later one counts."""
        rows: dict[int, dict[str, float]] = {}
        for event in self.events():
            if isinstance(event, EpochEnded):
                rows[event.epoch] = {"epoch": event.epoch, **event.metrics}
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
            raise RunError(
                f"Run '{self.name}' is a demo run that comes with Engram and cannot be changed.",
                "Train a run of your own.",
            )
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
        RunError: the name is not valid, or the folder cannot be written.
    """
    folder = Path(root or default_root())
    if name is not None and not NAME_PATTERN.fullmatch(name):
        raise RunError(f"'{name}' is not a valid run name.", "Use letters, digits, '.', '_' and '-'.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        run = _make_folder(folder, name) if name else _claim_next(folder, config.model.model)
    except OSError as error:
        raise RunError(f"Runs cannot be saved in {folder} ({error.strerror}).", "Choose another folder.") from None
    run.write_json("config.json", config.model_dump(mode="json"))
    return run


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
    if not NAME_PATTERN.fullmatch(name):
        raise RunError(f"'{name}' is not a valid run name.", "Use letters, digits, '.', '_' and '-'.")
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
        os.replace(unfinished, path)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise RunError(
            f"The run could not be copied to {path} ({error.strerror}).", "Check that the disk is not full."
        ) from None
    return Run(path)


def retarget_event(event: Event, path: Path) -> Event:
    """Return the event with the name and path of another run."""
    changes = {"run": path.name, "path": str(path)}
    return event.model_copy(update={name: value for name, value in changes.items() if name in type(event).model_fields})


def _make_folder(folder: Path, name: str) -> Run:
    run = Run(folder / name)
    try:
        run.path.mkdir()
    except FileExistsError:
        if _is_blank(run):
            _clear(run)
            return run
        advice = "Choose another name, or resume the existing run."
        raise RunExists(f"There is already a run '{name}' in {folder}.", advice) from None
    return run


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


def _claim_next(folder: Path, model: str) -> Run:
    taken = [int(m[1]) for path in folder.iterdir() if (m := re.fullmatch(rf"{model}-(\d+)", path.name))]
    number = max(taken, default=0) + 1
    while True:
        try:
            return _make_folder(folder, f"{model}-{number:04d}")
        except RunExists:
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
    known = ", ".join(run.name for run in list_runs(folder)[-5:]) or "none yet"
    raise RunNotFound(f"There is no run '{name}' in {folder}.", f"Runs there: {known}.")


def list_runs(root: Path | str | None = None) -> list[Run]:
    """Return all runs of a folder, oldest first."""
    folder = Path(root or default_root())
    found = [path for path in folder.iterdir() if (path / "config.json").is_file()] if folder.is_dir() else []
    found.sort(key=lambda path: ((path / "config.json").stat().st_mtime, path.name))
    return [Run(path.resolve()) for path in found]


def model_checksum(run: Run) -> str:
    """Return a hash that identifies the content of a run's model file; empty if there is no model.

    A Keras file is a zip archive, whose directory holds a checksum of every member, so little is read. The file's time
    is not enough: two models may be written within one tick of the clock, or restored with an old time.
    """
    try:
        with zipfile.ZipFile(run.model_path) as archive:
            members = [(member.filename, member.file_size, member.CRC) for member in archive.infolist()]
        content = repr(members).encode()
    except FileNotFoundError:
        return ""
    except zipfile.BadZipFile:
        content = run.model_path.read_bytes()
    return hashlib.sha256(content).hexdigest()


def last_sequence(run: Run) -> int:
    """Return the number of a run's last event; a line without a number, or an unreadable one, counts as one."""
    record = run.path / "events.jsonl"
    lines = len(record.read_bytes().splitlines()) if record.exists() else 0
    return max([lines, *(event.sequence or 0 for event in run.events())])


def write_text_atomic(path: Path, text: str) -> None:
    """Write a text file so that a crash leaves the old content or the new, never a part."""
    temporary = path.with_name(path.name + ".new")
    with builtins.open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def write_history(run: Run) -> None:
    """Rewrite a run's history.csv from its events: one row per epoch."""
    rows = run.history()
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    write_text_atomic(run.path / "history.csv", text.getvalue())
