# mypy: disallow-untyped-calls=False
"""Slices of an opened volume in another plane, on the same grid."""

from dataclasses import replace
from typing import Any, Final, cast

import numpy as np
from nibabel.orientations import io_orientation

from engine.data.nifti import arrange
from engine.data.scan import Scan
from engine.data.volume_grid import VolumeGrid

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
