"""Cheap check whether files have changed, as far as the clock can tell."""

import time
from pathlib import Path

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
