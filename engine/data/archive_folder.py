"""Zip archives of images as folders: unpacked once into the cache, with limits on number, size and ratio.

Every member is untrusted. An archive with a path that leads out of its folder is refused; links, hidden files and
nested archives are not unpacked.
"""

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

from engine.archives import DAMAGE
from engine.durable import replace
from engine.errors import DataError, SourceNotFound
from engine.folders import cache_root

MAX_MEMBERS: Final = 200_000
MAX_BYTES: Final = 50 * 2**30
MAX_RATIO: Final = 200  # unpacked bytes to the bytes of the archive; slices and masks with much black reach 100
SMALL_BYTES: Final = 2**28  # the ratio does not count below this
_SPARE_BYTES: Final = 2**30  # left free on the disk
_ENCRYPTED: Final = 1
_MAGIC: Final = b"PK\x03\x04"


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip archive, by its first bytes."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def unpack(archive: Path) -> Path:
    """Unpack an archive into the cache and return the folder; an unchanged one is unpacked once.

    Raises:
        DataError: it is damaged, encrypted, too large, or has a path that leads out of it.
        SourceNotFound: it cannot be read.
    """
    try:
        known = archive.stat()
    except OSError as error:
        raise SourceNotFound(f"'{archive.name}' cannot be read ({error.strerror or error}).", "Check it.") from error
    identity = f"{archive.resolve()}\0{known.st_size}\0{known.st_mtime_ns}".encode(errors="surrogateescape")
    place = cache_root() / "archives" / hashlib.sha256(identity).hexdigest()[:32]
    if place.is_dir():
        return place
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _check_members(archive, opened)
            place.parent.mkdir(parents=True, exist_ok=True)
            _check_space(archive, members, place.parent)
            with tempfile.TemporaryDirectory(prefix="new-", dir=place.parent, ignore_cleanup_errors=True) as folder:
                fresh = Path(folder) / "content"
                fresh.mkdir()
                for member in members:
                    _extract(opened, member, fresh)
                replace(fresh, place)
    except OSError as error:
        if not place.is_dir():  # else another process was faster
            raise _make_error(archive, f"cannot be unpacked ({error.strerror or error})") from error
    except DAMAGE as error:
        raise _make_error(archive, "is damaged, or packed in a way that cannot be read") from error
    return place


def _make_error(archive: Path, what: str) -> DataError:
    return DataError(f"'{archive.name}' {what}.", "Unpack it with another program, and open the folder.")


def _check_members(archive: Path, opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members to unpack.

    Raises:
        DataError: they are too many or too large, or a path leads out of the archive.
    """
    members = [member for member in opened.infolist() if not member.is_dir()]
    total = sum(member.file_size for member in members)
    packed = max(1, archive.stat().st_size)
    if len(members) > MAX_MEMBERS or total > MAX_BYTES or total > max(SMALL_BYTES, MAX_RATIO * packed):
        size = f"{len(members):,} files of {total / 2**30:.1f} GB, {total / packed:,.0f} times its own size"
        raise _make_error(archive, f"holds {size}, more than is unpacked")
    if any(_leads_out(member.filename) for member in members):
        raise _make_error(archive, "holds a path that leads out of its folder")
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise _make_error(archive, "is encrypted")
    # Python unpacks a block of the others at once, whatever comes out of it.
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise _make_error(archive, "is packed in a way that cannot be read")
    return [member for member in members if not _is_ignored(member)]


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    has_drive = any(":" in part for part in path.parts[: None if os.name == "nt" else 1])
    return path.is_absolute() or ".." in path.parts or has_drive


def _is_ignored(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a link, hidden, or of macOS."""
    parts = PurePosixPath(member.filename).parts
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    return is_link or any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _check_space(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    total = sum(member.file_size for member in members)
    if shutil.disk_usage(folder).free < total + _SPARE_BYTES:
        raise DataError(
            f"'{archive.name}' needs {total / 2**30:.1f} GB in {folder}, which has too little space.",
            "Free some space there, or set ENGRAM_CACHE to another folder.",
        )


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write one member; the archive never gives more bytes than it declares."""
    target = folder.joinpath(*PurePosixPath(member.filename.replace("\\", "/")).parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, open(target, "xb") as file:
        shutil.copyfileobj(source, file, 2**20)
