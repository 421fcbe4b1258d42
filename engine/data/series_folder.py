"""Folder with one DICOM series: its files, one slice each, as one volume.

The slices are sorted by their positions. Where not all of them have a window, they share one, as in a dataset. Files
that are no DICOM images are left out; a DICOM image that cannot be read is an error, because a volume with a gap would
be wrong.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread

from engine.data import dicom
from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_geometry import UNEVEN
from engine.data.dicom_header import DAMAGE
from engine.data.dicom_series import SeriesWindows, read_headers
from engine.data.files import is_dicom_content
from engine.data.scan import MAX_VOXELS, Scan, serve
from engine.data.volume_grid import TO_RAS, Levels, VolumeGrid, stack_affine, to_rows

_DIRECTION_TOLERANCE: Final = 1e-3
_TAGS: Final = ["SeriesInstanceUID", "Rows"]


def read_scan(folder: Path, volume: int | None = None) -> Scan:
    """Read the only series of a folder.

    Args:
        folder: the folder; its subfolders are not read.
        volume: stack of a multi-frame file, if the folder holds only this one; counted from 1.

    Raises:
        UnreadableFile: the folder holds no series or several ones, a file is damaged, or the files make no volume.
    """
    files = _list_series(folder)
    if len(files) == 1:
        return replace(_read_slice(files[0], volume), name=folder.name)
    windows = SeriesWindows(folder, read_headers(folder, [file.name for file in files])[0])
    scans = [_read_slice(file, span=windows.find_span(file.name)) for file in files]
    return stack_slices(scans, folder.name)


def _list_series(folder: Path) -> list[Path]:
    """Return the image files of the only series of a folder."""
    series: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or not file.is_file() or not is_dicom_content(file):
            continue
        try:
            head = dcmread(file, force=True, stop_before_pixels=True, specific_tags=_TAGS)
            uid, rows = str(head.get("SeriesInstanceUID", "")), head.get("Rows")
        except DAMAGE as error:
            raise UnreadableFile(f"its file '{file.name}' is damaged or incomplete") from error
        if rows:  # reports and directories have none
            series.setdefault(uid, []).append(file)
    if not series:
        raise UnreadableFile("it is a folder without DICOM images; its subfolders are not read")
    if len(series) > 1:
        raise UnreadableFile(f"it is a folder with {len(series)} DICOM series; put one of them in a folder of its own")
    return next(iter(series.values()))


def _read_slice(file: Path, volume: int | None = None, span: Levels | None = None) -> Scan:
    try:
        return dicom.read_scan(file, volume, span, alone=True)
    except UnreadableFile as error:
        raise UnreadableFile(f"its file '{file.name}' cannot be used: {error}") from error


def stack_slices(scans: Sequence[Scan], name: str) -> Scan:
    """Return single slices as one volume, sorted by position."""
    first = scans[0]
    if any(len(scan) != 1 for scan in scans):
        raise UnreadableFile("it is a folder with a file of several frames beside others")
    if any(scan.pixels.shape != first.pixels.shape for scan in scans):
        raise UnreadableFile("its slices differ in size, so they are not one volume")
    if len(scans) * first.pixels.size > MAX_VOXELS:
        raise UnreadableFile(f"its slices have more voxels than can be opened ({MAX_VOXELS:,})")
    affines = [_affine(scan) for scan in scans]
    directions = np.stack([affine[:3, :2] for affine in affines])
    lengths = np.linalg.norm(directions[0], axis=0)
    if np.abs((directions - directions[0]) / lengths).max() > _DIRECTION_TOLERANCE:
        raise UnreadableFile("its slices lie in different directions, so they are not one volume")
    positions = np.stack([affine[:3, 3] for affine in affines]) @ TO_RAS
    cosines = (directions[0] / lengths).T @ TO_RAS
    along = positions @ np.cross(*cosines)
    order = np.argsort(along, kind="stable")
    if len(np.unique(along.round(3))) < len(along):
        raise UnreadableFile("it is a folder with several images of one place (times or echoes); keep one of each")
    affine = stack_affine(cosines, (lengths[1], lengths[0]), positions[order], 1.0)
    return _join([scans[index] for index in order], name, affine)


def _affine(scan: Scan) -> NDArray[np.float64]:
    if scan.grid is None or scan.grid.affine is None:
        raise UnreadableFile(f"its file '{scan.name}' does not say where its slice lies")
    return np.array(scan.grid.affine)


def _join(scans: Sequence[Scan], name: str, affine: NDArray[np.float64] | None) -> Scan:
    first = scans[0]
    rows, columns = first.spacing_mm or (1.0, 1.0)
    between = float(np.linalg.norm(affine[:3, 2])) if affine is not None else None
    levels = [scan.grid.levels[0] for scan in scans if scan.grid and scan.grid.levels]
    grid = VolumeGrid(
        spacing_mm=(columns, rows, between or 1.0),
        affine=to_rows(affine),
        levels=tuple(levels) if len(levels) == len(scans) else (),
        problem=UNEVEN if affine is None else "",
    )
    differ = any(scan.notes != first.notes for scan in scans)
    notes = (*first.notes, "Other slices of the series are displayed differently.") if differ else first.notes
    pixels = np.concatenate([scan.pixels for scan in scans])
    changes: dict[str, Any] = {"pixels": pixels, "name": name, "slice_spacing_mm": between, "notes": notes}
    return replace(first, grid=grid, **changes)


if __name__ == "__main__":
    serve(read_scan)
