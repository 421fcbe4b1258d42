# mypy: disallow-untyped-calls=False
"""NIfTI volumes: slices in radiological orientation, laid out by the file's affine.

Axial and coronal slices have the patient's right at the left of the image, sagittal ones the front; the head or the
front is up. The plane is the acquisition plane (the coarsest axis runs across the slices), axial if no axis is
coarser. A file without an orientation is displayed as stored.
"""

import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, cast

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile
from engine.data.files import FileFormat, open_plain
from engine.data.nifti_header import VolumeHeader, millimeters_per_unit, pixdim, read_affine, read_header, read_voxels
from engine.data.nifti_values import ShownVolume, scale_values, show_volume
from engine.data.scan import MAX_SPACING_RATIO, Orientation, Scan, serve
from engine.data.volume_grid import Levels, VolumeGrid, to_rows

_DAMAGE: Final = (WrapStructError, ValueError, TypeError, LookupError, ArithmeticError)
_LETTERS: Final = (("L", "R"), ("P", "A"), ("I", "S"))  # towards the negative and positive end of NIfTI's x, y and z
_PLANES: Final = {0: ("sagittal", 2, 1), 1: ("coronal", 2, 0), 2: ("axial", 1, 0)}  # across -> name, down, along
_COARSER: Final = 1.25
# Bytes behind the voxels that are unpacked to reach the checksum of a gzip file.
_MAX_REST_BYTES: Final = 2**29


def read_scan(path: Path, volume: int | None = None, plane: str = "") -> Scan:
    """Read one volume of a file and arrange its slices for display.

    Args:
        path: the file, or one of the two files of a pair.
        volume: volume of a file of several, counted from 1; the first if None.
        plane: 'axial', 'coronal' or 'sagittal', which a volume without an orientation has not; 'stored' for slices
            along the third axis; empty for the acquisition plane.

    Raises:
        UnreadableFile: the file is damaged, too large, one half of a pair without the other, or has no such volume.
    """
    with explain_damage():
        header = read_header(path, volume)
        notes = list(header.notes)
        with open_plain(header.image) as file:
            # The stored voxels are given up before the slices are copied.
            shown = show_volume(read_voxels(file, header), header.fields)
            check_rest(file, notes)
        return _scan(shown, header, plane, path.name, notes)


def read_labels(path: Path, plane: str) -> Scan:
    """Read the labels of a segmentation mask, arranged like the slices of its volume.

    Args:
        path: the file.
        plane: as in `read_scan`.

    Returns:
        Slices whose pixels are labels, not intensities.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    with explain_damage():
        labels, header = _read_labels(path)
        affine = None if plane == "stored" else read_affine(header, [])
        if affine is None:
            zooms = np.array(pixdim(header.fields)) * millimeters_per_unit(header.fields)
            return _to_display_orientation(labels.T, path.name, None, zooms[[2, 1, 0]], [])
        return arrange(labels, affine, path.name, [], plane)[0]


def read_label_grid(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    """Return the labels of a mask as stored (x, y, z), and the affine of the file, or None.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    with explain_damage():
        labels, header = _read_labels(path)
        return labels, read_affine(header, [])


def _read_labels(path: Path) -> tuple[NDArray[np.float32], VolumeHeader]:
    header = read_header(path, None)
    with open_plain(header.image) as file:
        raw = np.asarray(read_voxels(file, header))
    scaled = scale_values(raw, header.fields)
    return (scaled if np.array_equal(scaled, raw) else np.rint(scaled)).astype(np.float32), header


def count_slices(path: Path, plane: str) -> int:
    """Return the number of slices that `read_scan` returns for a plane; only the header is read.

    Raises:
        UnreadableFile: the header is damaged, or that of one half of a pair without the other.
    """
    with explain_damage():
        header = read_header(path, None)
        affine = None if plane == "stored" else read_affine(header, [])
        if affine is None:
            return header.shape[2]
        return count_in_plane(header.shape, affine, plane)


def count_in_plane(shape: Sequence[int], affine: NDArray[np.float64], plane: str) -> int:
    """Return the number of slices in a plane of a volume with these sides."""
    axes = io_orientation(affine)[:, 0].astype(int).tolist()
    sides = tuple(shape[axes.index(axis)] for axis in range(3))
    return sides[_find_slice_axis(sides, np.ones(3), plane)]


@contextmanager
def explain_damage() -> Iterator[None]:
    """Turn the exceptions of a damaged file into an `UnreadableFile`."""
    try:
        yield
    except EOFError:
        raise UnreadableFile("it is damaged: its gzip data ends early") from None
    except (zlib.error, gzip.BadGzipFile):
        raise UnreadableFile("it is damaged: its gzip data cannot be unpacked") from None
    except _DAMAGE as error:
        raise UnreadableFile("it is damaged: its header makes no sense") from error


