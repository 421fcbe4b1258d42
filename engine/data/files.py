"""Files of a source folder, and their formats, detected from their first bytes. Imports no reader."""

import errno
import gzip
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

from engine.data.archive_folder import is_archive, unpack
from engine.data.foreign_files import describe_foreign
from engine.errors import EmptySource, EngramError, SourceNotFound

FileFormat = Literal["picture", "dicom", "nifti", "research"]
Skip = Callable[[str, str], None]
LOOKED_FOR = (
    "Engram looks for PNG, JPEG, BMP, TIFF and DICOM files, or volumes alone, directly in the folder or in "
    "subfolders for splits and classes, such as Training/glioma."
)
KINDS_OF_SOURCE = "Give 'phantom', a folder or zip archive of images, or 'hf:ID'."
PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".tif", ".tiff"})
DICOM_SUFFIXES: Final = frozenset({".dcm", ".dicom", ".ima"})
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GZIP: Final = b"\x1f\x8b"
_HEAD_BYTES: Final = 352
MAX_IMAGE_BYTES: Final = 2**31
MAX_VOLUME_BYTES: Final = 2**34
_ELEMENT_BYTES: Final = 8
# The first element of a data set is one of its identification, and short.
_MAX_FIRST_ELEMENT, _MAX_FIRST_LENGTH = 0x0100, 1024
_ITK: Final = (b"NRRD000", b"ObjectType", b"NDims")  # NRRD and MetaImage, which SimpleITK reads
_DATA_FILE: Final = re.compile(rb"^(?:ElementDataFile *=|data ?file:)([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_TEXT_BYTES: Final = 2**14
_PAIR_SUFFIXES: Final = (".hdr", ".img")
_ANALYZE_BYTES: Final = 348  # size of the header, its first number
VOLUME_AMONG_IMAGES: Final = (
    "a volume; a dataset takes one image from each file, or slices of volumes, not both: move the volumes to a "
    "folder of their own"
)


def detect_format(path: Path) -> FileFormat | None:
    """Return the format of a file; None if Engram cannot open it.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[128:132] == b"DICM":  # first: it may start like a TIFF
        return "dicom"
    if head.startswith(_PICTURES):
        return "picture"
    if is_mgh(path) or head.startswith(_ITK):
        return "research"
    if is_nifti_content(path, _unzipped(path) if head.startswith(_GZIP) else head):
        return "nifti"
    # The reader says what is wrong with a file that is only called .dcm.
    return "dicom" if _is_bare_dicom(head) or path.suffix.casefold() in DICOM_SUFFIXES else None


def is_mgh(path: Path) -> bool:
    """Return whether a file is named like a volume of FreeSurfer, which has no mark of its own."""
    return path.name.casefold().endswith((".mgz", ".mgh"))


def is_dicom_content(path: Path) -> bool:
    """Return whether a file holds DICOM data, also without the preamble.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    return head[128:132] == b"DICM" or _is_bare_dicom(head)


def _is_bare_dicom(head: bytes) -> bool:
    """Return whether bytes start with a first element of group 0002 or 0008, as old exports without preamble do."""
    if len(head) < _ELEMENT_BYTES:
        return False
    for order in ("<", ">"):
        group, element = struct.unpack_from(f"{order}HH", head)
        if group in {0x0002, 0x0008} and element < _MAX_FIRST_ELEMENT:
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            return explicit or struct.unpack_from(f"{order}I", head, 4)[0] < _MAX_FIRST_LENGTH
    return False


def open_plain(path: Path) -> BinaryIO:
    """Open a file, through gzip if it is compressed."""
    with open(path, "rb") as file:
        zipped = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path)) if zipped else open(path, "rb")


