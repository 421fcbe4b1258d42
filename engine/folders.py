"""Folders: where the cache is, and the lock of a folder by its file `lock`.

The cache holds only what Engram can recompute. The system releases a lock when the process dies, however it dies.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from engine.errors import EngramError

if sys.platform != "win32":
    import fcntl


def cache_root() -> Path:
    """Return the folder of the cache: `ENGRAM_CACHE` if set, else the platform's place for caches."""
    if chosen := os.environ.get("ENGRAM_CACHE"):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "engram"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "engram" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "engram"


def is_locked(folder: Path) -> bool:
    """Return whether a living process holds a folder. A `lock` that is no plain file is held by no process."""
    lock = folder / "lock"
    if lock.is_symlink() or not lock.is_file():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        # The folder may only be read; the process of another user may hold it.
        return _is_held_by_another_user(lock)


def _is_held_by_another_user(lock: Path) -> bool:
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def lock_folder(folder: Path, busy: EngramError) -> Iterator[None]:
    """Hold a folder.

    Raises:
        EngramError: `busy`, if another process holds it.
        OSError: the file `lock` cannot be written.
    """
    try:
        with FileLock(folder / "lock", timeout=1):
            yield
    except Timeout:
        raise busy from None
