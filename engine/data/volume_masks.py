"""Segmentation masks beside volumes, as labels of the slices that are images of a dataset."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.data.annotations import find_masks
from engine.data.decoded_image import UnreadableFile
from engine.data.files import VOLUME_AMONG_IMAGES, list_pictures
from engine.data.parsing import parse
from engine.data.scan import Scan
from engine.data.volumes import count_slices, import_nifti, parse_volume

SLICE_MARK: Final = "#"  # between the file and the number of a slice, as in case.nii.gz#81


def find_volume_masks(folder: Path) -> dict[str, list[str]]:
    """Return the masks of the volumes in a folder, by the names of the volumes; nothing is decoded."""
    volumes: list[str] = []

    def keep(name: str, reason: str) -> None:
        if reason == VOLUME_AMONG_IMAGES:
            volumes.append(name)

    for _ in list_pictures(folder, keep):
        pass
    return find_masks(volumes).masks


def list_masked_slices(names: Sequence[str], masks: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, int]]]:
    """Return (name, number from 1) of each slice of a volume that has masks, by the name of the volume.

    Examples:
        >>> list_masked_slices(["a.nii#2", "b.nii#1", "c.png"], {"a.nii": ["a_seg.nii"]})
        {'a.nii': [('a.nii#2', 2)]}
    """
    found: dict[str, list[tuple[str, int]]] = {}
    for name in names:
        volume, mark, number = name.rpartition(SLICE_MARK)
        if mark and number.isdecimal() and volume in masks:
            found.setdefault(volume, []).append((name, int(number)))
    return found


def read_masked_slices(
    folder: Path, names: Sequence[str], plane: str, problems: list[str]
) -> Iterator[tuple[str, NDArray[np.float32], float]]:
    """Yield the labels of slices of volumes.

    Args:
        folder: folder of the dataset.
        names: names of the slices; those of volumes without a mask are passed over.
        plane: plane of the slices, as in `engine.config.DataConfig`.
        problems: gets a sentence for each mask that cannot be used.

    Yields:
        Name of a slice, its labels (height, width), and height over width of the slice in millimeters.
    """
    masks = find_volume_masks(folder)
    for volume, slices in list_masked_slices(names, masks).items():
        for mask in masks[volume]:
            try:
                scan = parse_volume(read_labels, folder / mask, plane, parse(count_slices, folder / mask, plane))
            except (UnreadableFile, OSError) as error:
                problems.append(f"The mask {mask} cannot be read: {error}.")
                continue
            height, width = scan.pixels.shape[1:]
            if missing := [name for name, number in slices if number > len(scan)]:
                problems.append(f"The mask {mask} has {len(scan)} slices; there is none for {missing[0]}.")
            for name, number in slices:
                if number <= len(scan):
                    yield name, scan.pixels[number - 1], float(height / width * scan.aspect)


def read_labels(path: Path, plane: str) -> Scan:
    """Read the labels of a mask, as `engine.data.nifti.read_labels`."""
    scan: Scan = import_nifti().read_labels(path, plane)
    return scan