def _unzipped(path: Path) -> bytes:
    """Return the first bytes of a gzip file; none if it is damaged."""
    try:
        with open_plain(path) as file:
            return file.read(_HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def is_nifti_header(head: bytes) -> bool:
    """Return whether bytes start a header of NIfTI-1 or NIfTI-2, in the two-file form too."""
    return head[344:348] in {b"n+1\0", b"ni1\0"} or head[4:8] in {b"n+2\0", b"ni2\0"}


def is_analyze_header(head: bytes) -> bool:
    """Return whether bytes start a header of NIfTI-1 or of Analyze 7.5, which has no mark of its own but its size."""
    return len(head) >= _ANALYZE_BYTES and _ANALYZE_BYTES in struct.unpack("<i", head[:4]) + struct.unpack(
        ">i", head[:4]
    )


def is_nifti_content(path: Path, head: bytes) -> bool:
    """Return whether a file is a NIfTI volume, or one of the two files of a NIfTI or Analyze volume."""
    if is_nifti_header(head):
        return True
    suffix = pair_suffix(path)
    if suffix == ".hdr":
        return is_analyze_header(head)
    # The voxels alone say nothing; the name of a gzip file that is damaged at its start says what it was.
    is_damaged = not head and path.name.casefold().endswith(".nii.gz")
    return is_damaged or (suffix == ".img" and other_half(path) is not None)


def pair_suffix(path: Path) -> str:
    """Return '.hdr' or '.img' if a file is called so, also in capitals or with .gz behind; else an empty text."""
    suffix = Path(path.name.casefold().removesuffix(".gz")).suffix
    return suffix if suffix in _PAIR_SUFFIXES else ""


def other_half(path: Path) -> Path | None:
    """Return the .img file of a .hdr file, or the other way round; None if it is not in the same folder."""
    stem = Path(path.name[:-3] if path.name.casefold().endswith(".gz") else path.name).stem
    other = ".hdr" if pair_suffix(path) == ".img" else ".img"
    for suffix in (other, other.upper(), other.capitalize()):
        for zipped in ("", ".gz", ".GZ"):
            if (file := path.with_name(stem + suffix + zipped)).is_file():
                return file
    return None


def find_data_file(path: Path) -> Path | None:
    """Return the file of voxels that a header of NRRD or MetaImage (.nhdr, .mhd) names in its own folder, or None."""
    if path.suffix.casefold() not in {".nhdr", ".mhd"}:
        return None
    with open(path, "rb") as file:
        named = _DATA_FILE.search(file.read(_TEXT_BYTES))
    name = named[1].decode(errors="surrogateescape").strip() if named else ""
    found = path.with_name(name) if name and "/" not in name and "\\" not in name else None
    return found if found and found.is_file() else None


def check_folder(source: str) -> None:
    """Check that a source is a folder with an image or a volume, stopping at the first image.

    Phantoms, Hugging Face datasets and archives pass without a check: they are not folders.

    Raises:
        SourceNotFound: it is not a folder.
        EmptySource: there is no image in it.
    """
    if source == "phantom" or source.startswith("hf:") or is_archive(Path(source).expanduser()):
        return
    others: list[str] = []
    if next(list_pictures(open_folder(source), lambda name, reason: others.append(reason)), None) is None:
        if VOLUME_AMONG_IMAGES in others:
            return
        raise EmptySource(f"There is no usable image in {source}.", LOOKED_FOR)


def open_folder(source: str) -> Path:
    """Return the folder that a source names; that of a zip archive is in the cache, that of a DICOMDIR around it.

    Raises:
        SourceNotFound: it is not a folder.
        DataError: it is an archive that cannot be unpacked.
    """
    if not source.strip():
        raise SourceNotFound("The name of the source is empty.", KINDS_OF_SOURCE)
    if "://" in source:
        raise SourceNotFound(f"'{source}' is an address.", f"Download the images yourself. {KINDS_OF_SOURCE}")
    path = Path(source).expanduser()
    folder = find_folder_of(path)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise SourceNotFound(f"'{source}' {what}.", KINDS_OF_SOURCE)
    return folder


def find_folder_of(path: Path) -> Path:
    """Return the folder that an archive or the index of a disc stands for; any other path as it is.

    Raises:
        DataError: an archive that cannot be unpacked.
    """
    if is_disc_index(path):
        return path.parent
    return unpack(path) if path.is_file() and is_archive(path) else path


def is_disc_index(path: Path) -> bool:
    """Return whether a file is called as the index of a DICOM disc is."""
    return path.name.upper() == "DICOMDIR" and path.is_file()


def find_source_folder(source: str) -> Path | None:
    """Return the folder of a source's images; None if it has none, or it is gone."""
    if source == "phantom" or source.startswith("hf:"):
        return None
    try:
        return open_folder(source)
    except EngramError:
        return None


def list_pictures(folder: Path, skip: Skip) -> Iterator[str]:
    """Yield the names of the files that may be images; call `skip` with every other file and the reason."""
    for name, problem in _walk(folder, skip):
        reason = problem or _find_format_problem(folder / name)
        if reason:
            skip(name, reason)
        else:
            yield name


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
    # Some of these call themselves files, and wait for ever.
    is_of_system = target.parts[1:2] in {("dev",), ("proc",), ("sys",)}
    return "" if target.is_file() and not is_of_system else "a link to something that is not a file"


def _entries(folder: Path, prefix: str, skip: Skip) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder / prefix) as entries:
            return list(entries)
    except OSError as error:
        skip(prefix or ".", f"cannot be opened: {error.strerror}")
        return []


def _find_format_problem(file: Path) -> str:
    """Return why a file is not listed as an image, or empty; a name that ends in .png or the like is not opened."""
    try:
        size = file.stat().st_size
        kind = "picture" if file.suffix.casefold() in PICTURE_SUFFIXES else detect_format(file)
    except OSError:
        return "not an image"
    # Every byte is hashed, and a file with holes can have a size without end.
    if size > (MAX_VOLUME_BYTES if kind in {"nifti", "research"} else MAX_IMAGE_BYTES):
        return "a file too large to be an image"
    if kind == "picture":
        return ""
    if kind is None:
        return describe_foreign(file) or "not an image"
    return VOLUME_AMONG_IMAGES if kind in {"nifti", "research"} else ""
