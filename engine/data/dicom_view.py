"""DICOM files, series and discs for the viewer, see `engine.data.viewed_volume`; a program like `engine.data.dicom`.

A folder is searched with its subfolders. Its images are grouped by series and direction. Images of one place (of
several times or echoes) go to as many volumes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import dcmread

from engine.data.decoded_image import UnreadableFile, check_volume
from engine.data.dicom import Quantities, read_quantities
from engine.data.dicom_header import DAMAGE
from engine.data.scan import Scan, serve
from engine.data.series_folder import NO_IMAGES, split_by_place, stack_slices, walk_dicom
from engine.data.viewed_volume import ViewedVolume, make_view

_TAGS: Final = [
    "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "InstanceNumber", "Rows", "Columns", "NumberOfFrames",
    "ImageOrientationPatient", "PatientID", "SOPInstanceUID", "Modality",
]  # fmt: skip
SeriesKey = tuple[int, str, str]


@dataclass(frozen=True)
class SeriesFiles:
    """One series of a folder: what it is called, its files in the order of their numbers, and its images."""

    title: str
    files: tuple[Path, ...]
    images: int


def read_view(path: Path, choice: tuple[int, int]) -> ViewedVolume:
    """Read the values of one volume of a file, or of one series of a folder.

    Args:
        path: the file or the folder.
        choice: numbers of the series and of the volume, counted from 1; series 0 is the one with the most images.

    Raises:
        UnreadableFile: there is no such series or volume, or a file of it is damaged.
    """
    number, volume = choice
    if not path.is_dir():
        return _view_file(path, volume)
    found = list_series(path)
    if not 0 <= number <= len(found):
        raise UnreadableFile(f"it has no series {number}; it holds {len(found)}, counted from 1")
    at = number - 1 if number else max(range(len(found)), key=lambda index: found[index].images)
    files, titles = found[at].files, tuple(series.title for series in found)
    made = _view_file(files[0], volume) if len(files) == 1 else _view_series(files, volume)
    return replace(made, name=path.name, series=titles, series_number=at + 1)


def list_series(folder: Path) -> list[SeriesFiles]:
    """Return the series of a folder and its subfolders, patient by patient in the order of their numbers.

    Raises:
        UnreadableFile: there is none, or there are too many files.
    """
    series: dict[SeriesKey, list[tuple[float, str, Path, int]]] = {}
    patients: dict[SeriesKey, str] = {}
    seen: set[str] = set()
    for file in walk_dicom(folder):
        try:
            head = dcmread(file, force=True, stop_before_pixels=True, specific_tags=_TAGS)
            if not head.get("Rows") or head.get("Modality") == "SEG":  # reports and directories have no rows
                continue
            direction = str([round(float(each), 2) + 0.0 for each in head.get("ImageOrientationPatient") or ()])
            size = f"{head.get('Rows')} × {head.get('Columns')}"
            key = (int(head.get("SeriesNumber") or 0), str(head.get("SeriesInstanceUID", "")), f"{size} {direction}")
            order = float(head.get("InstanceNumber") or 0)
            frames = int(head.get("NumberOfFrames") or 1)
            title = str(head.get("SeriesDescription", "")).strip()
            patient, uid = str(head.get("PatientID", "")).strip(), str(head.get("SOPInstanceUID") or file)
        except DAMAGE:
            continue
        if uid in seen:  # a file that lies there twice is one image
            continue
        seen.add(uid)
        patients[key] = patient
        series.setdefault(key, []).append((order, title, file, frames))
    if not series:
        raise UnreadableFile(NO_IMAGES)
    for members in series.values():
        members.sort(key=lambda each: (each[0], str(each[2])))
    numbers = {patient: number for number, patient in enumerate(dict.fromkeys(patients.values()), 1)}
    return [
        _describe_series(key, members, numbers[patients[key]] if len(numbers) > 1 else 0)
        for key, members in sorted(series.items(), key=lambda each: (numbers[patients[each[0]]], each[0]))
    ]


def _describe_series(key: SeriesKey, members: Sequence[tuple[float, str, Path, int]], patient: int) -> SeriesFiles:
    """Return a series with its title; patients have numbers there, 0 for the only one, and are never named."""
    images = sum(frames for *_, frames in members)
    named = members[0][1] or "unnamed series"
    title = f"{key[0]} · {named} · {images} {'image' if images == 1 else 'images'}"
    title += f" · patient {patient}" if patient else ""
    return SeriesFiles(title, tuple(file for _, _, file, _ in members), images)


def _view_file(file: Path, volume: int) -> ViewedVolume:
    read = read_quantities(file, volume)
    facts = {"units": read.units, "inverted": read.inverted}
    return make_view(read.scan, read.window, volumes=read.volumes, volume=volume, **facts)


def _view_series(files: Sequence[Path], volume: int) -> ViewedVolume:
    read = [_read(file) for file in files]
    groups = split_by_place([each.scan for each in read])
    check_volume(volume, len(groups))
    chosen = [read[at] for at in groups[volume - 1]]
    windows = [each.window for each in chosen if each.window]
    # The window of the middle slice stands for slices with windows of their own.
    window = windows[len(windows) // 2] if len(windows) == len(chosen) else None
    facts = {"units": chosen[0].units, "inverted": chosen[0].inverted}
    return make_view(_stack(chosen), window, volumes=len(groups), volume=volume, **facts)


def _read(file: Path) -> Quantities:
    try:
        return read_quantities(file)
    except UnreadableFile as error:
        raise UnreadableFile(f"its file '{file.name}' cannot be used: {error}") from error


def _stack(chosen: Sequence[Quantities]) -> Scan:
    scans = [each.scan for each in chosen]
    if len(scans) == 1 or all(scan.grid and scan.grid.affine is not None for scan in scans):
        return stack_slices(scans, "") if len(scans) > 1 else scans[0]
    if any(scan.pixels.shape != scans[0].pixels.shape for scan in scans):
        raise UnreadableFile("its slices differ in size, so they are not one volume")
    pixels = np.concatenate([scan.pixels for scan in scans])
    return replace(scans[0], pixels=pixels, grid=None, orientation=None, slice_spacing_mm=None)


if __name__ == "__main__":
    serve(read_view)
