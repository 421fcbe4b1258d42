"""Temporary folders of decoded scans, which hold a patient's pixels: removed also after a process that was killed."""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PREFIX: Final = "engram-scan-"
NAME: Final = re.compile(rf"{PREFIX}(?:(\d+)-)?\w+")
# Folders of an earlier version, or on Windows, do not tell whether their process lives.
MAX_AGE_S: Final = 24 * 3600


@contextmanager
def scan_folder() -> Iterator[Path]:
    """Create a private folder for one scan, and remove it at the end, with those that killed processes left."""
    remove_abandoned()
    prefix = f"{PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def remove_abandoned() -> None:
    """Remove this user's folders of processes that have ended."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(path: Path) -> bool:
    name = NAME.fullmatch(path.name)
    try:
        known = path.lstat()
        if name is None or path.is_symlink() or (hasattr(os, "getuid") and known.st_uid != os.getuid()):
            return False
        if name[1] and sys.platform != "win32":
            return not _is_alive(int(name[1]))
        return time.time() - known.st_mtime > MAX_AGE_S
    except OSError:
        return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
