"""Folder for the temporary files of one window; the next window removes what a killed one left."""

import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QLockFile

PREFIX = "engram-window-"


class Scratch:
    """New folder, held by a lock that the system releases when the process dies."""

    def __init__(self, place: Path | None = None) -> None:
        place = place or Path(tempfile.gettempdir())
        sweep(place)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        self._lock = _lock(self.path)
        self._lock.tryLock(0)

    def remove(self) -> None:
        self._lock.unlock()
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(place: Path) -> None:
    """Remove the folders whose process has died."""
    for folder in place.glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock.tryLock(0):
            lock.unlock()
            shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / "window.lock"))
    # A window may be open for days; only its death makes the lock stale.
    lock.setStaleLockTime(0)
    return lock
