# mypy: disallow-untyped-calls=False
"""NIfTI files of results, on the grid of the file that the images came from.

The header is new: it has the grid, the display range and a description, and nothing else of the source, so no
name, date or identifier of a patient can come along.
"""

import gzip
from pathlib import Path
from typing import Final

import numpy as np
from nibabel.nifti1 import Nifti1Image
from numpy.typing import NDArray

from engine.data.scan import Scan
from engine.data.volume_grid import VolumeGrid
from engine.durable import replace, write_output
from engine.errors import DataError

_DESCRIPTION_BYTES: Final = 79
_SHEAR_TOLERANCE: Final = 1e-4
_WARNING: Final = ": not for diagnosis"


def check_grid(scan: Scan) -> VolumeGrid:
    """Return the grid of a volume, after checking that results can be written on it.

    Raises:
        DataError: it is a single image without a grid, or its slices make no single even volume.
    """
    if scan.grid is None:
        raise DataError(
            f"'{scan.name}' is an image, not a volume.",
            "Give a NIfTI volume, a multi-frame DICOM file, or a folder with one DICOM series.",
        )
    if scan.grid.problem:
        raise DataError(f"'{scan.name}' cannot be written as a volume. {scan.grid.problem}")
    return scan.grid


def write_volume(path: Path, slices: NDArray[np.float32], grid: VolumeGrid, name: str) -> Path:
    """Write displayed slices as a NIfTI volume with the voxels, the affine and the intensities of their source.

    Args:
        path: file that ends in .nii or .nii.gz; it is replaced, and its folder is created.
        slices: (slices, height, width), from 0 (black) to 1 (white), in the order of the `Scan`.
        grid: grid of the `Scan`.
        name: name of the run, for the description in the header.
    """
    image = Nifti1Image(grid.to_voxels(grid.to_values(slices)), None)
    header = image.header
    header.set_zooms(grid.spacing_mm)
    header.set_xyzt_units("mm")
    header["descrip"] = describe(name)
    if grid.affine is not None:
        affine, code = np.array(grid.affine), grid.space
        image.set_sform(affine, code)
        image.set_qform(affine, code if _is_rigid(affine) else 0)
    if len(set(grid.levels)) == 1 and grid.levels[0][0] < grid.levels[0][1]:
        header["cal_min"], header["cal_max"] = grid.levels[0]
    content = image.to_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    # Compressed here, because a gzip file would hold its name and the time.
    is_zipped = path.name.casefold().endswith(".gz")
    write_output(temporary, gzip.compress(content, 6, mtime=0) if is_zipped else content)
    replace(temporary, path)
    return path


def describe(name: str) -> bytes:
    """Return the description in the header, 79 bytes of ASCII at most.

    Examples:
        >>> describe("ae-0003")
        b'Engram ae-0003: not for diagnosis'
    """
    start = f"Engram {name}".encode("ascii", "replace")
    return start[: _DESCRIPTION_BYTES - len(_WARNING)] + _WARNING.encode()


def list_notes(grid: VolumeGrid) -> tuple[str, ...]:
    """Return sentences on the intensities and the place of a written volume.

    Examples:
        >>> list_notes(VolumeGrid(affine=((1.0,),), levels=((0, 900),)))
        ('Intensities are those of the input; values outside 0 to 900 were clipped to this range.',)
    """
    if not grid.levels:
        values = "The display transform of the input cannot be inverted; intensities are the displayed ones, 0 to 1."
    elif len(set(grid.levels)) == 1:
        low, high = sorted(grid.levels[0])
        values = f"Intensities are those of the input; values outside {low:g} to {high:g} were clipped to this range."
    else:
        values = "Intensities are those of the input; values outside the window of each slice were clipped to it."
    place = "The input has no usable orientation, so the volume has none."
    return (values, place) if grid.affine is None else (values,)


def _is_rigid(affine: NDArray[np.float64]) -> bool:
    """Return whether the axes are perpendicular, as a qform can store them."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() < _SHEAR_TOLERANCE)
