"""A volume for the viewer: the values of a file or a series, on axes that three planes are cut along.

Values are those of the file after its rescaling, not intensities in [0, 1], so that a window and the statistics of a
region are in the file's units. Planes of a volume with an orientation are shown as in `engine.data.nifti`.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import numpy as np
from nibabel.orientations import io_orientation
from numpy.typing import NDArray

from engine.data.nifti import arrange
from engine.data.scan import MAX_SPACING_RATIO, Scan
from engine.data.volume_grid import VolumeGrid

HOUNSFIELD: Final = "HU"
PATIENT_AXES: Final = ("IS", "AP", "RL")
UNKNOWN_AXES: Final = ("", "", "")
_OBLIQUE_DEGREES: Final = 1.0
_MAX_EXPONENT: Final = 30  # float32 ends at 3e38, and the fields of the app have no room for more digits
_MIN_STEPS: Final = 2**12  # values that float32 must distinguish between the lowest and the highest
Spacing = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, eq=False)
class ViewedVolume(Scan):
    """Voxels in the file's units. `pixels` holds them: (slices, rows, columns), NaN where there is no value.

    They are float32, or float64 where float32 has no room for their differences.

    Args:
        axes: letters at the start and the end of each axis, such as "IS"; empty if they are unknown.
        voxel_mm: millimeters from voxel to voxel along each axis; None where they are unknown.
        units: unit of the values, 'HU' for Hounsfield units; empty if the file names none.
        window: values that the file shows black and white; None if it names none.
        inverted: whether low values are bright in the file.
        series: the series of a folder, as texts; empty for a file.
        series_number: the chosen series, counted from 1.
        volumes: number of volumes of the file or the series.
        volume: the chosen volume, counted from 1.
    """

    axes: tuple[str, str, str] = UNKNOWN_AXES
    voxel_mm: Spacing = (None, None, None)
    units: str = ""
    window: tuple[float, float] | None = None
    inverted: bool = False
    series: tuple[str, ...] = ()
    series_number: int = 1
    volumes: int = 1
    volume: int = 1


def arrange_patient(
    voxels: NDArray[np.float32], affine: NDArray[np.float64]
) -> tuple[NDArray[np.float32], tuple[float, float, float], float]:
    """Turn a volume so that its axes run from foot to head, from front to back and from right to left.

    Args:
        voxels: (i, j, k), the axes of the affine.
        affine: (4, 4), from voxels to millimeters towards right, front and head.

    Returns:
        The voxels, the millimeters from voxel to voxel along the three axes, and the largest angle in degrees between
        an axis of the volume and the nearest axis of the patient.

    Examples:
        >>> arrange_patient(np.zeros((2, 3, 4), np.float32), np.diag([1.0, 2, 3, 1]))[0].shape
        (4, 3, 2)
    """
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = affine[:3, :3] / sides
    right, front, head = max(
        itertools.permutations(range(3)), key=lambda order: sum(abs(cosines[axis, order[axis]]) for axis in range(3))
    )
    along = np.array([cosines[2, head], cosines[1, front], cosines[0, right]])
    against = np.flatnonzero(along * (1, -1, -1) < 0)
    turned = np.flip(np.transpose(voxels, (head, front, right)), tuple(against.tolist()))
    angle = float(np.degrees(np.arccos(np.clip(np.abs(along), 0, 1))).max())
    return turned, (float(sides[head]), float(sides[front]), float(sides[right])), angle


def make_view(scan: Scan, window: tuple[float, float] | None = None, **facts: object) -> ViewedVolume:
    """Return the volume of a scan whose pixels are values.

    Args:
        scan: slices with their grid; slices that lie in no even stack are shown as they are stored.
        window: as in `ViewedVolume`.
        facts: further fields of a `ViewedVolume`.
    """
    grid, notes = scan.grid, list(scan.notes)
    pixels, divisor = _fit_values(scan.pixels, notes)
    window = window and (window[0] / divisor, window[1] / divisor)
    voxel_mm: Spacing = (scan.slice_spacing_mm, *(scan.spacing_mm or (None, None)))
    axes = UNKNOWN_AXES
    if grid is not None and grid.affine is not None:
        against = tuple(axis for axis, is_flipped in enumerate(grid.flipped) if is_flipped)
        stored = np.transpose(np.flip(pixels, against), np.argsort(grid.axes))
        pixels, voxel_mm, angle = arrange_patient(stored, np.array(grid.affine))
        axes = PATIENT_AXES
        if angle > _OBLIQUE_DEGREES:
            notes.append(f"Its axes are oblique by up to {angle:.0f}°; the letters give the nearest directions.")
    elif len(pixels) > 1 and scan.kind == "dicom":
        notes.append("The file does not say how its slices lie in the patient; they are shown as stored.")
    elif scan.orientation:
        left, right, top, bottom = scan.orientation
        axes = ("", top + bottom, left + right)
    known = [side for side in voxel_mm if side]
    if known and max(known) > MAX_SPACING_RATIO * min(known):
        voxel_mm = (None, None, None)
        notes.append("The voxel spacing in the file is not believable and is ignored.")
    return ViewedVolume(
        np.ascontiguousarray(pixels),
        scan.name,
        scan.kind,
        notes=tuple(notes),
        axes=axes,
        voxel_mm=voxel_mm,
        window=window,
        **facts,  # type: ignore[arg-type]
    )


def _fit_values(values: NDArray[Any], notes: list[str]) -> tuple[NDArray[Any], float]:
    """Return values in a type and of a size that the app has room for, and what they were divided by."""
    low, high = _find_ends(values)
    if math.isnan(low):
        notes.append("Its voxels hold no numbers.")
        return values.astype(np.float32, copy=False), 1.0
    most, divisor = max(abs(low), abs(high)), 1.0
    if most and abs(exponent := math.floor(math.log10(most))) > _MAX_EXPONENT:
        divisor = 10.0**exponent
        values = values.astype(np.float64) / divisor
        low, high, most = low / divisor, high / divisor, most / divisor
        notes.append(f"Its values are divided by 1e{exponent}; the app has no room for them as they are.")
    is_fine = most * float(np.finfo(np.float32).eps) * _MIN_STEPS <= high - low or low == high
    return (values.astype(np.float32, copy=False) if is_fine else values), divisor


def _find_ends(values: NDArray[Any]) -> tuple[float, float]:
    """Return the lowest and the highest finite value; NaN if there is none."""
    low, high = float(np.min(values)), float(np.max(values))
    if not math.isfinite(high - low):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)
    return low, high


# mypy: disallow-untyped-calls=False


SHOWN: Final = "Shown as "  # begins the note of `engine.data.nifti` on the plane


def reslice(scan: Scan, plane: str) -> Scan:
    """Arrange a volume as slices in a plane, as `engine.data.nifti.read_scan` does.

    Args:
        scan: the volume, with a grid.
        plane: 'axial', 'coronal', 'sagittal', or 'stored' for slices along the third axis of the file; empty for the
            slices as they are.

    Returns:
        The slices with their grid; the scan itself if it has no grid or orientation, or lies in this plane.
    """
    grid = scan.grid
    if grid is None or grid.problem or not plane or (plane != "stored" and grid.affine is None):
        return scan
    shared = _share_levels(scan)
    assert shared.grid is not None
    voxels, notes = shared.grid.to_voxels(shared.pixels), [note for note in scan.notes if not note.startswith(SHOWN)]
    if plane == "stored":
        rows = grid.spacing_mm[1], grid.spacing_mm[0]
        changed: dict[str, Any] = {"orientation": None, "spacing_mm": rows, "slice_spacing_mm": grid.spacing_mm[2]}
        made = replace(shared, pixels=voxels.T, notes=tuple(notes), **changed)
        layout = replace(shared.grid, axes=(2, 1, 0), flipped=(False, False, False))
    else:
        affine = np.array(grid.affine)
        arranged, shown = arrange(voxels, affine, scan.name, [], plane)
        made = replace(arranged, kind=scan.kind, notes=(*notes, *arranged.notes))
        oriented = io_orientation(affine)
        axes = np.argsort(oriented[:, 0])[list(shown)]
        flipped = (oriented[axes, 1] < 0) ^ np.array([False, True, True])
        layout = replace(
            shared.grid,
            axes=cast(tuple[int, int, int], tuple(axes.tolist())),
            flipped=cast(tuple[bool, bool, bool], tuple(flipped.tolist())),
        )
    if (layout.axes, layout.flipped) == (grid.axes, grid.flipped):
        return scan
    return replace(made, grid=layout)


def _share_levels(scan: Scan) -> Scan:
    """Return a volume whose slices are displayed with one window, the widest."""
    grid = cast(VolumeGrid, scan.grid)
    if len(set(grid.levels)) < 2:
        return replace(scan, grid=replace(grid, levels=grid.levels[:1]))
    low, high = float(np.min(grid.levels)), float(np.max(grid.levels))
    black, white = (high, low) if grid.levels[0][0] > grid.levels[0][1] else (low, high)
    pixels = (grid.to_values(scan.pixels) - black) / np.float32(white - black)
    return replace(scan, pixels=pixels, grid=replace(grid, levels=((black, white),)))
