"""File formats, detected from the first bytes and the name; imports no reader."""

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

FileFormat = Literal["picture", "dicom", "nifti"]
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
