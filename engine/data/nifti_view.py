# mypy: disallow-untyped-calls=False
"""NIfTI and research volumes for the viewer, see `engine.data.viewed_volume`; a program like `engine.data.nifti`."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from numpy.typing import NDArray

from engine.data import research_volumes
from engine.data.files import detect_format, open_plain
from engine.data.nifti import check_rest, explain_damage
from engine.data.nifti_header import (
    NO_ORIENTATION,
    millimeters_per_unit,
    pixdim,
    read_affine,
    read_header,
    read_voxels,
)
from engine.data.nifti_values import scale_values, to_luma
from engine.data.scan import Scan, serve
from engine.data.viewed_volume import ViewedVolume, make_view
from engine.data.volume_grid import VolumeGrid, to_rows


def read_view(path: Path, choice: tuple[int, int]) -> ViewedVolume:
    """Read the values of one volume of a file.

    Args:
        path: the file, or one of the two files of a pair.
        choice: number of the series, which a file has not, and of the volume, counted from 1.

    Raises:
        UnreadableFile: as in `engine.data.nifti.read_scan` and `engine.data.research_volumes.read_scan`.
    """
    volume = choice[1]
    if detect_format(path) == "research":
        found = research_volumes.read_volume(path, volume)
        fields, notes = Nifti1Header(), [] if found.is_oriented else [NO_ORIENTATION]
        fields.set_data_shape(found.voxels.shape)
        fields.set_zooms(np.linalg.norm(found.affine[:3, :3], axis=0))
        scan = _scan(found.voxels, fields, found.affine if found.is_oriented else None, path.name)
        return make_view(replace(scan, kind="research", notes=tuple(notes)), volumes=found.volumes, volume=volume)
    with explain_damage():
        header = read_header(path, volume)
        notes = [note for note in header.notes if "volumes;" not in note]
        with open_plain(header.image) as file:
            raw = read_voxels(file, header)
            check_rest(file, notes)
        affine = read_affine(header, notes)
        scan = replace(_scan(raw, header.fields, affine, path.name), notes=tuple(notes))
    window = _window(header.fields, scan.pixels)
    return make_view(scan, volumes=header.volumes, volume=volume, window=window)


def _scan(raw: NDArray[Any], fields: Any, affine: NDArray[np.float64] | None, name: str) -> Scan:
    values: NDArray[Any] = to_luma(raw) if raw.dtype.names else scale_values(raw, fields)
    zooms = [side * millimeters_per_unit(fields) for side in pixdim(fields)]
    known = affine is None and all(math.isfinite(side) and side > 0 for side in zooms)
    return Scan(
        values.T,
        name,
        "nifti",
        spacing_mm=(zooms[1], zooms[0]) if known else None,
        slice_spacing_mm=zooms[2] if known else None,
        grid=VolumeGrid(affine=to_rows(affine)),
    )


def _window(fields: Any, values: NDArray[Any]) -> tuple[float, float] | None:
    """Return the display range of the header if some of the values lie in it."""
    low, high = float(fields["cal_min"]), float(fields["cal_max"])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return None
    return (low, high) if bool(np.any((values > low) & (values < high))) else None


if __name__ == "__main__":
    serve(read_view)
