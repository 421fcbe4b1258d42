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
from nibabel.freesurfer.mghformat import MGHError, MGHImage
from nibabel.nifti1 import Nifti1Header
from nibabel.orientations import OrientationError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile, check_volume
from engine.data.files import is_mgh, open_plain
from engine.data.nifti import arrange
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
_DAMAGED: Final = "it is damaged, or of a kind that cannot be read"
# ITK counts towards left and back, NIfTI towards right and front.
_LPS_TO_RAS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_scan(path: Path, volume: int | None = None) -> Scan:
    """Read one volume of a file and arrange its slices for display.

    Args:
        path: the file.
        volume: volume of a file of several, counted from 1; the first if None.

    Raises:
        UnreadableFile: the file is damaged or too large, has no such volume, or its decoder is not installed.
    """
    try:
        raw, affine, count = read_volume(path, volume)
        pixels, shown, _ = show_volume(raw, Nifti1Header())
        chosen = [f"Volume {volume or 1} of {count:,}."] if count > 1 else []
        scan, _ = arrange(pixels, affine, path.name, [*chosen, *shown])
        return replace(scan, kind="research")
    except _DAMAGE as error:
        raise UnreadableFile(_DAMAGED) from error


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
        raise UnreadableFile(_DAMAGED) from error


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


def _read_itk(path: Path, volume: int | None) -> tuple[NDArray[Any], NDArray[np.float64], int]:
    if importlib.util.find_spec("SimpleITK") is None:
        raise UnreadableFile(f"NRRD and MetaImage files need SimpleITK: {INSTALL}")
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
        if len(size) != 3:
            raise UnreadableFile(f"it has {len(size)} dimensions; volumes of three can be opened")
        _check_size(size)
        image = reader.Execute()
    except RuntimeError:
        raise UnreadableFile("it is damaged, or its voxels are not beside it") from None
    count = image.GetNumberOfComponentsPerPixel()
    check_volume(volume, count)
    values = SimpleITK.GetArrayFromImage(image)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    chosen = values[..., (volume or 1) - 1] if count > 1 else values
    return chosen.T, _LPS_TO_RAS @ affine, count


def _check_size(shape: tuple[int, ...]) -> None:
    if not 1 <= math.prod(shape) <= MAX_VOXELS:
        sides = " × ".join(f"{side:,}" for side in shape)
        raise UnreadableFile(f"it claims {sides} voxels; from 1 to {MAX_VOXELS:,} can be opened")


if __name__ == "__main__":
    serve(read_scan)