def check_rest(file: BinaryIO, notes: list[str]) -> None:
    """Read a gzip file to its end, where its checksum is; a missing end leaves a note."""
    if not isinstance(file, gzip.GzipFile):
        return
    try:
        for _ in range(_MAX_REST_BYTES // 2**20):
            if not file.read(2**20):
                return
    except EOFError:
        notes.append("The end of the compressed file is missing; its voxels could not be checked.")


def _scan(made: ShownVolume, header: VolumeHeader, plane: str, name: str, notes: list[str]) -> Scan:
    volume, shown, levels = made
    geometry: list[str] = []
    affine = None if plane == "stored" else read_affine(header, geometry)
    if affine is None:
        zooms = np.array(pixdim(header.fields)) * millimeters_per_unit(header.fields)
        grid = VolumeGrid(spacing_mm=_believable(zooms), levels=levels)
        scan = _to_display_orientation(volume.T, name, None, zooms[[2, 1, 0]], [*notes, *shown, *geometry])
        return replace(scan, grid=grid)
    scan, axes = arrange(volume, affine, name, [*notes, *geometry, *shown], plane)
    return replace(scan, grid=_grid(header, affine, axes, levels))


def arrange(
    volume: NDArray[np.float32], affine: NDArray[np.float64], name: str, notes: list[str], plane: str = ""
) -> tuple[Scan, tuple[int, int, int]]:
    """Arrange a volume as slices for display.

    Args:
        volume: float32 (x, y, z) in [0, 1].
        affine: (4, 4), from voxel indices to millimeters towards right, front and head.
        name: name of the file.
        notes: sentences on how the volume was read.
        plane: 'axial', 'coronal' or 'sagittal'; empty for the acquisition plane.

    Returns:
        The slices, and the axes of the patient (0 to right, 1 to front, 2 to head) that slices, rows and columns run
        along.
    """
    axes, zooms = io_orientation(affine), np.linalg.norm(affine[:3, :3], axis=0)
    volume = apply_orientation(volume, axes)  # now the axes grow to R, A and S
    spacing = np.empty(3)
    spacing[axes[:, 0].astype(int)] = zooms
    across = _find_slice_axis(volume.shape, spacing, plane)
    shown_plane, down, along = _PLANES[across]
    oblique = f", oblique by up to {_obliquity(affine):.0f}°" if _obliquity(affine) > 1 else ""
    notes = [*notes, f"Shown as {shown_plane} slices, according to the file's affine{oblique}."]
    slices = np.flip(np.transpose(volume, (across, down, along)), axis=(1, 2))
    edges = (*reversed(_LETTERS[along]), *reversed(_LETTERS[down]))
    scan = _to_display_orientation(slices, name, cast(Orientation, edges), spacing[[across, down, along]], notes)
    return scan, (across, down, along)


def as_stored(
    volume: NDArray[np.float32], name: str, sides: NDArray[np.float64], notes: list[str], kind: FileFormat
) -> Scan:
    """Return the slices of a volume (x, y, z) along its third axis; `sides` are those of a voxel in millimeters."""
    return replace(_to_display_orientation(volume.T, name, None, sides[[2, 1, 0]], notes), kind=kind)


def _grid(
    header: VolumeHeader, affine: NDArray[np.float64], shown: tuple[int, int, int], levels: tuple[Levels, ...]
) -> VolumeGrid:
    """Return the grid of slices that run along these axes of the patient; rows and columns run from S, A and R."""
    oriented = io_orientation(affine)
    axes = np.argsort(oriented[:, 0])[list(shown)]
    flipped = (oriented[axes, 1] < 0) ^ np.array([False, True, True])
    return VolumeGrid(
        cast(tuple[int, int, int], tuple(axes.tolist())),
        cast(tuple[bool, bool, bool], tuple(flipped.tolist())),
        _believable(np.linalg.norm(affine[:3, :3], axis=0)),
        to_rows(affine),
        int(header.fields["sform_code"]) or int(header.fields["qform_code"]),
        levels,
    )


def _believable(sides: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the sides of a voxel, with 1 for those that are no lengths."""
    return cast(tuple[float, float, float], tuple(float(side) if 0 < side < np.inf else 1.0 for side in sides))


def _to_display_orientation(
    slices: NDArray[np.float32],
    name: str,
    orientation: Orientation | None,
    spacing: NDArray[np.float64],
    notes: list[str],
) -> Scan:
    between, rows, columns = (float(step) for step in spacing)
    known = math.isfinite(rows * columns) and rows > 0 and columns > 0
    if known and max(rows, columns) > MAX_SPACING_RATIO * min(rows, columns):
        known = False
        notes.append("The pixel spacing in the file is not believable and is ignored.")
    return Scan(
        np.ascontiguousarray(slices),
        name,
        "nifti",
        orientation,
        (rows, columns) if known else None,
        between if math.isfinite(between) and between > 0 else None,
        tuple(notes),
    )


def _find_slice_axis(shape: tuple[int, ...], spacing: NDArray[np.float64], plane: str) -> int:
    """Return the axis that the slices are stacked along: a single one, the chosen, the coarsest, or foot to head."""
    if 1 in shape:
        return shape.index(1)
    if plane:
        return next(axis for axis, (name, *_) in _PLANES.items() if name == plane)
    coarsest = int(np.argmax(spacing))
    return coarsest if spacing[coarsest] > _COARSER * np.median(spacing) else 2


def _obliquity(affine: NDArray[np.float64]) -> float:
    """Return the largest angle in degrees between an axis of the volume and the nearest axis of the patient."""
    cosines = np.abs(affine[:3, :3]) / np.linalg.norm(affine[:3, :3], axis=0)
    return float(np.degrees(np.arccos(np.clip(cosines.max(axis=0), 0, 1))).max())


if __name__ == "__main__":
    serve(read_scan)
