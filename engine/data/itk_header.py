"""Checks of the headers of NRRD and MetaImage before ITK reads them.

ITK waits for ever on some that are damaged, crashes on others, and shows memory of its own where voxels are missing.
"""

import math
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath
from typing import Final

from engine.data.decoded_image import UnreadableFile

DAMAGED: Final = "it is damaged, or of a kind that cannot be read"
INCOMPLETE: Final = "it is damaged, or its voxels are not beside it"
_OUTSIDE: Final = "its voxels lie in a file outside its folder; put both into one folder"
_MAX_LINE_BYTES: Final = 400
_MAX_HEADER_BYTES: Final = 2**20
_MAX_TEXT_BYTES: Final = 2**28
_MAX_FILES: Final = 10_000
_BLOCK_BYTES: Final = 2**20
_NRRD: Final = b"NRRD000"
_TEXT: Final = re.compile(rb"^encoding: *(?:ascii|text|txt)", re.IGNORECASE | re.MULTILINE)
_LONG_WORD: Final = re.compile(rb"[^\s,]{100}")
_DATA_FILE: Final = re.compile(rb"^\s*data ?file\s*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_NUMBERED: Final = re.compile(r"(.*%0?\d?d.*) (\d{1,9}) (\d{1,9}) (\d{1,9})(?: \d)?")
_FIELD: Final = re.compile(rb"\s*([A-Za-z]\w*)\s*[=:][ \t]*([^\r\n]*?)[ \t]*")
_VOXELS: Final = b"ElementDataFile"
_SIDES: Final = re.compile(rb"\d{1,9}(?:[ \t]+\d{1,9})*")
# The numbers that say how voxels are packed, and what they are if the header is silent.
_PACKING: Final = ((b"CompressedDataSize", b""), (b"ElementNumberOfChannels", b"1"), (b"HeaderSize", b"0"))
_ITEM_BYTES: Final = {
    **dict.fromkeys((b"MET_SHORT", b"MET_USHORT"), 2),
    **dict.fromkeys((b"MET_INT", b"MET_UINT", b"MET_FLOAT", b"MET_LONG", b"MET_ULONG"), 4),
    **dict.fromkeys((b"MET_DOUBLE", b"MET_LONG_LONG", b"MET_ULONG_LONG"), 8),
}


def check_nrrd(path: Path) -> bool:
    """Check that no line of a NRRD header, and no number written as text, is longer than ITK has room for.

    Returns:
        Whether it is a NRRD file.

    Raises:
        UnreadableFile: one is, or a file of voxels that it names is no file.
    """
    with open(path, "rb") as file:
        if file.read(len(_NRRD)) != _NRRD:
            return False
        header, is_free = b"", False
        while (line := file.readline(_MAX_LINE_BYTES)).strip(b"\r\n") and file.tell() < _MAX_HEADER_BYTES:
            # Comments and pairs of other programs may be long; `is_free` says that one goes on.
            is_free = is_free or line.startswith(b"#") or b":=" in line
            if not (is_free or line.endswith(b"\n")):
                raise UnreadableFile(DAMAGED)
            is_free = is_free and not line.endswith(b"\n")
            header += line
        if _TEXT.search(header) and _LONG_WORD.search(file.read(_MAX_TEXT_BYTES)):
            raise UnreadableFile(DAMAGED)
    for named in _DATA_FILE.finditer(header):
        _check_files(path, _list_files(named[1], header[named.end() :]))
    return True


def check_meta(path: Path) -> tuple[int, ...]:
    """Check the header of a MetaImage, the file of its voxels, and that packed voxels can be unpacked.

    Returns:
        Its sides: columns, rows, slices, and times if it has several.

    Raises:
        UnreadableFile: it is damaged, has another number of dimensions, or names voxels that are no file.
        OSError: it cannot be read.
    """
    fields, start = _read_fields(path)
    sides = fields.get(b"DimSize", b"")
    shape = tuple(map(int, sides.split())) if _SIDES.fullmatch(sides) else ()
    if fields.get(b"NDims", b"").lstrip(b"0") != str(len(shape)).encode():
        raise UnreadableFile(DAMAGED)
    if len(shape) not in (3, 4):
        raise UnreadableFile(f"it has {len(shape)} dimensions; volumes of three can be opened")
    name = fields[_VOXELS]
    if name != b"LOCAL":
        if b"%" in name or name.split()[:1] == [b"LIST"]:
            raise UnreadableFile("its voxels lie in several files; save it as one")
        _check_files(path, [name.decode(errors="surrogateescape")])
    if fields.get(b"CompressedData", b"")[:1] in (b"T", b"t", b"1"):
        _check_packed(path, start, shape, fields)
    return shape


def _read_fields(path: Path) -> tuple[Mapping[bytes, bytes], int]:
    """Return the fields of a MetaImage's header, each of which stands once, and where the header ends."""
    fields: dict[bytes, bytes] = {}
    with open(path, "rb") as file:
        while _VOXELS not in fields:
            line = file.readline(_MAX_HEADER_BYTES)
            if not line or file.tell() > _MAX_HEADER_BYTES:
                raise UnreadableFile(INCOMPLETE)
            found = _FIELD.fullmatch(line.rstrip(b"\r\n"))
            if found[1] in fields if found else _VOXELS in line:
                raise UnreadableFile(DAMAGED)
            if found:
                fields[found[1]] = found[2]
        return fields, file.tell()


def _list_files(named: bytes, rest: bytes) -> Iterable[str]:
    """Return the names of the files of a NRRD header's voxels: one, a list that follows, or numbered ones."""
    name = named.decode(errors="surrogateescape").strip()
    if name.split()[0] == "LIST":
        return rest.decode(errors="surrogateescape").split("\n")[1:]
    numbered = _NUMBERED.fullmatch(name)
    if not numbered:
        return [name]
    numbers = range(int(numbered[2]), int(numbered[3]) + 1, max(1, int(numbered[4])))
    return [numbered[1].replace("%%", "") % number for number in numbers[:_MAX_FILES]]


def _check_files(path: Path, names: Iterable[str]) -> None:
    """Check that files which a header names are files, and in its folder: no pipe, no device, nothing elsewhere."""
    folder = path.parent.resolve()
    for name in filter(None, map(str.strip, names)):
        # Of Windows, whose paths name drives, on every platform.
        place = PureWindowsPath(name)
        if place.anchor or ".." in place.parts:
            raise UnreadableFile(_OUTSIDE)
        try:
            found = (folder / name).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):
            raise UnreadableFile(INCOMPLETE) from None
        if not found.is_file():
            raise UnreadableFile(INCOMPLETE)


