"""Files of a source folder, and their formats, detected from first bytes and name. Imports no reader."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

from engine.errors import EmptySource, SourceNotFound

FileFormat = Literal["picture", "dicom", "nifti"]
Skip = Callable[[str, str], None]
LOOKED_FOR = (
    "Engram looks for PNG, JPEG, BMP, TIFF and DICOM files, directly in the folder or in subfolders for splits and "
    "classes, such as Training/glioma."
)
PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff"})
DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GZIP: Final = b"\x1f\x8b"
_HEAD_BYTES: Final = 352


def detect_format(path: Path) -> FileFormat | None:
    """Return the format of a file; None if Engram cannot open it.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[128:132] == b"DICM" or path.suffix.casefold() in DICOM_SUFFIXES:  # first: it may start like a TIFF
        return "dicom"
    if head.startswith(_PICTURES):
        return "picture"
    return "nifti" if _is_nifti(_unzipped(path) if head.startswith(_GZIP) else head) else None


def open_plain(path: Path) -> BinaryIO:
    """Open a file, through gzip if it is compressed."""
    with open(path, "rb") as file:
        zipped = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path)) if zipped else open(path, "rb")


def _unzipped(path: Path) -> bytes:
    try:
        with open_plain(path) as file:
            return file.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def _is_nifti(head: bytes) -> bool:
    """Return whether this is a header of NIfTI-1 or NIfTI-2, in the two-file form too."""
    return head[344:348] in {b"n+1\0", b"ni1\0"} or head[4:8] in {b"n+2\0", b"ni2\0"}


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
