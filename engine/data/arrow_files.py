"""Limits on the tables of a dataset, which may unpack to far more than their files hold. For a limited process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow

resource: Any
try:
    import resource
except ImportError:  # Windows has none
    resource = None

MAX_GROWTH: Final = 20  # converted bytes to the bytes of the files; tables of compressed images grow by a tenth
SMALL_BYTES: Final = 2**28  # the growth does not count below this


def measure(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
    return sum(file.stat().st_size for file in (files if path.is_dir() else [path]) if file.is_file())


def open_saved(folder: Path, mapped_bytes: int) -> None:
    """Open the tables of a saved dataset as the library does, which unpacks what is packed, and forget them.

    Args:
        folder: the dataset.
        mapped_bytes: bytes of its files; they are mapped, so they do not count as memory.
    """
    count_all_memory()
    if resource:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard if soft == resource.RLIM_INFINITY else soft + mapped_bytes, hard))
    opened = []
    for path in folder.rglob("*.arrow"):
        opened.append(pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))).read_all())


def count_all_memory() -> None:
    """Let pyarrow take its memory from the system; its own allocators hold a gigabyte that no limit counts."""
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())


@contextmanager
def limit_files(source_bytes: int) -> Iterator[None]:
    """Limit the size of each file that the body writes, as far as the platform can.

    Args:
        source_bytes: bytes of the files that are converted.
    """
    if resource is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(SMALL_BYTES, MAX_GROWTH * source_bytes), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
