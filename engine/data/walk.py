"""Files of a source folder. Imports no reader."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.data.formats import PICTURE_SUFFIXES, detect_format
from engine.errors import EmptySource, SourceNotFound

LOOKED_FOR = (
    "Engram looks for PNG, JPEG, BMP, TIFF and DICOM files, directly in the folder or in subfolders for splits and "
    "classes, such as Training/glioma."
)
Skip = Callable[[str, str], None]


def check_folder(source: str) -> None:
    """Check that a source is a folder with an image, stopping at the first one.

    Phantoms and Hugging Face datasets pass without a check: they are not folders.

    Raises:
        SourceNotFound: it is not a folder.
        EmptySource: there is no image in it.
    """
    if source == "phantom" or source.startswith("hf:"):
        return
    if next(list_pictures(open_folder(source), lambda name, reason: None), None) is None:
        raise EmptySource(f"There is no usable image in {source}.", LOOKED_FOR)


def open_folder(source: str) -> Path:
    """Return the folder that a source names.

    Raises:
        SourceNotFound: it is not a folder.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise SourceNotFound(f"'{source}' {what}.", "Give 'phantom', a folder of images, or 'hf:ID'.")
    return folder


def list_pictures(folder: Path, skip: Skip) -> Iterator[str]:
    """Yield the names of the files that may be images; call `skip` with every other file and the reason."""
    for name, is_link in _walk(folder, skip):
        if is_link:
            skip(name, "symbolic links are not followed")
        elif Path(name).suffix.casefold() in PICTURE_SUFFIXES or _is_picture(folder / name):
            yield name
        else:
            skip(name, "not an image")


def _walk(folder: Path, skip: Skip) -> Iterator[tuple[str, bool]]:
    """Yield (relative path, whether it is a symbolic link) of every file that is not hidden."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        for entry in _entries(folder, prefix, skip):
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{prefix}{entry.name}/")
            elif entry.is_symlink() or entry.is_file():
                yield f"{prefix}{entry.name}", entry.is_symlink()


def _entries(folder: Path, prefix: str, skip: Skip) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / prefix) as entries:
            return list(entries)
    except OSError as error:
        skip(prefix or ".", f"cannot be opened: {error.strerror}")
        return []


def _is_picture(file: Path) -> bool:
    try:
        return detect_format(file) in {"picture", "dicom"}
    except OSError:
        return False
