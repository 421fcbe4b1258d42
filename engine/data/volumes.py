"""Slices of volumes as images of a dataset: `case.nii.gz#81` is slice 81 of a file, counted from 1.

A volume is decoded once for all of its slices, with one intensity window for all of them. The last volumes stay in
memory. Which slices show enough of the head, or a lesion, is known when the volume is decoded; the others are left out
then.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.config import DataConfig
from engine.data import dicom
from engine.data.decoded_image import LEFT_OUT, DecodedImage, UnreadableFile
from engine.data.dicom_pixels import read_layout
from engine.data.files import detect_format, find_data_file, is_dicom_content, other_half, pair_suffix
from engine.data.parsing import parse
from engine.data.scan import Scan
from engine.data.volume_grid import VolumeGrid
from engine.lru_cache import LRUCache

VERSION: Final = 1  # increase it if the slices of a volume change, so that old caches are not read
MIN_HEAD_SHARE: Final = 0.2  # of the area that the head covers in the fullest slice
MAX_BYTES: Final = 2**29
_NIFTI_ENDINGS: Final = (".nii", ".nii.gz", ".hdr", ".hdr.gz")


@dataclass(frozen=True, eq=False)
class DecodedVolume:
    """A decoded volume: its slices, and which of them are used."""

    scan: Scan
    used: NDArray[np.bool_]

    def slice(self, index: int) -> DecodedImage:
        """Return one slice.

        Raises:
            UnreadableFile: it is not used.
        """
        if not self.used[index]:
            raise UnreadableFile(LEFT_OUT)
        return DecodedImage(self.scan.pixels[index], 1.0, self.scan.aspect)


@dataclass
class _Entry:
    """A volume of the cache, or why it cannot be read; its lock is held while it is decoded."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    volume: DecodedVolume | None = None
    problem: str = ""

    @property
    def size(self) -> int:
        """Return its bytes."""
        return self.volume.scan.pixels.nbytes if self.volume else 0


class VolumeReader:
    """Reader of the slices of volumes; threads may share it.

    Args:
        folder: folder of the volumes.
        config: its plane and slices are used.
        masks: name of a volume -> the names of its masks.
    """

    def __init__(self, folder: Path, config: DataConfig, masks: dict[str, list[str]]) -> None:
        self._folder, self._config, self._masks = folder, config, masks
        self._entries = LRUCache[str, _Entry](max_bytes=MAX_BYTES, count_bytes=lambda entry: entry.size)
        self._digests: dict[str, str] = {}
        self._lock, self._hash_lock = threading.Lock(), threading.Lock()

    def list_slices(self, name: str, frames: int) -> list[int]:
        """Return the numbers of the slices of a volume, counted from 1; only the header is read.

        Args:
            name: the file.
            frames: frames of a DICOM file, 0 for a NIfTI volume.

        Raises:
            UnreadableFile: the header is damaged.
        """
        count: int = frames or parse(count_slices, self._folder / name, self._config.plane)
        return list(range(1, count + 1, self._config.slice_step))

    def read(self, name: str, number: int) -> DecodedImage:
        """Return one slice of a volume, counted from 1.

        Raises:
            UnreadableFile: the volume cannot be decoded, or the slice is left out (`LEFT_OUT`).
        """
        with self._lock:
            entry = self._entries.get_or_create(name, _Entry)
        with entry.lock:
            if entry.volume is None and not entry.problem:
                try:
                    entry.volume = self._decode(name)
                except UnreadableFile as error:
                    entry.problem = str(error)
                self._entries.put(name, entry)  # with its size, which evicts others
        if entry.volume is None:
            raise UnreadableFile(entry.problem)
        return entry.volume.slice(number - 1)

    def digest(self, name: str) -> str:
        """Hash the bytes of a volume, once, with those of the other file of a pair."""
        with self._hash_lock:
            if name not in self._digests:
                self._digests[name] = _hash_files(self._folder / name)
            return self._digests[name]

    def describe(self, names: Sequence[str]) -> str:
        """Return what the slices of volumes are decoded with: settings, and masks where they choose the slices."""
        config, masks = self._config, []
        if config.slices == "lesion":
            masks = [self.digest(mask) for name in names for mask in self._masks.get(name, ())]
        label = [config.mask_label] if masks and config.mask_label else []
        return json.dumps([VERSION, config.plane, config.slices, masks, *label])

    def _decode(self, name: str) -> DecodedVolume:
        scan = self._parse(read_any, name)
        return DecodedVolume(scan, self._find_used(name, scan))

    def _parse(self, read: Callable[[Path, str], Scan], name: str) -> Scan:
        """Read a volume in a limited process, whose limits grow with the slices."""
        file, plane = self._folder / name, self._config.plane
        return parse_volume(read, file, plane, parse(count_slices, file, plane))

    def _find_used(self, name: str, scan: Scan) -> NDArray[np.bool_]:
        if self._config.slices == "brain":
            return find_head_slices(scan.pixels)
        used, label = np.full(len(scan), self._config.slices == "all"), self._config.mask_label
        if self._config.slices == "lesion":
            for mask in self._masks.get(name, ()):
                labels = self._parse(read_labels, mask).pixels
                if len(labels) != len(scan):
                    raise UnreadableFile(f"its mask {mask} has {len(labels)} slices, not {len(scan)}")
                used |= (labels == label if label else labels > 0).any(axis=(1, 2))
        return used


