"""Zip archives that may come from strangers: arrays whose declared shape is looked at before their content is read."""

import hashlib
import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

# What the standard library, numpy and h5py raise for an archive that is cut off, altered or made to do harm.
DAMAGE: Final = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
# Fixed, so that a clock before 1980, which zip cannot write, does not matter.
TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
MAX_HEADER_BYTES: Final = 2**16
MAX_ITEM_BYTES: Final = 8


def write_arrays(file: IO[bytes], arrays: Iterable[NDArray[Any]]) -> None:
    """Write arrays as `numpy.savez(file, *arrays)` does, with a fixed time.

    Raises:
        OSError: the file cannot be written.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for number, array in enumerate(arrays):
            member = zipfile.ZipInfo(f"arr_{number}.npy", TIMESTAMP)
            with archive.open(member, "w", force_zip64=True) as content:
                np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)


def read_arrays(path: Path, shapes: Sequence[tuple[int, ...]]) -> list[NDArray[Any]]:
    """Read the arrays of `write_arrays`, which must have these shapes and hold numbers.

    Raises:
        ValueError: they have other shapes; nothing but their headers was read.
        One of DAMAGE: the archive is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        names = [f"arr_{number}.npy" for number in range(len(shapes))]
        if sorted(archive.namelist()) != sorted(names):
            raise ValueError("the archive holds other arrays")
        for name, shape in zip(names, shapes, strict=True):
            _check_member(archive, name, shape)
        return [_read(archive, name) for name in names]


def _check_member(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> None:
    member = archive.getinfo(name)
    wanted = int(np.prod(shape, dtype=np.int64)) * MAX_ITEM_BYTES + MAX_HEADER_BYTES
    if member.file_size > wanted or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is larger than its array, or packed in an unknown way")
    with archive.open(name) as content:
        version = np.lib.format.read_magic(content)
        headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        found, _, dtype = headers[version](content)
    if found != shape or dtype.kind not in "biuf" or dtype.itemsize > MAX_ITEM_BYTES:
        raise ValueError(f"{name} has another shape or type")


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as content:
        array: NDArray[Any] = np.lib.format.read_array(content, allow_pickle=False)
        if content.read(1):
            raise ValueError(f"{name} goes on behind its array")
        return array


def content_checksum(path: Path) -> str:
    """Return a hash that identifies the content of a zip archive; empty if there is none.

    Its directory holds a checksum of every member, so little is read. The file's time is not enough: two archives may
    be written within one tick of the clock, or restored with an old time.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(member.filename, member.file_size, member.CRC) for member in archive.infolist()]
        content = repr(members).encode()
    except FileNotFoundError:
        return ""
    except DAMAGE:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(content).hexdigest()
