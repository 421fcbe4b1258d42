"""Writes that survive a power cut: content is on the disk before its name, and the name before the caller continues.

A rename alone is atomic but not durable. A file system may write the new name first and the content later; after a
power cut the name then stands over an empty file. The order here is: flush the file, rename it, flush its folder.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None

# Windows cannot open a folder; NTFS journals names by itself.
HAS_FOLDER_FLUSH: Final = sys.platform != "win32"
REPLACE_TIMEOUT_S, RETRY_S = 2.0, 0.02


def flush(descriptor: int) -> None:
    """Flush an open file to the disk; on macOS, where `fsync` stops at the disk's own cache, through that cache.

    Raises:
        OSError: the disk cannot be written.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is None:
        os.fsync(descriptor)
        return
    try:
        fcntl.fcntl(descriptor, full)
    except OSError:
        # Not every file system has it.
        os.fsync(descriptor)


def replace(source: Path | str, target: Path | str) -> None:
    """Rename a file or folder in place of another.

    Windows refuses it while another process has the target open, such as the app that reads a run's settings: it is
    tried again for a moment.

    Raises:
        OSError: it cannot be renamed.
    """
    end = time.monotonic() + REPLACE_TIMEOUT_S
    while True:
        try:
            os.replace(source, target)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > end:
                raise
            time.sleep(RETRY_S)
        else:
            return


def flush_folder(folder: Path) -> None:
    """Flush the names of a folder's entries to the disk; do nothing on Windows.

    Raises:
        OSError: the disk cannot be written.
    """
    if not HAS_FOLDER_FLUSH:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def flush_file(path: Path) -> None:
    """Flush the content of a file that another library has written.

    Raises:
        OSError: the disk cannot be written.
    """
    mode = "rb+" if os.name == "nt" else "rb"  # Windows flushes what is open for writing; a copy may be read-only
    with open(path, mode) as file:
        flush(file.fileno())


def replace_durably(source: Path, target: Path) -> None:
    """Rename a flushed file or folder, and flush its name.

    Raises:
        OSError: it cannot be renamed.
    """
    replace(source, target)
    flush_folder(target.parent)


def move_copy(source: Path, target: Path) -> None:
    """Flush a copied folder with all that is in it, and rename it.

    Raises:
        OSError: the disk cannot be written, or the folder cannot be renamed.
    """
    for folder, _, names in os.walk(source):
        for name in names:
            flush_file(Path(folder) / name)
        flush_folder(Path(folder))
    replace_durably(source, target)


def make_folder(folder: Path) -> None:
    """Create a folder unless it exists, and flush its name.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        folder.mkdir()
        flush_folder(folder.parent)


@contextmanager
def open_new(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file in place of anything of that name, and flush it at the end. A link is replaced, not followed.

    Raises:
        OSError: it cannot be written; `filename` is always set, which Python leaves out for a full disk.
    """
    with name_failures(path):
        path.unlink(missing_ok=True)
        with open(path, "xb") as file:
            yield file
            file.flush()
            flush(file.fileno())


def write_text_atomic(path: Path, text: str) -> None:
    """Write a text file so that a crash or a power cut leaves the old content or the new, never a part.

    Raises:
        OSError: it cannot be written; the old content is kept.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_text_atomic(Path(folder, "a.txt"), "new")
        ...     Path(folder, "a.txt").read_text()
        'new'
    """
    temporary = path.with_name(path.name + ".new")
    with name_failures(path):
        with open_new(temporary) as file:
            # A file name that is not UTF-8 is written as the bytes that it has.
            file.write(text.encode(errors="surrogateescape"))
        replace_durably(temporary, path)


def detach_file(path: Path) -> None:
    """Replace a file that has further names by a copy, so that what is written to it reaches none of them.

    Such hard links come from backups and from tools that store equal files once.

    Raises:
        OSError: it cannot be copied; then nothing has changed.
    """
    if path.exists() and path.stat().st_nlink > 1:
        temporary = path.with_name(path.name + ".new")
        with open_new(temporary) as file:
            file.write(path.read_bytes())
        replace_durably(temporary, path)


def write_output(path: Path, content: bytes) -> None:
    """Write a file that can be made again, such as a figure; it is not flushed.

    Raises:
        OSError: it cannot be written; `filename` is set.
    """
    with name_failures(path):
        path.write_bytes(content)


@contextmanager
def name_failures(path: Path) -> Iterator[None]:
    """Name the file in every OSError of the body: a full disk is reported without a name.

    Raises:
        OSError: as the body, with `filename` set.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def remove_folder(folder: Path) -> None:
    """Remove a folder and all in it; a link is removed, not followed. A failure leaves the rest."""
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
