"""Checks of a run folder that may come from a stranger, before anything in it is read or written."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.errors import RunDamaged

FOLDERS: Final = ("checkpoint", "previews")
FILES: Final = ("config.json", "events.jsonl", "history.csv", "lock", "model.keras", "provenance.json", "stop")
MAX_RECORD_BYTES: Final = 2**25  # whatever JSON is in it, reading it takes less than a gigabyte
MAX_EVENTS_BYTES: Final = 2**26  # ten thousand epochs are half of it


def read_record(path: Path) -> str:
    """Read a text file that may come from a stranger.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a device, a pipe or a folder, too large, or not UTF-8.
    """
    known = path.stat()
    if not stat.S_ISREG(known.st_mode) or known.st_size > MAX_RECORD_BYTES:
        raise ValueError("it is no file, or too large")
    return path.read_text(encoding="utf-8-sig")  # some editors put a mark in front


def check_folder(folder: Path) -> None:
    """Check that a run's files are files, its folders are folders, and no link leads out of it.

    Training writes to and deletes from these, so a link would let a stranger's run change files elsewhere.

    Raises:
        RunDamaged: what is odd, by name.
    """
    try:
        _check_entries(folder)
    except OSError as error:
        reason = error.strerror or error
        raise RunDamaged(f"Run '{folder.name}' cannot be looked into ({reason}).", "Check its permissions.") from None


def _check_entries(folder: Path) -> None:
    advice = "Remove it from the run's folder, or do not use this run."
    for path, is_folder in _list_entries(folder):
        name = path.relative_to(folder)
        if path.is_symlink() and (path.name == "lock" or not _leads_inside(path, folder)):
            raise RunDamaged(f"{name} of run '{folder.name}' is a link out of its folder.", advice)
        if path.exists() and path.is_dir() != is_folder:
            kind = "a folder" if is_folder else "a file"
            raise RunDamaged(f"{name} of run '{folder.name}' is not {kind}.", advice)
        if not is_folder and path.exists() and not path.is_file():
            raise RunDamaged(f"{name} of run '{folder.name}' is a device or a pipe.", advice)
        if path.name == "events.jsonl" and path.exists() and path.stat().st_size > MAX_EVENTS_BYTES:
            raise RunDamaged(f"{name} of run '{folder.name}' is too large to be a record.", advice)


def _list_entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what Engram reads, writes or deletes, each with whether it should be a folder."""
    yield from ((each, False) for each in _list_folder(folder) if each.name not in FOLDERS and not _is_folder(each))
    for path in (folder / name for name in FOLDERS):
        yield path, True
        yield from ((each, path.name == "checkpoint") for each in _list_folder(path))
    for path in (folder / "checkpoint").glob("epoch-*"):
        yield from ((each, False) for each in _list_folder(path))


def _list_folder(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_folder(path: Path) -> bool:
    """Return whether an entry is a folder that Engram does not know, such as one of the user."""
    return path.is_dir() and path.name not in FILES


def _leads_inside(link: Path, folder: Path) -> bool:
    return Path(os.path.realpath(link)).is_relative_to(os.path.realpath(folder))
