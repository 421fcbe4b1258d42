"""What a file is that Engram does not open, judged by its first bytes and its name."""

from pathlib import Path
from typing import Final

_HEAD_BYTES: Final = 352
_PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff"})
# What a file is, the bytes that it starts with, and others soon after.
_FOREIGN: Final = (
    ("a WebP image", b"RIFF", b"WEBP"),
    ("a sound or a video", b"RIFF", b""),
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
    ("a ZIP archive; unpack it", b"PK\x03\x04", b""),
    ("a 7-Zip archive; unpack it", b"7z\xbc\xaf", b""),
    ("compressed with bzip2; unpack it", b"BZh", b""),
    ("compressed with xz; unpack it", b"\xfd7zXZ", b""),
    ("a PDF document", b"%PDF", b""),
    ("a NumPy array", b"\x93NUMPY", b""),
    ("an HDF5 file (MINC 2 or MATLAB)", b"\x89HDF", b""),
    ("a MATLAB file", b"MATLAB", b""),
    ("a FreeSurfer surface", b"\xff\xff\xfe", b""),
    ("a MINC volume", b"CDF", b""),
    ("a file of streamlines", b"TRACK", b""),
    ("an MRtrix file", b"mrtrix", b""),
    ("an ECAT volume", b"MATRIX", b""),
    ("an AFNI header", b"type = ", b""),
)
# Formats without a mark of their own.
_NAMED: Final = {
    ".par": "the header of a Philips PAR / REC volume; convert it to NIfTI",
    ".rec": "the voxels of a Philips PAR / REC volume; convert it to NIfTI",
    ".brik": "the voxels of an AFNI volume; convert it to NIfTI",
}


def describe_foreign(path: Path) -> str:
    """Return what a file is that Engram does not open, such as 'a WebP image named .jpg'; empty if unknown."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    if not head:
        return "an empty file"
    name = path.name.casefold()
    if b"<GIFTI" in head:
        return "a GIFTI surface"
    for what, start, rest in _FOREIGN:
        if head.startswith(start) and rest in head[: len(start) + 16]:
            return f"{what} named {path.suffix}" if path.suffix.casefold() in _PICTURE_SUFFIXES else what
    if named := next((what for suffix, what in _NAMED.items() if name.removesuffix(".gz").endswith(suffix)), ""):
        return named
    if head.startswith(b"\x1f\x8b") and not name.endswith(".nii.gz"):
        return "compressed with gzip; unpack it"
    called = next((suffix for suffix in (".nii", ".nii.gz") if name.endswith(suffix)), "")
    return f"called {called}, but holds no NIfTI volume" if called else ""
