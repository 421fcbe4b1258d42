"""The folder of one window's throw-away files; what a killed window left is swept up by the next."""

import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QLockFile

PREFIX = "engram-window-"


class Scratch:
    """A new folder, held by a lock that the system gives back when the window dies."""

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
    """Remove the folders whose window is gone."""
    for folder in place.glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock.tryLock(0):
            lock.unlock()
            shutil.rmtree(folder, ignore_errors=True)


def _lock(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / "window.lock"))
    lock.setStaleLockTime(0)  # a window may be open for days; only its death makes the lock stale
    return lock