def import_reader(path: Path) -> ModuleType | None:
    """Import the reader of a volume, whose library takes half a second; None for a DICOM file."""
    if detect_format(path) == "research":
        from engine.data import research_volumes

        return research_volumes
    if not _is_nifti(path):
        return None
    from engine.data import nifti

    return nifti


def count_slices(path: Path, plane: str) -> int:
    """Return the number of slices of a volume in a plane, or of frames of a DICOM file, from the header.

    Raises:
        UnreadableFile: the header is damaged.
    """
    try:
        reader = import_reader(path)
        return int(reader.count_slices(path, plane)) if reader else read_layout(dicom.open_header(path)).frames
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror or error}") from None


def parse_volume(read: Callable[[Path, str], Scan], path: Path, plane: str, slices: int) -> Scan:
    """Read a volume of a known number of slices in a limited process.

    Raises:
        UnreadableFile: it cannot be decoded, or breaks a limit.
    """
    fields = parse(read, path, plane, frames=max(2, slices))
    fields["grid"] = fields["grid"] and VolumeGrid(**fields["grid"])
    return Scan(**fields)


def _is_nifti(path: Path) -> bool:
    return path.name.casefold().endswith(_NIFTI_ENDINGS) or not is_dicom_content(path)


def _hash_files(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        for file in filter(None, (path, other_half(path) if pair_suffix(path) else find_data_file(path))):
            with open(file, "rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return digest.hexdigest()


def read_any(path: Path, plane: str) -> Scan:
    """Read a volume in a plane, or all frames of a DICOM file.

    Raises:
        UnreadableFile: it cannot be decoded.
    """
    try:
        reader = import_reader(path)
        scan: Scan = reader.read_scan(path, plane=plane) if reader else dicom.read_scan(path, mixed=True)
        return scan
    except OSError as error:
        raise UnreadableFile(f"cannot be opened: {error.strerror or error}") from None


def read_labels(path: Path, plane: str) -> Scan:
    """Read the labels of a mask, as `engine.data.nifti.read_labels`.

    Raises:
        UnreadableFile: it is damaged, or a DICOM file.
    """
    reader = import_reader(path)
    if reader is None:
        raise UnreadableFile("a DICOM file of several frames")
    scan: Scan = reader.read_labels(path, plane)
    return scan


def read_label_grid(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
    """Return the labels of a mask as stored, and the affine of the file, as `engine.data.nifti.read_label_grid`.

    Raises:
        UnreadableFile: it is damaged, or no volume.
    """
    reader = import_reader(path)
    if reader is None:
        raise UnreadableFile("a DICOM file")
    grid: tuple[NDArray[np.float32], NDArray[np.float64] | None] = reader.read_label_grid(path)
    return grid


def find_head_slices(pixels: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which slices the head covers enough of: a share of its area in the fullest slice.

    The head is all that is brighter than the mean of the volume, as in `engine.data.preparation`.

    Args:
        pixels: (slices, height, width).

    Examples:
        >>> pixels = np.zeros((3, 10, 10), np.float32)
        >>> pixels[1, :5], pixels[2, 0, 0] = 1, 1
        >>> find_head_slices(pixels).tolist()
        [False, True, False]
    """
    return have_enough_head(np.count_nonzero(pixels > pixels.mean(dtype=np.float64), axis=(1, 2)))


def have_enough_head(areas: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which slices have enough of the head, from the area that it covers in each."""
    return np.asarray((areas >= MIN_HEAD_SHARE * areas.max()) & (areas > 0))
