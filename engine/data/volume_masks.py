"""Segmentation masks beside volumes, as labels of the slices that are images of a dataset."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.data.annotations import find_masks
from engine.data.decoded_image import UnreadableFile
from engine.data.files import VOLUME_AMONG_IMAGES, list_pictures
from engine.data.parsing import parse
from engine.data.source import SLICE_MARK
from engine.data.volumes import count_slices, parse_volume, read_labels


def find_volume_masks(folder: Path) -> dict[str, list[str]]:
    """Return the masks of the volumes in a folder, by the names of the volumes; nothing is decoded."""
    volumes: list[str] = []

    def keep(name: str, reason: str) -> None:
        if reason == VOLUME_AMONG_IMAGES:
            volumes.append(name)

    for _ in list_pictures(folder, keep):
        pass
    return find_masks(volumes).masks


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
        As `read_volume_slices`.
    """
    masks = find_volume_masks(folder)
    wanted: dict[str, set[str]] = {}
    for name in names:
        wanted.setdefault(name.rpartition(SLICE_MARK)[0], set()).add(name)
    for volume, slices in wanted.items():
        missing = set(slices)
        for found in read_volume_slices(folder, volume, masks.get(volume, ()), plane, problems):
            missing.discard(found[0])
            if found[0] in slices:
                yield found
        if masks.get(volume) and missing and missing != slices:
            problems.append(f"The mask of {volume} has fewer slices; there is none for {min(missing)}.")


def read_volume_slices(
    folder: Path, volume: str, masks: Sequence[str], plane: str, problems: list[str]
) -> Iterator[tuple[str, NDArray[np.float32], float]]:
    """Yield the labels of all slices of a volume, one mask after the other; arguments as in `read_masked_slices`.

    Yields:
        Name of a slice, its labels (height, width), and height over width of the slice in millimeters.
    """
    for mask in masks:
        try:
            scan = parse_volume(read_labels, folder / mask, plane, parse(count_slices, folder / mask, plane))
        except (UnreadableFile, OSError) as error:
            problems.append(f"The mask {mask} cannot be read: {error}.")
            continue
        height, width = scan.pixels.shape[1:]
        for number, labels in enumerate(scan.pixels, 1):
            yield f"{volume}{SLICE_MARK}{number}", labels, float(height / width * scan.aspect)
