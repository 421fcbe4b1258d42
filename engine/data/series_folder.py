"""Folder with DICOM series: the files of one, a slice each, as one volume.

The slices are sorted by their positions, or by their numbers if they have none. Images of one place (times or echoes)
make as many volumes. Where not all slices have a window, they share one, as in a dataset. Files that are no DICOM
images are left out; a DICOM image that cannot be read is an error, because a volume with a gap would be wrong.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread

from engine.data import dicom
from engine.data.decoded_image import UnreadableFile, check_volume
from engine.data.dicom_geometry import UNEVEN
from engine.data.dicom_header import DAMAGE, Header
from engine.data.dicom_series import read_slice_header
from engine.data.files import is_dicom_content, is_disc_index
from engine.data.scan import MAX_VOXELS, Scan, serve
from engine.data.series_choice import SeriesFacts, select_series
from engine.data.source import natural_sort_key
from engine.data.volume_grid import TO_RAS, Levels, VolumeGrid, stack_affine, to_rows

NO_IMAGES: Final = "it holds no DICOM images; open one of its files"
_DIRECTION_TOLERANCE: Final = 1e-3
_FACTS: Final = ["SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality"]
_TAGS: Final = [*_FACTS, "Rows", "InstanceNumber", "SOPInstanceUID"]
_LISTED: Final = 8
_Result = TypeVar("_Result")
MAX_FILES: Final = 20_000


def read_scan(folder: Path, volume: int | None = None, series: str = "") -> Scan:
    """Read one series of a folder and its subfolders.

    Args:
        folder: the folder.
        volume: stack of a multi-frame file that is alone in its series, or of several images at each place, counted
            from 1; all stacks of the file if None, or the first image of each place.
        series: number, description, UID or modality of the series; empty if there is only one.

    Raises:
        UnreadableFile: the folder holds no such series or several ones, a file is damaged, or the files make no
            volume.
    """
    files = list_series_files(folder, series)
    if len(files) == 1:
        return replace(_read_slice(files[0], volume), name=folder.name)
    span = _find_span(files)
    scans = [_read_slice(file, span=span) for file in files]
    groups = split_by_place(scans)
    check_volume(volume, len(groups))
    made = stack_slices([scans[at] for at in groups[(volume or 1) - 1]], folder.name)
    if len(groups) == 1:
        return made
    said = f"Its series holds {len(groups)} images of each place (times or echoes); volume {volume or 1} is shown."
    return replace(made, notes=(said, *made.notes))


def _find_span(files: Sequence[Path]) -> Levels | None:
    """Return the black and white that slices share if not all of them have a window, as in a dataset; else None."""
    if all(_use(read_slice_header, file).has_contrast for file in files):
        return None
    return dicom.join_samples([_use(dicom.sample_values, file, len(files)) for file in files])


def list_series_files(folder: Path, wanted: str = "") -> list[Path]:
    """Return the image files of one series of a folder and its subfolders.

    Args:
        folder: the folder.
        wanted: number, description, UID or modality of the series; empty if there is only one.

    Raises:
        UnreadableFile: there is no such series, or several.
    """
    series: dict[str, dict[str, tuple[float, Path]]] = {}
    facts: dict[str, SeriesFacts] = {}
    for file in walk_dicom(folder):
        try:
            head = Header(dcmread(file, force=True, stop_before_pixels=True, specific_tags=_TAGS))
            is_image = bool(head.value("Rows")) and head.text("Modality") != "SEG"  # reports and directories have none
        except DAMAGE as error:
            raise UnreadableFile(f"its file '{file.name}' is damaged or incomplete") from error
        if is_image:
            found = SeriesFacts(*(head.text(tag) for tag in _FACTS))
            # A file that lies there twice is one image.
            uid = head.text("SOPInstanceUID") or str(file)
            series.setdefault(found.uid, {}).setdefault(uid, (head.number("InstanceNumber") or 0.0, file))
            facts.setdefault(found.uid, found)
    if not series:
        raise UnreadableFile(NO_IMAGES)
    chosen = select_series(facts, wanted)
    if len(chosen) != 1:
        titles = [f"{facts[uid].title} ({len(series[uid])})" for uid in chosen or facts]
        raise UnreadableFile(_describe_choice(folder, wanted if not chosen else "", titles))
    return [file for _, file in sorted(series[chosen[0]].values())]


def _describe_choice(folder: Path, missing: str, titles: list[str]) -> str:
    """Return why no series was chosen: the wanted one is missing, or there are several."""
    named = sorted(set(titles), key=natural_sort_key)
    index = "the index of a disc (DICOMDIR)" if is_disc_index(folder / "DICOMDIR") else "a folder"
    what = f"without a DICOM series '{missing}'" if missing else f"with {len(titles)} DICOM series"
    alike = ", or by its UID, or open its folder" if len(named) < len(titles) else ""
    listed = ", ".join(named[:_LISTED]) + (", ..." if len(named) > _LISTED else "")
    return f"it is {index} {what}; choose one by its number or description (--series){alike}: {listed}"


def walk_dicom(folder: Path) -> list[Path]:
    """Return the DICOM files of a folder and its subfolders, in the order of their names.

    Raises:
        UnreadableFile: there are too many.
    """
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(root) / name for name in sorted(names) if not name.startswith(".")):
            if file.is_file() and is_dicom_content(file):
                found.append(file)
        if len(found) > MAX_FILES:
            raise UnreadableFile(f"it is a folder with more than {MAX_FILES:,} DICOM files; open one of its folders")
    return found


def _read_slice(file: Path, volume: int | None = None, span: Levels | None = None) -> Scan:
    return _use(dicom.read_scan, file, volume, span, True)


def _use(read: Callable[..., _Result], file: Path, *arguments: Any) -> _Result:
    """Read a file of the series; an error names it."""
    try:
        return read(file, *arguments)
    except UnreadableFile as error:
        raise UnreadableFile(f"its file '{file.name}' cannot be used: {error}") from error


def split_by_place(scans: Sequence[Scan]) -> list[list[int]]:
    """Return the indices of the slices of one volume, or of as many volumes as there are slices at each place.

    Raises:
        UnreadableFile: there are more slices at some places than at others.
    """
    places: dict[object, list[int]] = {}
    for at, scan in enumerate(scans):
        places.setdefault(_place(scan, at), []).append(at)
    if len({len(members) for members in places.values()}) > 1:
        raise UnreadableFile("some of its slices lie at one place and others do not, so they are not whole volumes")
    return [list(volume) for volume in zip(*places.values(), strict=True)]


def _place(scan: Scan, at: int) -> object:
    """Return where a slice lies along its normal; its number in the series if that is unknown."""
    if scan.grid is None or scan.grid.affine is None:
        return f"slice {at}"
    affine = np.array(scan.grid.affine)
    normal = np.cross(*(affine[:3, :2] / np.linalg.norm(affine[:3, :2], axis=0)).T)
    return round(float(normal @ affine[:3, 3]), 3)


def stack_slices(scans: Sequence[Scan], name: str) -> Scan:
    """Return single slices as one volume, sorted by position; as they come if none has one."""
    first = scans[0]
    if any(len(scan) != 1 for scan in scans):
        raise UnreadableFile("it is a folder with a file of several frames beside others")
    if any(scan.pixels.shape != first.pixels.shape for scan in scans):
        raise UnreadableFile("its slices differ in size, so they are not one volume")
    if len(scans) * first.pixels.size > MAX_VOXELS:
        raise UnreadableFile(f"its slices have more voxels than can be opened ({MAX_VOXELS:,})")
    if all(scan.grid is None or scan.grid.affine is None for scan in scans):
        made = _join(scans, name, None)
        said = "Its slices have no positions and come in the order of their numbers."
        return replace(made, grid=None, slice_spacing_mm=None, notes=(*made.notes, said))
    affines = [_affine(scan) for scan in scans]
    directions = np.stack([affine[:3, :2] for affine in affines])
    lengths = np.linalg.norm(directions[0], axis=0)
    if np.abs(np.linalg.norm(directions, axis=1) / lengths - 1).max() > _DIRECTION_TOLERANCE:
        raise UnreadableFile("its slices have pixels of different sizes, so they are not one volume")
    if np.abs((directions - directions[0]) / lengths).max() > _DIRECTION_TOLERANCE:
        raise UnreadableFile("its slices lie in different directions, so they are not one volume")
    positions = np.stack([affine[:3, 3] for affine in affines]) @ TO_RAS
    cosines = (directions[0] / lengths).T @ TO_RAS
    along = positions @ np.cross(*cosines)
    order = np.argsort(along, kind="stable")
    affine = stack_affine(cosines, (lengths[1], lengths[0]), positions[order], 1.0)
    made = _join([scans[index] for index in order], name, affine)
    return made if affine is not None else replace(made, notes=(*made.notes, UNEVEN))


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
    serve(lambda folder, choice: read_scan(folder, *choice))
