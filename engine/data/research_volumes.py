# mypy: disallow-untyped-calls=False
"""Volumes of research programs: MGH and MGZ of FreeSurfer, NRRD of 3D Slicer, MetaImage of ITK.

MGH is read by nibabel, the others by SimpleITK, which is an extra. Their slices are shown as those of NIfTI volumes.
"""

import importlib.util
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

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
# ITK counts towards left and back, NIfTI towards right and front.
_LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


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
        raw, affine, count = read_volume(path, volume)
        pixels, shown, _ = show_volume(raw, Nifti1Header())
        chosen = [f"Volume {volume or 1} of {count:,}."] if count > 1 else []
        return _arrange(pixels, affine, path.name, [*chosen, *shown], plane)
    except _DAMAGE as error:
        raise UnreadableFile(DAMAGED) from error


def read_labels(path: Path, plane: str) -> Scan:
    """Read the labels of a segmentation mask, as `engine.data.nifti.read_labels`.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    raw, affine, _ = read_volume(path, None)
    return _arrange(np.asarray(raw, np.float32), affine, path.name, [], plane)


def read_label_grid(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the labels of a mask and its affine, as `engine.data.nifti.read_label_grid`.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    raw, affine, _ = read_volume(path, None)
    return np.asarray(raw, np.float32), affine


def count_slices(path: Path, plane: str) -> int:
    """Return the number of slices that `read_scan` returns for a plane; only the header is read.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    try:
        shape, affine = _read_mgh_grid(path) if is_mgh(path) else _read_itk_grid(_open_itk(path))
        return shape[2] if plane == "stored" else count_in_plane(shape, affine, plane)
    except EOFError:
        raise UnreadableFile("it is damaged: its data ends early") from None
    except _DAMAGE as error:
        raise UnreadableFile(DAMAGED) from error


def _arrange(pixels: NDArray[np.float32], affine: NDArray[np.float64], name: str, notes: list[str], plane: str) -> Scan:
    if plane == "stored":
        sides = np.linalg.norm(affine[:3, :3], axis=0)
        return as_stored(pixels, name, sides, notes, "research")
    return replace(arrange(pixels, affine, name, notes, plane)[0], kind="research")


def read_volume(path: Path, volume: int | None) -> tuple[NDArray[Any], NDArray[np.float64], int]:
    """Return the stored voxels (x, y, z) of one volume, the affine of the file, and its number of volumes.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    try:
        return _read_mgh(path, volume) if is_mgh(path) else _read_itk(path, volume)
    except EOFError:
        raise UnreadableFile("it is damaged: its data ends early") from None
    except _DAMAGE as error:
        raise UnreadableFile(DAMAGED) from error


def _read_mgh(path: Path, volume: int | None) -> tuple[NDArray[Any], NDArray[np.float64], int]:
    with open_plain(path) as file:
        version, *sides = struct.unpack(">5i", file.read(20))
    if version != 1 or min(sides) < 1:
        raise UnreadableFile("it is called like a FreeSurfer volume, but holds none")
    shape = tuple(sides)
    _check_size(shape[:3])
    image = MGHImage.from_filename(path)
    check_volume(volume, shape[3])
    chosen = (..., (volume or 1) - 1) if len(image.shape) > 3 else ...
    return np.array(image.dataobj[chosen]), np.asarray(image.affine, np.float64), shape[3]


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
        _check_size(check_meta(path))
    reader = SimpleITK.ImageFileReader()
    # Without it, ITK tries the parsers of many other formats.
    reader.SetImageIO("NrrdImageIO" if is_nrrd else "MetaImageIO")
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise UnreadableFile(INCOMPLETE) from None
    size = reader.GetSize()
    if len(size) != 3:
        raise UnreadableFile(f"it has {len(size)} dimensions; volumes of three can be opened")
    _check_size(size)
    return reader


def _read_itk_grid(image: Any) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return the shape and the affine of an image of SimpleITK, or of its reader."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return image.GetSize(), _LPS_TO_RAS @ affine


def _read_itk(path: Path, volume: int | None) -> tuple[NDArray[Any], NDArray[np.float64], int]:
    reader = _open_itk(path)
    import SimpleITK

    try:
        image = reader.Execute()
    except RuntimeError:
        raise UnreadableFile(INCOMPLETE) from None
    count = image.GetNumberOfComponentsPerPixel()
    check_volume(volume, count)
    values = SimpleITK.GetArrayFromImage(image)
    chosen = values[..., (volume or 1) - 1] if count > 1 else values
    return chosen.T, _read_itk_grid(image)[1], count


def _check_size(shape: tuple[int, ...]) -> None:
    if not 1 <= math.prod(shape) <= MAX_VOXELS:
        sides = " × ".join(f"{side:,}" for side in shape)
        raise UnreadableFile(f"it claims {sides} voxels; from 1 to {MAX_VOXELS:,} can be opened")


if __name__ == "__main__":
    serve(read_scan)
