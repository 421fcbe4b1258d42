"""A folder of images, with split folders and class folders as `engine.data.layout` reads them.

Hidden files and __MACOSX are ignored. Links to files are followed, links to folders are not. DICOM files of one frame
count as images; masks and boxes beside the images do not (`engine.data.annotations`).
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from engine.config import DataConfig
from engine.data import dicom, raster
from engine.data.annotations import find_boxes, find_masks, note_derived
from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage, UnreadableFile
from engine.data.files import LOOKED_FOR, FileFormat, detect_format, list_pictures, open_folder
from engine.data.foreign_files import describe_foreign
from engine.data.layout import note_undecided_folders, parse_layout
from engine.data.source import SourceItem, natural_sort_key
from engine.job_context import UNATTENDED, Cancelled, JobContext


class FolderSource:
    """Source of the images in a folder, in natural order of their names."""

    expected = LOOKED_FOR

    def __init__(self, config: DataConfig) -> None:
        self._folder = open_folder(config.source)
        self.skipped: list[Skipped] = []
        found = list_pictures(self._folder, lambda name, reason: self.skipped.append(Skipped(name, reason)))
        names = sorted(found, key=natural_sort_key)
        self.annotations = find_masks(names)
        laid_out = parse_layout([name for name in names if name not in self.annotations.masked])
        self._skip_annotations([item.name for item in laid_out])
        self.notes = (*note_undecided_folders(laid_out), *note_derived([item.name for item in laid_out]))
        self.items = self._with_split(laid_out)
        self.classes = tuple(
            sorted({item.label for item in self.items if item.label is not None}, key=natural_sort_key)
        )

    def content_hash(self, context: JobContext = UNATTENDED) -> str:
        """Hash all names and all bytes.

        Sizes and modification times would be faster, but would miss a file rewritten within a tick of the clock, or
        unpacked with its old time; hashing three thousand images takes a third of a second.
        """
        digest = hashlib.sha256()
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "hash") as pool:
            for item, found in zip(self.items, pool.map(self.digest, range(len(self.items))), strict=True):
                if context.should_stop():
                    pool.shutdown(cancel_futures=True)
                    raise Cancelled
                digest.update(f"{item.name}\0{found}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def digest(self, index: int) -> str:
        """Hash the bytes of one file."""
        try:
            with open(self._folder / self.items[index].name, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return f"unreadable: {error.strerror}"

    def is_high_bit_depth(self) -> bool:
        """Return whether an image has more than 8 bits, according to the headers."""
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "header") as pool:
            return any(pool.map(self._is_deep, self.items))

    def read(self, index: int) -> DecodedImage:
        """Decode one file."""
        try:
            if self._kind(self.items[index].name) == "dicom":
                return dicom.read_picture(self._folder / self.items[index].name)
            with open(self._folder / self.items[index].name, "rb") as file:
                return raster.read_picture(file)
        except OSError as error:
            raise UnreadableFile(f"cannot be opened: {error.strerror or error}") from None
        except UnreadableFile as error:
            foreign = describe_foreign(self._folder / self.items[index].name)
            raise UnreadableFile(f"{error}: {foreign}" if foreign else str(error)) from None

    def _skip_annotations(self, images: Sequence[str]) -> None:
        """List the masks of images as skipped, and say of files of boxes what they are."""
        masks = self.annotations.masked.items()
        boxes = find_boxes([each.name for each in self.skipped], images)
        self.skipped = [
            Skipped(each.name, f"boxes of {boxes[each.name]}") if boxes.get(each.name) else each
            for each in self.skipped
        ]
        self.skipped += [Skipped(name, f"a mask of {image}" if image else "among masks") for name, image in masks]

    def _with_split(self, items: Sequence[SourceItem]) -> list[SourceItem]:
        """Skip images outside split folders if others are inside."""
        if not any(item.split for item in items):
            return list(items)
        outside = [Skipped(item.name, "is outside the split folders") for item in items if item.split is None]
        self.skipped += outside
        return [item for item in items if item.split is not None]

    def _kind(self, name: str) -> FileFormat | None:
        try:
            return detect_format(self._folder / name)
        except OSError:
            return None

    def _is_deep(self, item: SourceItem) -> bool:
        try:
            if self._kind(item.name) == "dicom":
                return True
            with open(self._folder / item.name, "rb") as file:
                return raster.is_deep(raster.open_picture(file))
        except (OSError, UnreadableFile):
            return False
