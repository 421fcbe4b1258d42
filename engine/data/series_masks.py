"""Masks beside DICOM images: segmentations (DICOM SEG), contours (RT Structure Set), and volumes called like masks.

The regions of DICOM files belong to the images that they name, else to those at their position in the same study. A
volume of labels (NIfTI, MGZ, NRRD) belongs to the images of its folder, or of the nearest folder around it; its affine
must put their pixels on its voxels.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.data import dicom_masks, volumes
from engine.data.annotations import find_masks, has_mask_name
from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_header import holds_regions
from engine.data.dicom_masks import ImagePlanes, MaskFrames
from engine.data.files import PICTURE_SUFFIXES, VOLUME_AMONG_IMAGES, list_pictures
from engine.data.mask_drawing import belongs, cut_volume, place_region
from engine.data.parsing import parse
from engine.data.source import SLICE_MARK
from engine.lru_cache import LRUCache

_LESION: Final = re.compile(r"(?:.*[ _.-])?(?:lesions?|tumou?rs?)(?:[ _.-].*)?", re.IGNORECASE)
_MAX_BYTES: Final = 2**28
_FRAMES: Final = 256  # slices that a volume may take time and memory for
Grid = tuple[NDArray[np.float32], NDArray[np.float64] | None]
Slice = tuple[str, NDArray[Any], float]


def is_volume_mask(name: str) -> bool:
    """Return whether a volume beside DICOM images is called like a mask or a lesion.

    Examples:
        >>> is_volume_mask("p0/seg.nii.gz"), is_volume_mask("p0/tumor_core.nii"), is_volume_mask("p0/t1.nii.gz")
        (True, True, False)
    """
    return has_mask_name(name) or bool(_LESION.fullmatch(PurePosixPath(name).name.split(".")[0]))


class SeriesMasks:
    """The masks beside the DICOM images of a folder; nothing is decoded before an image is asked for.

    Args:
        folder: folder of the dataset.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, found = folder, list[str]()

        def keep(name: str, reason: str) -> None:
            if reason == VOLUME_AMONG_IMAGES and is_volume_mask(name):
                found.append(name)

        names = [name for name in list_pictures(folder, keep) if Path(name).suffix.casefold() not in PICTURE_SUFFIXES]
        self._files = [name for name in names if _is_mask(folder / name)]
        self._images = sorted(set(names).difference(self._files))
        self._volumes = sorted(found) if self._images else []
        self._planes = LRUCache[str, ImagePlanes](max_entries=4096)
        self._regions = LRUCache[str, MaskFrames](max_bytes=_MAX_BYTES, count_bytes=lambda each: each.pixels.nbytes)
        self._grids = LRUCache[str, Grid](max_bytes=_MAX_BYTES, count_bytes=lambda each: each[0].nbytes)
        self._uids: dict[str, set[str]] = {}
        self._broken: dict[str, str] = {}
        self._owned: dict[str, set[str]] = {}
        self._fits: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._files or self._volumes) and bool(self._images)

    def read(self, names: Iterable[str], label: int | None, problems: list[str]) -> Iterator[Slice]:
        """Yield the labels of images.

        Args:
            names: names of the images, as in the dataset; those without a mask are passed over.
            label: label that is drawn over others where regions overlap; None for any.
            problems: gets a sentence for each mask that cannot be used.

        Yields:
            Name of an image, its labels (height, width), and height over width of the image in millimeters.
        """
        for name in names:
            file, _, number = name.partition(SLICE_MARK)
            if file not in self._images:
                continue
            try:
                planes = self._read_planes(file)
            except UnreadableFile:
                continue
            at = int(number or 1) - 1
            drawn = [
                *(self._draw_file(mask, planes, at, label) for mask in _list_nearest(self._files, file)),
                *(self._draw_volume(mask, file, planes, at) for mask in self._volumes),
            ]
            for labels in drawn:
                if labels is not None and labels.any():
                    yield name, labels, planes.aspect
        misplaced = [mask for mask, fits in self._fits.items() if not fits]
        problems += [f"The mask {mask} does not lie on the grid of the DICOM images beside it." for mask in misplaced]
        problems += self._broken.values()

    def find_unmarked(self, names: Sequence[str], label: int | None) -> list[str]:
        """Return the images that show no lesion, or not the chosen label."""
        slices = self.read(names, label, [])
        marked = {name for name, labels, _ in slices if label is None or (labels == label).any()}
        return [name for name in names if name not in marked]

    def _read_planes(self, file: str) -> ImagePlanes:
        read = dicom_masks.read_planes
        return self._planes.get_or_create(file, lambda: ImagePlanes(**parse(read, self._folder / file)))

    def _read_regions(self, mask: str) -> MaskFrames:
        path = self._folder / mask
        return MaskFrames(**parse(dicom_masks.read_masks, path, frames=max(2, parse(dicom_masks.count_frames, path))))

    def _read_grid(self, mask: str) -> Grid:
        labels, affine = parse(volumes.read_label_grid, self._folder / mask, frames=_FRAMES)
        return labels, affine

    def _draw_file(self, mask: str, planes: ImagePlanes, at: int, label: int | None) -> NDArray[Any] | None:
        """Return the regions of a DICOM file on a slice; None if there are none."""
        if mask in self._broken or at >= len(planes.frames):
            return None
        if mask in self._uids and not self._uids[mask] & {planes.uid, planes.study}:
            return None
        try:
            found = self._regions.get_or_create(mask, lambda: self._read_regions(mask))
        except (UnreadableFile, OSError) as error:
            self._broken[mask] = f"The mask {mask} cannot be read: {error}."
            return None
        named = {uid for sources in found.sources for uid, _ in sources}
        self._uids.setdefault(mask, named | {found.study})
        chosen = [each for each in range(len(found.labels)) if belongs(found, each, planes, at, planes.uid in named)]
        chosen.sort(key=lambda each: found.labels[each] == label)
        labels = np.zeros(planes.shape, np.uint16)
        for each in chosen:
            region = place_region(found, each, planes, at)
            hole = (labels == region) & bool(found.contours)  # an inner line
            labels = np.where(region > 0, np.where(hole, 0, region), labels)
        return labels

    def _draw_volume(self, mask: str, file: str, planes: ImagePlanes, at: int) -> NDArray[Any] | None:
        """Return the labels of a volume on a slice; None if the slice does not lie in it."""
        if mask in self._broken or file not in self._find_owned(mask):
            return None
        try:
            labels, affine = self._grids.get_or_create(mask, lambda: self._read_grid(mask))
        except (UnreadableFile, OSError) as error:
            self._broken[mask] = f"The mask {mask} cannot be read: {error}."
            return None
        found = None if affine is None else cut_volume(labels, affine, planes, at)
        self._fits[mask] = self._fits.get(mask, False) or found is not None
        return found

    def _find_owned(self, mask: str) -> set[str]:
        """Return the images that a volume belongs to: those called like it, else those of the nearest folder."""
        if mask not in self._owned:
            self._owned[mask] = self._choose_owned(mask)
        return self._owned[mask]

    def _choose_owned(self, mask: str) -> set[str]:
        named = {image for image, masks in find_masks([*self._images, mask]).masks.items() if mask in masks}
        near = named or set(_list_nearest(self._images, mask))
        stem = PurePosixPath(mask).name.casefold()
        called = {image for image in near if any(map(stem.startswith, image.casefold().split("/")[:-1]))}
        owned = called or near
        firsts = {image.rpartition("/")[0]: image for image in sorted(owned, reverse=True)}
        try:
            studies = {self._read_planes(image).study for image in firsts.values()}
        except UnreadableFile:
            studies = set()
        if len(studies) > 1:
            self._broken[mask] = f"The mask {mask} could belong to several studies; put it into the folder of one."
            return set()
        return owned


def _is_mask(file: Path) -> bool:
    try:
        return holds_regions(file)
    except OSError:
        return False


def _list_nearest(names: list[str], name: str) -> list[str]:
    """Return the files under the nearest folder around a file that has any of them."""
    folder = name.rpartition("/")[0]
    while folder:
        if found := [each for each in names if each.startswith(f"{folder}/")]:
            return found
        folder = folder.rpartition("/")[0]
    return names
