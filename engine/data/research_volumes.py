# mypy: disallow-untyped-calls=False
"""Volumes of research programs: MGH and MGZ of FreeSurfer, NRRD of 3D Slicer, MetaImage of ITK.

MGH is read by nibabel, the others by SimpleITK, which is an extra. Their slices are shown as those of NIfTI volumes. A
header that does not say how the volume lies in the patient gets a default from these libraries, which is not used.
"""

import importlib.util
import io
import math
import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.freesurfer.mghformat import MGHError, MGHHeader, MGHImage
from nibabel.nifti1 import Nifti1Header
from nibabel.orientations import OrientationError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile, check_volume
from engine.data.files import is_mgh, open_plain
from engine.data.itk_header import DAMAGED, INCOMPLETE, check_meta, check_nrrd
from engine.data.nifti import arrange, as_stored, count_in_plane
from engine.data.nifti_header import NO_ORIENTATION
from engine.data.nifti_values import show_volume
from engine.data.scan import MAX_VOXELS, Scan, serve

INSTALL: Final = 'pip install "engram-mri[volumes]"'
_DAMAGE: Final = (
    struct.error,
    zlib.error,
    MGHError,
    HeaderDataError,
    ImageFileError,
    OrientationError,  # an affine that maps two axes onto one
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
)
_NRRD: Final = b"NRRD000"
_NRRD_SPACE: Final = re.compile(
    rb"^space *: *(?:(?:left|right)-(?:anterior|posterior)-superior|[lr][ap]s)(?:-time|t)?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_NRRD_AXES: Final = re.compile(rb"^space directions *:", re.IGNORECASE | re.MULTILINE)
_META_AXES: Final = re.compile(rb"^\s*(?:TransformMatrix|Rotation|Orientation)\s*=", re.MULTILINE)
_META_HEAD_BYTES: Final = 2**14
# ITK counts towards left and back, NIfTI towards right and front.
_LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


class FoundVolume(NamedTuple):
    """One volume of a file: its stored voxels (x, y, z) and where they lie, and how many volumes the file has.

    The lengths of the axes of the affine are right even where the file does not say how they lie (`is_oriented`).
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    is_oriented: bool
    volumes: int


def read_scan(path: Path, volume: int | None = None, plane: str = "") -> Scan:
    """Read one volume of a file and arrange its slices for display.

    Args:
        path: the file.
        volume: volume of a file of several, counted from 1; the first if None.
        plane: as in `engine.data.nifti.read_scan`.

    Raises:
        UnreadableFile: the file is damaged or too large, has no such volume, or its decoder is not installed.
    """
    try:
        found = read_volume(path, volume)
        pixels, shown, _ = show_volume(found.voxels, Nifti1Header())
        chosen = [f"Volume {volume or 1} of {found.volumes:,}."] if found.volumes > 1 else []
        return _arrange(found._replace(voxels=pixels), path.name, [*chosen, *shown], plane)
    except _DAMAGE as error:
        raise UnreadableFile(DAMAGED) from error


def read_labels(path: Path, plane: str) -> Scan:
    """Read the labels of a segmentation mask, as `engine.data.nifti.read_labels`.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    found = read_volume(path, None)
    return _arrange(found._replace(voxels=np.asarray(found.voxels, np.float32)), path.name, [], plane)


def read_label_grid(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    """Return the labels of a mask and its affine or None, as `engine.data.nifti.read_label_grid`.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    found = read_volume(path, None)
    return np.asarray(found.voxels, np.float32), found.affine if found.is_oriented else None


def count_slices(path: Path, plane: str) -> int:
    """Return the number of slices that `read_scan` returns for a plane; only the header is read.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    try:
        shape, affine = _read_mgh_grid(path) if is_mgh(path) else _read_itk_grid(_open_itk(path))
        is_stored = plane == "stored" or not _is_oriented(path)
        return shape[2] if is_stored else count_in_plane(shape, affine, plane)
    except EOFError:
        raise UnreadableFile("it is damaged: its data ends early") from None
    except _DAMAGE as error:
        raise UnreadableFile(DAMAGED) from error


def _arrange(found: FoundVolume, name: str, notes: list[str], plane: str) -> Scan:
    if plane == "stored" or not found.is_oriented:
        said = notes if found.is_oriented else [*notes, NO_ORIENTATION]
        return as_stored(found.voxels, name, np.linalg.norm(found.affine[:3, :3], axis=0), said, "research")
    return replace(arrange(found.voxels, found.affine, name, notes, plane)[0], kind="research")


def read_volume(path: Path, volume: int | None) -> FoundVolume:
    """Read one volume of a file.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    try:
        return _read_mgh(path, volume) if is_mgh(path) else _read_itk(path, volume)
    except EOFError:
        raise UnreadableFile("it is damaged: its data ends early") from None
    except _DAMAGE as error:
        raise UnreadableFile(DAMAGED) from error


def _is_oriented(path: Path) -> bool:
    """Return whether the header of a file says how the volume lies in the patient."""
    with open_plain(path) as file:
        head = file.read(_META_HEAD_BYTES)
    if is_mgh(path):
        return struct.unpack(">h", head[28:30])[0] > 0
    if head.startswith(_NRRD):
        return bool(_NRRD_SPACE.search(head) and _NRRD_AXES.search(head))
    return bool(_META_AXES.search(head))


def _read_mgh(path: Path, volume: int | None) -> FoundVolume:
    with open_plain(path) as file:
        version, *sides = struct.unpack(">5i", file.read(20))
    if version != 1 or min(sides) < 1:
        raise UnreadableFile("it is called like a FreeSurfer volume, but holds none")
    shape = tuple(sides)
    _check_size(shape[:3])
    check_volume(volume, shape[3])
    try:
        with open_plain(path) as file:
            image = MGHImage.from_stream(cast(io.IOBase, file))
            chosen = (..., (volume or 1) - 1) if len(image.shape) > 3 else ...
            voxels, affine = np.array(image.dataobj[chosen]), np.asarray(image.affine, np.float64)
    except OSError as error:
        if error.strerror:
            raise
        raise EOFError from error  # nibabel's sentence on too few bytes
    return FoundVolume(voxels, affine, _is_oriented(path), shape[3])


def _read_mgh_grid(path: Path) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    with open_plain(path) as file:
        header = MGHHeader.from_fileobj(file)
    return tuple(int(side) for side in header["dims"][:3]), np.asarray(header.get_affine(), np.float64)


def _open_itk(path: Path) -> Any:
    """Return a reader of SimpleITK that has read the header of a volume.

    Raises:
        UnreadableFile: SimpleITK is missing, the header is damaged, or the volume too large.
    """
    if importlib.util.find_spec("SimpleITK") is None:
        raise UnreadableFile(f"NRRD and MetaImage files need SimpleITK: {INSTALL}")
    import SimpleITK

    is_nrrd = check_nrrd(path)
    if not is_nrrd:
        _check_size(check_meta(path)[:3])
    reader = SimpleITK.ImageFileReader()
    # Without it, ITK tries the parsers of many other formats.
    reader.SetImageIO("NrrdImageIO" if is_nrrd else "MetaImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise UnreadableFile(INCOMPLETE) from None
    size = reader.GetSize()
    if len(size) not in (3, 4):
        raise UnreadableFile(f"it has {len(size)} dimensions; volumes of three can be opened")
    _check_size(size[:3])
    return reader


def _read_itk_grid(image: Any) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return the shape and the affine of an image of SimpleITK, or of its reader."""
    affine = np.eye(4)
    sides = len(image.GetSize())
    direction = np.reshape(image.GetDirection(), (sides, sides))[:3, :3]
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    return image.GetSize()[:3], _LPS_TO_RAS @ affine


def _read_itk(path: Path, volume: int | None) -> FoundVolume:
    reader = _open_itk(path)
    import SimpleITK

    size, parts = reader.GetSize(), reader.GetNumberOfComponents()
    times = size[3] if len(size) > 3 else 1
    count = times * parts
    check_volume(volume, count)
    time, part = divmod((volume or 1) - 1, parts)
    if len(size) > 3:
        reader.SetExtractSize([*size[:3], 0])
        reader.SetExtractIndex([0, 0, 0, time])
    affine = _read_itk_grid(reader)[1]
    try:
        values = SimpleITK.GetArrayFromImage(reader.Execute())
    except RuntimeError:
        raise UnreadableFile(INCOMPLETE) from None
    return FoundVolume((values[..., part] if parts > 1 else values).T, affine, _is_oriented(path), count)


def _check_size(shape: tuple[int, ...]) -> None:
    if not 1 <= math.prod(shape) <= MAX_VOXELS:
        sides = " × ".join(f"{side:,}" for side in shape)
        raise UnreadableFile(f"it claims {sides} voxels; from 1 to {MAX_VOXELS:,} can be opened")


if __name__ == "__main__":
    serve(read_scan)
