# mypy: disallow-untyped-calls=False
"""Headers of NIfTI and Analyze volumes: where the voxels are, and how they lie in the patient.

A field that is not needed never makes a file unreadable: a bad quaternion beside a good sform, a place of the voxels
inside the header, or sides of 0 behind the third leave a note.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.orientations import io_orientation
from nibabel.quaternions import quat2mat
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile, check_volume
from engine.data.files import is_analyze_header, is_nifti_header, open_plain, other_half, pair_suffix
from engine.data.scan import MAX_VOXELS

_HEAD_BYTES: Final = 540
_HEADER_SIZES: Final = {1: 348, 2: 540}
_FIRST_VOXEL: Final = {1: 352, 2: 544}  # in a single file, behind the header and its four bytes of extension
_MAX_OFFSET: Final = 2**40
SHOWN_AS_STORED: Final = "shown as stored. Left and right are not known."
NO_ORIENTATION: Final = f"The file has no orientation information; {SHOWN_AS_STORED}"
_CIFTI: Final = range(3000, 3100)  # intent codes
_CIFTI_NAME: Final = re.compile(r"\.[dp](conn|dense|dconn|pconn|tseries|scalar|label)\.nii(\.gz)?$", re.IGNORECASE)
_SURFACES: Final = (1008, 1009, 2002, 2005)  # intents: points, triangles, node indices, shapes
_MIN_VERTICES: Final = 2500  # the coarsest common surface has 2,562
_MILLIMETERS: Final = {1: 1000.0, 3: 0.001}  # unit codes of meters and micrometers
# Quaternions are stored in float32, and some tools write five digits.
_QUATERNION_TOLERANCE: Final = 1e-3
_MIN_VOLUME: Final = 1e-3  # of three axes of length 1; less means that they lie in one plane


@dataclass(frozen=True, eq=False)
class VolumeHeader:
    """Header of one volume.

    Args:
        fields: header as nibabel reads it.
        image: file that holds the voxels.
        shape: voxels along the three axes.
        dtype: type of a voxel as stored.
        offset: byte of the first voxel of the chosen volume.
        is_analyze: whether the header is an Analyze 7.5 one, which has no orientation.
        notes: sentences on what was wrong, and on the chosen volume.
        volumes: number of volumes of the file.
    """

    fields: Any
    image: Path
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    offset: int
    is_analyze: bool
    notes: tuple[str, ...]
    volumes: int = 1


def read_header(path: Path, volume: int | None) -> VolumeHeader:
    """Read the header of a file, or of the pair that it belongs to.

    Args:
        path: the file.
        volume: volume of a file of several, counted from 1; the first if None.

    Raises:
        UnreadableFile: the header is damaged, the other file of the pair is missing, or there is no such volume.
    """
    header_file, head = _find_header(path)
    is_single = head[344:347] == b"n+1" or head[4:7] == b"n+2"
    version = 2 if head[4:7] in {b"n+2", b"ni2"} else 1
    image = header_file if is_single else other_half(header_file)
    if image is None:
        raise UnreadableFile("it is one half of a .hdr / .img pair; the other half is not beside it")
    fields = _parse(head[: _HEADER_SIZES[version]], version)
    _check_subject(path, fields)
    shape, volumes = _shape(fields)
    check_volume(volume, volumes)
    notes = []
    if volumes > 1:
        chosen = "the first one" if volume is None else f"volume {volume}"
        notes.append(f"The file holds {volumes} volumes; {chosen} is shown.")
    dtype = _dtype(fields)
    offset = _first_voxel(fields, _FIRST_VOXEL[version] if is_single else 0, notes)
    offset += ((volume or 1) - 1) * math.prod(shape) * dtype.itemsize
    return VolumeHeader(fields, image, shape, dtype, offset, not is_nifti_header(head), tuple(notes), volumes)


def read_affine(header: VolumeHeader, notes: list[str]) -> NDArray[np.float64] | None:
    """Return the affine from voxels to millimeters in R, A, S: the sform, else the qform.

    Args:
        header: the header.
        notes: gets a sentence on what cannot be used.

    Returns:
        float64 (4, 4); None if the file has no orientation, or none that can be used.
    """
    fields = header.fields
    has_sform = not header.is_analyze and int(fields["sform_code"]) > 0
    has_qform = not header.is_analyze and int(fields["qform_code"]) > 0
    sform, qform = _sform(fields) if has_sform else None, _qform(fields) if has_qform else None
    chosen = sform if sform is not None else qform
    for name, is_declared, form in (("sform", has_sform, sform), ("qform", has_qform, qform)):
        if is_declared and form is None and chosen is not None:
            notes.append(f"The {name} of the file cannot be used; the other orientation is.")
    if sform is not None and qform is not None and (io_orientation(sform) != io_orientation(qform)).any():
        notes.append("Its two orientations (qform and sform) disagree; the sform is used.")
    if chosen is None:
        is_declared = has_sform or has_qform
        unusable = f"The orientation in the file cannot be used; {SHOWN_AS_STORED}"
        notes.append(unusable if is_declared else NO_ORIENTATION)
        return None
    scaled = chosen.copy()
    scaled[:3] *= millimeters_per_unit(fields)
    return scaled


def millimeters_per_unit(fields: Any) -> float:
    """Return the millimeters in the unit of length of a header."""
    return _MILLIMETERS.get(int(fields["xyzt_units"]) & 7, 1.0)


def _find_header(path: Path) -> tuple[Path, bytes]:
    """Return the file with the header, and its first bytes."""
    head = _head(path)
    if is_nifti_header(head) or (pair_suffix(path) == ".hdr" and is_analyze_header(head)):
        return path, head
    partner = other_half(path) if pair_suffix(path) == ".img" else None
    if partner is not None:
        head = _head(partner)
        if is_analyze_header(head) or is_nifti_header(head):
            return partner, head
    raise UnreadableFile("it is damaged: its header ends early or is no NIfTI header")


def _head(path: Path) -> bytes:
    with open_plain(path) as file:
        return file.read(_HEAD_BYTES)


def _parse(block: bytes, version: int) -> Any:
    if len(block) < _HEADER_SIZES[version]:
        raise UnreadableFile("it is damaged: its header ends early")
    return (Nifti2Header if version == 2 else Nifti1Header)(block, check=False)


def _check_subject(path: Path, fields: Any) -> None:
    """Check that a file holds a volume.

    Raises:
        UnreadableFile: it holds a connectivity matrix or surface data.
    """
    intent, sides = int(fields["intent_code"]), [int(side) for side in fields["dim"][1:4]]
    if intent in _CIFTI or _CIFTI_NAME.search(path.name):
        raise UnreadableFile("it is a CIFTI file (values of surface points and regions), not a volume")
    is_line = sides[1:] == [1, 1] and not 0 <= sides[0] < _MIN_VERTICES
    if intent in _SURFACES or is_line:
        raise UnreadableFile("it holds surface data (a value for each point), not a volume")


def _shape(fields: Any) -> tuple[tuple[int, int, int], int]:
    """Return the voxels along the three axes, and the number of volumes."""
    count, *sides = (int(side) for side in fields["dim"])
    if not 1 <= count <= 7:
        raise UnreadableFile(f"it is damaged: its header declares {count} dimensions")
    sides = [*sides[:count], 1, 1][: max(3, count)]
    sides[2:] = [1 if side == 0 else side for side in sides[2:]]
    x, y, z = sides[:3]
    if min(x, y, z) < 1 or x * y * z > MAX_VOXELS:
        raise UnreadableFile(f"it declares {x} × {y} × {z} voxels; from 1 to {MAX_VOXELS:,} can be opened")
    return (x, y, z), math.prod(max(1, side) for side in sides[3:])


def _dtype(fields: Any) -> np.dtype[Any]:
    try:
        dtype: np.dtype[Any] = fields.get_data_dtype()
    except (HeaderDataError, LookupError):
        raise UnreadableFile(f"its voxels have an unknown type (code {int(fields['datatype'])})") from None
    if not dtype.itemsize:
        raise UnreadableFile(f"its voxels have an unknown type (code {int(fields['datatype'])})")
    return dtype


def _first_voxel(fields: Any, least: int, notes: list[str]) -> int:
    """Return the byte of the first voxel: as the header says, but not inside the header."""
    declared = float(fields["vox_offset"])
    if least <= declared < _MAX_OFFSET:
        return int(declared)
    notes.append(f"The header places the voxels at byte {declared:g}; they are read from byte {least}.")
    return least


def _sform(fields: Any) -> NDArray[np.float64] | None:
    return _usable(np.array([fields["srow_x"], fields["srow_y"], fields["srow_z"], (0, 0, 0, 1)], dtype=np.float64))


def _qform(fields: Any) -> NDArray[np.float64] | None:
    vector = np.array([fields[f"quatern_{letter}"] for letter in "bcd"], dtype=np.float64)
    rest = 1 - float(vector @ vector)
    if not rest >= -_QUATERNION_TOLERANCE:  # also NaN
        return None
    quaternion = np.array([math.sqrt(max(0.0, rest)), *vector])
    zooms = np.array(fields["pixdim"][:4], dtype=np.float64)
    affine = np.eye(4)
    affine[:3, :3] = quat2mat(quaternion) * np.abs(zooms[1:])
    affine[:3, 2] *= -1 if zooms[0] < 0 else 1
    affine[:3, 3] = [fields[f"qoffset_{letter}"] for letter in "xyz"]
    return _usable(affine)


def _usable(affine: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return an affine if its axes span a volume; where it puts the origin does not matter."""
    axes = affine[:3, :3]
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(axes, axis=0)
        fits = np.isfinite(axes).all() and lengths.min() > 0 and np.isfinite(lengths).all()
        if not fits or abs(np.linalg.det(axes / lengths)) < _MIN_VOLUME or np.isnan(io_orientation(affine)).any():
            return None
    return affine


def read_voxels(file: BinaryIO, header: VolumeHeader) -> NDArray[Any]:
    """Read the voxels of the chosen volume as they are stored, (x, y, z).

    Raises:
        UnreadableFile: there are too few.
    """
    flat = np.empty(math.prod(header.shape), dtype=header.dtype)
    target = flat.view(np.uint8).data.cast("B")
    file.seek(header.offset)
    done = 0
    while done < len(target):
        count = file.readinto(target[done:])  # type: ignore[attr-defined]
        if not count:
            raise UnreadableFile("it is damaged: its voxels end early")
        done += count
    return flat.reshape(header.shape, order="F")


def pixdim(fields: Any) -> Sequence[float]:
    """Return the absolute size of a voxel along its three axes, in the unit of the header."""
    return [abs(float(side)) for side in fields["pixdim"][1:4]]
