"""A folder of images, with split folders and class folders as `engine.data.layout` reads them.

Hidden files and __MACOSX are ignored. Links to files are followed, links to folders are not. DICOM files of one frame
count as images; masks and boxes beside the images do not (`engine.data.annotations`). Folders of one patient each are
no classes (`engine.data.patient_names`). If there are only volumes, their slices are the images
(`engine.data.volumes`).
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.config import DataConfig
from engine.data import dicom_series, patient_names, pictures
from engine.data.annotations import find_boxes, find_masks, note_derived
from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage, UnreadableFile
from engine.data.dicom_series import SeriesWindows, SliceHeader
from engine.data.files import LOOKED_FOR, VOLUME_AMONG_IMAGES, FileFormat, detect_format, list_pictures, open_folder
from engine.data.foreign_files import describe_foreign
from engine.data.layout import note_undecided_folders, parse_layout
from engine.data.parallel import WORKERS, map_in_threads
from engine.data.patient_names import FolderReading, FolderRule
from engine.data.series_masks import SeriesMasks, is_volume_mask
from engine.data.source import SLICE_MARK, SourceItem, natural_sort_key
from engine.data.volume_names import FileListing, list_volumes
from engine.data.volumes import VolumeReader
from engine.job_context import UNATTENDED, JobContext

MASK_OF_SERIES: Final = "a mask of the DICOM images beside it"
BETWEEN: Final = "a slice between those that are used (see Slice step, --slice-step)"
NO_LESION: Final = "a slice without a lesion (see Slices, --slices)"
FOLDER_ADVICE: Final = "They are read as classes; set Folders are (--folders-are patients or classes)."
TABLE_OF_BOXES: Final = "a table of boxes (COCO)"
SAMPLED: Final = 4
MOST_BYTES: Final = 2**25  # of a JSON file that are looked at


class FolderSource:
    """Source of the images in a folder, in natural order of their names."""

    expected = LOOKED_FOR
    threads = WORKERS

    def __init__(self, config: DataConfig, context: JobContext = UNATTENDED) -> None:
        self._folder, self._context = open_folder(config.source), context
        self.folder: Path | None = self._folder
        self.skipped: list[Skipped] = []
        found = list_pictures(self._folder, lambda name, reason: self.skipped.append(Skipped(name, reason)))
        listing = self._list_files(sorted(found, key=natural_sort_key), config)
        self.annotations, self.plane = listing.annotations, listing.plane
        laid_out = parse_layout(listing.names)
        self._skip_annotations([item.name for item in laid_out])
        reading = self._read_folders(self._with_split(laid_out), config)
        self._volumes = VolumeReader(self._folder, config, self.annotations.masks if listing.cases else {})
        self.items, self.question = self._with_slices(reading.items, listing), reading.question
        asked = f"{self.question} {FOLDER_ADVICE}" if self.question else ""
        self.notes: tuple[str, ...] = (
            *filter(None, (reading.note, asked)),
            *listing.notes,
            *note_undecided_folders(laid_out),
            *([] if listing.cases else note_derived([item.name for item in laid_out])),
        )
        self.classes = tuple(
            sorted({item.label for item in self.items if item.label is not None}, key=natural_sort_key)
        )

    def _list_files(self, names: list[str], config: DataConfig) -> FileListing:
        """Return the files of images, or of volumes if there are no images; skip what is neither."""
        headers, problems = dicom_series.read_headers(self._folder, names, self._context)
        unwanted = dicom_series.find_unwanted(headers, config.series)
        self.skipped += [Skipped(name, reason) for name, reason in unwanted.items()]
        names = [name for name in names if name not in unwanted]
        headers = {name: header for name, header in headers.items() if name not in unwanted}
        self._series = SeriesWindows(self._folder, headers, skips_air=config.slices == "brain")
        frames = {name: header.frames for name, header in headers.items() if header.frames > 1}
        volumes = [each.name for each in self.skipped if each.reason == VOLUME_AMONG_IMAGES]
        has_images = any(name not in frames and name not in problems for name in names)
        if has_images or not (volumes or frames):
            found = find_masks(names)
            images = [name for name in names if name not in found.masked]
            if headers:
                self.skipped = [
                    replace(each, reason=MASK_OF_SERIES)
                    if each.reason == VOLUME_AMONG_IMAGES and is_volume_mask(each.name)
                    else each
                    for each in self.skipped
                ]
            notes = dicom_series.note_series({name: headers[name] for name in images if name in headers})
            return FileListing(self._choose_slices(images, headers, config), found, notes=notes)
        self.skipped = [each for each in self.skipped if each.reason != VOLUME_AMONG_IMAGES]
        listing, skipped = list_volumes(sorted([*frames, *volumes], key=natural_sort_key), frames, config)
        self.skipped += [*skipped, *(Skipped(name, problem) for name, problem in problems.items())]
        return listing

    def _choose_slices(self, names: list[str], headers: dict[str, SliceHeader], config: DataConfig) -> list[str]:
        """Return images with the slices of DICOM series in their order: every k-th one, with a lesion if so wanted."""
        names = dicom_series.sort_slices(names, headers)
        left_out = dict.fromkeys(dicom_series.find_between(names, headers, config.slice_step), BETWEEN)
        if config.slices == "lesion" and (masks := SeriesMasks(self._folder)):
            rest = [name for name in names if name in headers and name not in left_out]
            left_out |= dict.fromkeys(masks.find_unmarked(rest, config.mask_label or None), NO_LESION)
        self.skipped += [Skipped(name, reason) for name, reason in left_out.items()]
        return [name for name in names if name not in left_out]

    def _with_slices(self, items: Sequence[SourceItem], listing: FileListing) -> list[SourceItem]:
        """Return the slices of each volume in place of it; images stay as they are."""
        if not listing.cases:
            return list(items)

        def count(item: SourceItem) -> list[int] | str:
            try:
                return self._volumes.list_slices(item.name, listing.frames.get(item.name, 0))
            except (UnreadableFile, OSError) as error:
                return str(error)

        slices = []
        for item, numbers in zip(items, map_in_threads(count, items, self._context), strict=True):
            if isinstance(numbers, str):
                self.skipped.append(Skipped(item.name, numbers))
                continue
            case = listing.cases[item.name]
            slices += [
                replace(item, name=f"{item.name}{SLICE_MARK}{number}", file=item.name, number=number, case=case)
                for number in numbers
            ]
        return slices

    def content_hash(self, context: JobContext = UNATTENDED) -> str:
        """Hash all names and all bytes.

        Sizes and modification times would be faster, but would miss a file rewritten within a tick of the clock, or
        unpacked with its old time; hashing three thousand images takes a third of a second.
        """
        digest = hashlib.sha256()
        numbers = range(len(self.items))
        for item, found in zip(self.items, map_in_threads(self.digest, numbers, context), strict=True):
            digest.update(f"{item.name}\0{found}\0".encode(errors="surrogateescape"))
        if shared := [item.name for item in self.items if item.name in self._series]:
            digest.update(json.dumps(["series windows", shared]).encode())
        if skipping := [item.name for item in self.items if self._series.skips_air(item.name)]:
            digest.update(json.dumps(["slices with brain", skipping]).encode())
        if any(item.file for item in self.items):
            digest.update(self._volumes.describe(sorted({item.file for item in self.items})).encode())
        return digest.hexdigest()

    def digest(self, index: int) -> str:
        """Hash the bytes of one file; for a slice of a volume, with its number."""
        item = self.items[index]
        if item.file:
            return f"{self._volumes.digest(item.file)}#{item.number}"
        try:
            with open(self._folder / item.name, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return f"unreadable: {error.strerror}"

    def is_high_bit_depth(self, context: JobContext = UNATTENDED) -> bool:
        """Return whether an image has more than 8 bits, according to the headers."""
        if any(item.file for item in self.items):
            return True
        return any(map_in_threads(self._is_deep, self.items, context))

    def read(self, index: int) -> DecodedImage:
        """Decode one file, or one slice of a volume."""
        item = self.items[index]
        if item.file:
            return self._volumes.read(item.file, item.number)
        try:
            if self._kind(item.name) == "dicom":
                return self._series.read(item.name)
            return pictures.read_file(self._folder / item.name)
        except OSError as error:
            raise UnreadableFile(f"cannot be opened: {error.strerror or 'it is damaged'}") from None
        except UnreadableFile as error:
            foreign = describe_foreign(self._folder / self.items[index].name)
            raise UnreadableFile(f"{error}: {foreign}" if foreign else str(error)) from None

    def _skip_annotations(self, images: Sequence[str]) -> None:
        """List the masks of images as skipped, and say of files of boxes what they are."""
        masks = self.annotations.masked.items()
        boxes = find_boxes([each.name for each in self.skipped], images)
        self.skipped = [
            Skipped(each.name, f"boxes of {boxes[each.name]}")
            if boxes.get(each.name)
            else Skipped(each.name, TABLE_OF_BOXES)
            if each.name in boxes and self._is_coco(each.name)
            else each
            for each in self.skipped
        ]
        self.skipped += [Skipped(name, f"a mask of {image}" if image else "among masks") for name, image in masks]

    def _is_coco(self, name: str) -> bool:
        """Return whether a JSON file looks like a table in the COCO format."""
        try:
            with open(self._folder / name, "rb") as file:
                content = file.read(MOST_BYTES)
        except OSError:
            return False
        return all(f'"{key}"'.encode() in content for key in ("images", "annotations", "image_id"))

    def _with_split(self, items: Sequence[SourceItem]) -> list[SourceItem]:
        """Skip images outside split folders if others are inside."""
        if not any(item.split for item in items):
            return list(items)
        outside = [Skipped(item.name, "is outside the split folders") for item in items if item.split is None]
        self.skipped += outside
        return [item for item in items if item.split is not None]

    def locate(self, index: int) -> Path | None:
        """Return the file of one item."""
        return self._folder / (self.items[index].file or self.items[index].name)

    def _read_folders(self, items: list[SourceItem], config: DataConfig) -> FolderReading:
        """Tell folders of patients from folders of classes: by the headers of some DICOM files, then by names."""
        judged = None
        if config.folders_are == "auto":
            samples: dict[str, list[str]] = defaultdict(list)
            for item in items:
                if item.folders:
                    samples[item.folders[0]].append(item.name)
            few = [names[:: max(1, len(names) // SAMPLED)] for names in samples.values()]
            patients = patient_names.read_patient_ids(
                [[self._folder / name for name in names] for names in few], self._context
            )
            judged = patient_names.judge_contents(dict(zip(samples, patients, strict=True)))
        rule = FolderRule(config.folders_are, keeps_labels=config.split_by == "image")
        return patient_names.read_folders(items, rule, judged)

    def _kind(self, name: str) -> FileFormat | None:
        try:
            return detect_format(self._folder / name)
        except OSError:
            return None

    def _is_deep(self, item: SourceItem) -> bool:
        try:
            if self._kind(item.name) == "dicom":
                return True
            return pictures.is_deep_file(self._folder / item.name)
        except (OSError, UnreadableFile):
            return False
