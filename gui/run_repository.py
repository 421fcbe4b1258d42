"""All runs of a folder, kept current as they grow: in whichever process they train, by a cheap look for changes."""

import re
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QFile, QObject, QTimer, Signal

from engine import runs
from engine.durable import replace_durably
from engine.errors import RunBusy, RunError, RunExists
from engine.job_control import request_stop
from engine.messages import Event
from gui import palette
from gui.run_record import EventFileTail, RunNotes, RunRecord, open_record, write_notes
from gui.widgets.timers import make_timer

Stamp = tuple[tuple[int, int, int], ...]
SETTLED_NS = 10 * 10**9


def stamp(*files: Path) -> Stamp | None:
    """Return a value that changes whenever one of the files or folders does; a missing one counts too.

    Returns None if one was changed so recently that the next change may have the same time. A clock may tick only
    every 16 ms, and a file system may keep times to 2 s: compare the content then. Take the stamp before reading.
    """
    found = []
    for file in files:
        try:
            known = file.stat()
        except OSError:
            found.append((0, 0, 0))
            continue
        if time.time_ns() - known.st_mtime_ns <= SETTLED_NS:
            return None
        found.append((known.st_mtime_ns, known.st_size, known.st_ino))
    return tuple(found)


LOOK_MS = 1500
SLICE_S = 0.02
# The name that engine.search.folder gives it; importing that module would delay the first window.
SEARCHES_FOLDER = "_searches"
TRIAL_NAME = re.compile(r"(.+)-(\d{4,})")
Take = Callable[[Event, str], None]


class RunRepository(QObject):
    """Runs of a folder and their records, oldest first."""

    changed = Signal()

    def __init__(self, root: Path, take: Take, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.root, self.records = root, dict[str, RunRecord]()
        self._take = take
        self._tails: dict[str, EventFileTail] = {}
        self._waiting: list[str] = []
        self._folders_seen: Stamp | None = None
        self._marked: set[str] = set()
        self._timer = make_timer(self, LOOK_MS, single_shot=False)
        self._timer.timeout.connect(self.refresh)

    def open(self, root: Path) -> None:
        """Switch to a folder of runs."""
        self.root = root
        self.records.clear()
        self._tails.clear()
        self._waiting.clear()
        self._folders_seen = None
        palette.reset_series()
        self._timer.start()
        self.refresh()

    def refresh(self) -> None:
        """Detect new and removed runs, and read the new events of the others."""
        self._notice_folders()
        if not self._waiting:
            self._waiting = list(self.records)
            self._read_some()

    def read_new_events(self, name: str) -> None:
        """Read the events appended to one run's record."""
        tail, record = self._tails[name], self.records[name]
        grown = tail.bytes_added()
        if grown < 0:
            self._forget(name)
            return
        for event in tail.read() if grown else []:
            self._take(event, name)
        if record.state != "finished" or grown:
            self._set_busy(record, name in self._marked or record.run.is_busy())

    def _read_some(self) -> None:
        """Read for a moment, the newest run first; a folder with many runs is read in slices."""
        end = time.monotonic() + SLICE_S
        while self._waiting:
            name = self._waiting.pop()
            if name in self.records:
                self.read_new_events(name)
            if time.monotonic() > end:
                break
        if self._waiting:
            QTimer.singleShot(0, self, self._read_some)

    def add(self, run: runs.Run) -> RunRecord:
        """Add a run that was just created; if its name was in use, reload its settings."""
        if run.name in self.records:
            self._forget(run.name)
        self._folders_seen = None
        self._notice_folders()
        return self.records[run.name]

    def rename(self, name: str, new: str) -> None:
        """Rename a run. Raises RunError."""
        folder = self._idle_folder(name)
        runs.check_name(new)
        target = self.root / new
        # A disk that does not tell case apart finds the run itself under a name that differs in case alone.
        if target.exists() and not target.samefile(folder):
            raise RunExists(f"A run named '{new}' already exists.", "Choose another name.")
        try:
            replace_durably(folder, target)
        except OSError as error:
            raise RunError(f"Run '{name}' cannot be renamed ({error.strerror}).") from None
        self.refresh()

    def delete(self, name: str, for_good: bool = False) -> bool:
        """Move a run to the trash, or delete it permanently; return False if it has no trash. Raises RunError."""
        folder = self._idle_folder(name)
        if for_good:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise RunError(f"Run '{name}' cannot be deleted ({error.strerror}).") from None
        elif not QFile.moveToTrash(str(folder)):
            return False
        self.refresh()
        return True

    def request_stop(self, name: str) -> None:
        """Ask the process that trains a run to stop and keep its results. Raises RunError."""
        try:
            request_stop(self.records[name].run.path)
        except OSError as error:
            raise RunError(f"Run '{name}' cannot be stopped ({error.strerror}).") from None

    def annotate(self, name: str, note: str, tags: tuple[str, ...]) -> None:
        """Keep a note and tags with a run. Raises RunError."""
        record = self.records[name]
        try:
            self._write_notes(record, replace(record.notes, note=note, tags=tags))
        except OSError as error:
            raise RunError(f"The note of run '{name}' cannot be written ({error.strerror}).") from None
        self.changed.emit()

    def _write_notes(self, record: RunRecord, notes: RunNotes) -> None:
        record.notes = notes
        write_notes(record.run.path, notes)

    def mark_busy(self, name: str, busy: bool) -> None:
        """Record whether a run is in training, before its lock shows it."""
        (self._marked.add if busy else self._marked.discard)(name)
        if name in self.records:
            self._set_busy(self.records[name], busy)

    def close(self) -> None:
        self._timer.stop()

    def _idle_folder(self, name: str) -> Path:
        run = self.records[name].run
        if run.is_busy():
            raise RunBusy(f"Run '{name}' is still training.", "Stop it first.")
        return run.path

    def _notice_folders(self) -> None:
        """List the folder again if it has changed, or might just have: creating a run takes a moment."""
        seen = stamp(self.root)
        if seen and seen == self._folders_seen:
            return
        self._folders_seen = seen
        try:
            found = {run.name: run for run in runs.list_runs(self.root)}
        # The drive may be unavailable for a moment: keep the known runs.
        except OSError:
            return
        for name in [name for name in self.records if name not in found]:
            self._forget(name)
        new = [name for name in found if name not in self.records]
        for name in new:
            path = found[name].path
            self.records[name], self._tails[name] = open_record(path), EventFileTail(path / "events.jsonl")
        if new:
            self._give_looks(new)
            self.changed.emit()

    def _give_looks(self, names: Collection[str]) -> None:
        """Give new runs the look of their curves: the one that they had before, or a new one that they keep.

        The look of a trial follows from its number, so that a search writes nothing into its runs.
        """
        searches = {path.name for path in (self.root / SEARCHES_FOLDER).glob("*/")}
        for name in names:
            record, trial = self.records[name], TRIAL_NAME.fullmatch(name)
            if trial and trial[1] in searches:
                record.search = trial[1]
                palette.register_series(name, int(trial[2]) - 1)
            elif record.notes.place is not None:
                palette.register_series(name, record.notes.place)
        for name in names:
            record = self.records[name]
            if not record.search and record.notes.place is None and not record.damage:
                with suppress(OSError):
                    self._write_notes(record, replace(record.notes, place=palette.register_series(name)))

    def _forget(self, name: str) -> None:
        del self.records[name], self._tails[name]
        self.changed.emit()

    def _set_busy(self, record: RunRecord, busy: bool) -> None:
        if record.busy != busy:
            record.busy = busy
            self.changed.emit()
