"""Files of a source folder, and their formats, detected from first bytes and name. Imports no reader."""

import errno
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
_VOLUME: Final = (
    "a NIfTI volume; a dataset takes one image from each file, so save its slices as PNG files first "
    "(docs/volumes.md has a script that does it)"
)
# What a file is, the bytes that it starts with, and others soon after.
_FOREIGN: Final = (
    ("a WebP image", b"RIFF", b"WEBP"),
    ("a GIF image", b"GIF8", b""),
    ("a HEIC or AVIF image", b"\0\0\0", b"ftyp"),
    ("a JPEG 2000 image", b"\0\0\0\x0cjP  ", b""),
    ("a JPEG 2000 image", b"\xff\x4f\xff\x51", b""),
    ("an SVG image", b"<svg", b""),
    ("a web page", b"<!DOCTYPE", b""),
    ("a web page", b"<!doctype", b""),
    ("a web page", b"<html", b""),
    ("a pointer of Git LFS; run 'git lfs pull' to fetch the file", b"version https://git-lfs", b""),
    ("a pointer of git-annex; run 'datalad get' to fetch the file", b"/annex/objects/", b""),
    ("a zip archive", b"PK\x03\x04", b""),
    ("a PDF document", b"%PDF", b""),
    ("a NumPy array", b"\x93NUMPY", b""),
    ("an HDF5 or MATLAB file", b"\x89HDF", b""),
)


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
    for name, problem in _walk(folder, skip):
        reason = problem or _find_format_problem(folder / name)
        if reason:
            skip(name, reason)
        else:
            yield name


def describe_foreign(path: Path) -> str:
    """Return what a file is that Engram does not read, such as 'a WebP image named .jpg'; empty if unknown."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    if not head:
        return "an empty file"
    for what, start, rest in _FOREIGN:
        if head.startswith(start) and rest in head[: len(start) + 16]:
            return f"{what} named {path.suffix}" if path.suffix.casefold() in PICTURE_SUFFIXES else what
    return ""


def _walk(folder: Path, skip: Skip) -> Iterator[tuple[str, str]]:
    """Yield (relative path, why it cannot be used, or empty) of every file that is not hidden.

    Links to files are followed, as the tools that store files by their hash (git-annex, DVC, the Hugging Face cache)
    make them. Links to folders are not: they may lead in circles, or out of the dataset.
    """
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        for entry in _entries(folder, prefix, skip):
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{prefix}{entry.name}/")
            elif entry.is_symlink():
                yield f"{prefix}{entry.name}", _find_link_problem(folder, Path(entry.path))
            elif entry.is_file():
                yield f"{prefix}{entry.name}", ""


def _find_link_problem(folder: Path, link: Path) -> str:
    """Return why a symbolic link is not followed; empty if it leads to a file."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop, before Python 3.13
        if isinstance(error, RuntimeError) or error.errno == errno.ELOOP:
            return "a link that leads in a circle"
        if "annex" in os.readlink(link).replace("\\", "/").split("/"):
            return "a link to a file that git-annex has not fetched; run 'datalad get' in the dataset"
        return "a link to a file that does not exist"
    if target.is_dir():
        root = folder.resolve()
        if root == target or target in root.parents:
            return "a link to a folder that contains it, which would lead in a circle"
        inside = "inside" if root in target.parents else "outside"
        return f"a link to a folder {inside} the dataset; only links to files are followed"
    return "" if target.is_file() else "a link to something that is not a file"


def _entries(folder: Path, prefix: str, skip: Skip) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / prefix) as entries:
            return list(entries)
    except OSError as error:
        skip(prefix or ".", f"cannot be opened: {error.strerror}")
        return []


def _find_format_problem(file: Path) -> str:
    """Return why a file is not listed as an image, or empty; a name that ends in .png or the like is not opened."""
    if file.suffix.casefold() in PICTURE_SUFFIXES:
        return ""
    try:
        kind = detect_format(file)
    except OSError:
        return "not an image"
    if kind is None:
        return describe_foreign(file) or "not an image"
    return _VOLUME if kind == "nifti" else ""