def _check_packed(path: Path, start: int, shape: tuple[int, ...], fields: Mapping[bytes, bytes]) -> None:
    """Check that packed voxels unpack to as many bytes as the header says; of others ITK shows its memory, or hangs.

    Raises:
        UnreadableFile: they do not.
        zlib.error: they are no packed bytes.
    """
    size, channels, skipped = (fields.get(name, default) for name, default in _PACKING)
    if not all(map(bytes.isdigit, (size, channels, skipped))):
        raise UnreadableFile(INCOMPLETE)
    wanted = math.prod(shape) * _ITEM_BYTES.get(fields.get(b"ElementType", b""), 1) * int(channels[:9])
    if fields[_VOXELS] != b"LOCAL":
        path, start = path.parent / fields[_VOXELS].decode(errors="surrogateescape"), int(skipped[:9])
    unpacker, left = zlib.decompressobj(zlib.MAX_WBITS | 32), int(size[:15])
    with open(path, "rb") as file:
        file.seek(start)
        while wanted > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
            left -= len(block)
            while block and not unpacker.eof:
                wanted -= len(unpacker.decompress(block, _BLOCK_BYTES))
                block = unpacker.unconsumed_tail
    if wanted > len(unpacker.flush()):
        raise UnreadableFile(INCOMPLETE)
