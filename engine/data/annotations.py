"""Masks and boxes that lie among the images of a folder, found by their names; they are no images to train on.

images/0.png  masks/0.png          folders of equal names inside, one of which is called masks, labels or the like
p0_flair.png  p0_seg.png           files of one folder that share the beginning of their names
p0/t1.png     p0/mask.png          a file called mask alone, in a folder of a few images
0.png         0_lesion.png         a lesion of an image, if that image is beside it; of a volume also p0_t1.nii
images/0.png  labels/0.txt         boxes in the YOLO format, and tables in the COCO format (JSON)
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.data.files import list_pictures

_WORDS: Final = (
    r"masks?|segs?|segm|segmentations?|segmentationclass|labels?|labelmaps?|labelids|annotations?|gt|groundtruth|"
    r"ground[ _-]truth|rois?|contours?"
)
_FOLDER: Final = re.compile(rf"(?:.*[ _.-])?(?:{_WORDS})(?:[ _.-]?\d+)?|labels(?:tr|ts|val)", re.IGNORECASE)
# 'no_mask' and 'with_labels' are classes, not folders of masks.
_CLASS: Final = re.compile(r"(?:no|non|with|without|un)[ _.-]?(?:masks?|labels?).*", re.IGNORECASE)
_LAST: Final = re.compile(rf"(.+?)[ _.-]+(?:{_WORDS})(?:[ _.-]*\(?\d+\)?)?", re.IGNORECASE)
_CAMEL: Final = re.compile(r"(.*[a-z0-9])(?:Masks?|Segs?|Segmentations?|Labels?)")
_ALONE: Final = re.compile(rf"(?:{_WORDS})\d*", re.IGNORECASE)
# Lesions may also be images of their own: they are masks only of an image beside them.
_LESION: Final = re.compile(r"(.+?)[ _.-]+lesions?(?:[ _.-]*\(?\d+\)?)?", re.IGNORECASE)
_VOLUME_LESION: Final = re.compile(r"(.+?)[ _.-]+(?:lesions?|tumou?rs?)(?:[ _.-].*)?", re.IGNORECASE)
_VOLUME: Final = re.compile(r".*\.(?:nii|hdr|img|mgz|mgh|nrrd|nhdr|mha|mhd)(?:\.gz)?", re.IGNORECASE)
_FIRST: Final = re.compile(rf"(?:{_WORDS})[ _.-]+(.+)", re.IGNORECASE)
_IMAGE: Final = re.compile(r"(?:images?|img|scan|slice)[ _.-]+")
_SEPARATORS: Final = " _.-"
_ENDING: Final = re.compile(r"[ _.-]+[^\W\d_]")
_ZIPPED: Final = re.compile(r"(?<=\.nii|\.hdr|\.img)\.gz$", re.IGNORECASE)
MIN_DERIVED: Final = 5
MAX_SHARED: Final = 8  # images of a folder that a file called mask alone may belong to
Folder = tuple[str, ...]


@dataclass(frozen=True)
class Annotations:
    """Files that annotate images.

    Args:
        masks: name of an image -> the names of its masks.
        masked: name of a mask -> the image that it belongs to; empty if it lies among masks and has no image.
        boxes: name of a file of boxes -> the image that it belongs to; empty if it is a table for many.
        images: names of the other images, if they were listed.
    """

    masks: dict[str, list[str]] = field(default_factory=dict)
    masked: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, str] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)


def find_masks(names: Sequence[str]) -> Annotations:
    """Find the masks among images by their names.

    Args:
        names: relative paths with '/' between folders.

    Returns:
        The masks; what has the name of a mask but belongs to no image is an image.

    Examples:
        >>> find_masks(["images/0.png", "masks/0.png"]).masked
        {'masks/0.png': 'images/0.png'}
        >>> find_masks(["p0_t1.png", "p0_seg.png", "no_mask/1.png", "mask/1.png"]).masked
        {'p0_seg.png': 'p0_t1.png'}
    """
    suspects = list(filter(has_mask_name, names))
    suspected = set(suspects)
    others = [name for name in names if name not in suspected and not any(map(_CLASS.fullmatch, _split(name)[0]))]
    lesions = {name: core for name in others if (core := _find_lesion_core(name))}
    images = _Images(name for name in others if name not in lesions)
    found = Annotations()
    for name, core in lesions.items():
        _record(found, name, images.find_lesion_image(name, core))
    images.add(name for name in lesions if name not in found.masked)
    for name in suspects:
        _record(found, name, images.find_annotated_by(name))
    _add_leftovers(found, suspects)
    return found


def _record(found: Annotations, mask: str, images: Iterable[str]) -> None:
    for image in images:
        found.masks.setdefault(image, []).append(mask)
        found.masked.setdefault(mask, image)


def _find_lesion_core(name: str) -> str:
    """Return the stem of the image whose lesion a file may show; empty if it is not called so."""
    match = (_VOLUME_LESION if _VOLUME.fullmatch(name) else _LESION).fullmatch(_split(name)[1])
    return match[1] if match else ""


def has_mask_name(name: str) -> bool:
    """Return whether a file is called like a mask, or lies in a folder of masks, whether it has an image or not.

    Examples:
        >>> [has_mask_name(name) for name in ("lesions/p0_mask.nii.gz", "labelsTr/p0.nii", "p0/seg.nii", "p0_t1.nii")]
        [True, True, True, False]
    """
    folders, stem = _split(name)
    return _find_mask_folder(folders) is not None or bool(_cores(stem) or _ALONE.fullmatch(stem))


def find_boxes(files: Iterable[str], images: Sequence[str]) -> dict[str, str]:
    """Find the files of boxes among the files that are no images.

    Args:
        files: names of the files.
        images: names of the images.

    Returns:
        Name of each file that may hold boxes -> its image; empty for a JSON file, which may hold those of many.
    """
    known, found = _Images(images), {}
    for name in files:
        suffix = name.rsplit(".", 1)[-1].casefold()
        if suffix == "json":
            found[name] = ""
        elif suffix in ("txt", "xml") and (image := next(iter(known.find_annotated_by(name)), "")):
            found[name] = image
    return found


def note_derived(names: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence on each ending that many names add to that of another image of their folder.

    They may be overlays, contours or changed copies of these images, which Engram does not tell from images.

    Examples:
        >>> note_derived([f"{number}{end}.png" for number in range(5) for end in ("", "_overlay")])[0][:60]
        "5 images are called like another one with '_overlay' at the "
    """
    known = {_split(name) for name in names}
    derived: dict[str, list[str]] = defaultdict(list)
    for name in names:
        folders, stem = _split(name)
        for match in _ENDING.finditer(stem):
            if (folders, stem[: match.start()]) in known:
                derived[stem[match.start() :]].append(name)
                break
    return tuple(
        f"{len(found):,} images are called like another one with '{ending}' at the end, such as {found[0]}; they are "
        "used as images of their own."
        for ending, found in derived.items()
        if len(found) >= MIN_DERIVED
    )


def list_annotations(folder: Path) -> Annotations:
    """List the masks of a dataset's folder, and the files that may hold boxes of its images; nothing is decoded."""
    others: list[str] = []
    names = list(list_pictures(folder, lambda name, reason: others.append(name)))
    found = find_masks(names)
    found.images.extend(name for name in names if name not in found.masked)
    found.boxes.update(find_boxes(others, found.images))
    return found


class _Stems:
    """Images by their stems, in small letters; a stem image_1 counts as 1 too."""

    def __init__(self) -> None:
        self._images: dict[str, list[str]] = {}
        self._ordered: list[str] = []

    def add(self, stem: str, image: str) -> None:
        for own in {stem.casefold(), _IMAGE.sub("", stem.casefold())}:
            self._images.setdefault(own, []).append(image)
            self._ordered = []

    def match_exactly(self, stem: str) -> list[str]:
        """Return the images of a stem."""
        return self._images.get(stem.casefold(), [])

    def match(self, stems: Iterable[str]) -> list[str]:
        """Return the images of a stem, or those whose stems go on after it, as p0_flair does after p0."""
        self._ordered = self._ordered or sorted(self._images)
        for stem in map(str.casefold, stems):
            if stem in self._images:
                return self._images[stem]
            starts = [f"{stem}{separator}" for separator in _SEPARATORS]
            spans = [
                (bisect_left(self._ordered, start), bisect_left(self._ordered, f"{start}\U0010ffff"))
                for start in starts
            ]
            if longer := [
                name for first, last in spans for own in self._ordered[first:last] for name in self._images[own]
            ]:
                return list(dict.fromkeys(longer))
        return []

    def list_few(self) -> list[str]:
        """Return all images if they are few."""
        found = list(dict.fromkeys(image for images in self._images.values() for image in images))
        return found if len(found) <= MAX_SHARED else []

    def match_beginning(self, stem: str) -> list[str]:
        """Return the images whose stem begins that of their mask, as 0 begins 0_tumor."""
        parts = re.split(r"([ _.-])", stem.casefold())
        for end in range(len(parts) - 2, 0, -2):
            if (start := "".join(parts[:end])) in self._images:
                return self._images[start]
        return []


class _Images:
    """Images by the folders that their annotations may lie in."""

    def __init__(self, names: Iterable[str]) -> None:
        self._inside: dict[Folder, _Stems] = defaultdict(_Stems)
        self._beside: dict[tuple[int, Folder], _Stems] = defaultdict(_Stems)
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        for name in names:
            folders, stem = _split(name)
            self._inside[folders].add(stem, name)
            for place in range(len(folders)):
                self._beside[place, _without(folders, place)].add(stem, name)

    def find_lesion_image(self, name: str, core: str) -> list[str]:
        """Return the images beside a file that are called like its core, or for a volume begin so."""
        near = self._inside.get(_split(name)[0], _Stems())
        return near.match([core]) if _VOLUME.fullmatch(name) else near.match_exactly(core)

    def find_annotated_by(self, name: str) -> list[str]:
        """Return the images that a file annotates, according to its name."""
        folders, stem = _split(name)
        place = _find_mask_folder(folders)
        if place is None:
            near = self._inside.get(folders, _Stems())
            return near.match(_cores(stem) or [stem]) or (near.list_few() if _ALONE.fullmatch(stem) else [])
        for near in self._list_near(folders, place):
            if found := near.match([stem, *_cores(stem)]) or near.match_beginning(stem):
                return found
        return []

    def _list_near(self, folders: Folder, place: int) -> Iterator[_Stems]:
        """Yield the images beside a folder of masks, the likeliest first: glioma for glioma_mask, images for masks."""
        before, after = folders[:place], folders[place + 1 :]
        for core in _cores(folders[place]):
            yield self._inside.get((*before, core, *after), _Stems())
        yield self._beside.get((place, (*before, *after)), _Stems())
        yield self._inside.get((*before, *after), _Stems())
        yield self._beside.get((place, before), _Stems())


def _add_leftovers(found: Annotations, suspects: Sequence[str]) -> None:
    """Count the other files of a folder of masks as masks too, if most of its files are."""
    inside: dict[Folder, list[str]] = defaultdict(list)
    for name in suspects:
        folders, _ = _split(name)
        if _find_mask_folder(folders) is not None:
            inside[folders].append(name)
    for members in inside.values():
        others = [name for name in members if name not in found.masked]
        if 2 * len(others) <= len(members):
            found.masked.update(dict.fromkeys(others, ""))


def _find_mask_folder(folders: Folder) -> int | None:
    """Return the place of the last folder that is called masks, labels or the like; None if there is none."""
    places = [at for at, part in enumerate(folders) if _FOLDER.fullmatch(part) and not _CLASS.fullmatch(part)]
    return places[-1] if places else None


def _cores(stem: str) -> list[str]:
    """Return the stems without the word for a mask at the end or at the beginning; empty if there is no such word."""
    return [match[1] for match in (each.fullmatch(stem) for each in (_LAST, _FIRST, _CAMEL)) if match]


def _without(folders: Folder, place: int) -> Folder:
    return folders[:place] + folders[place + 1 :]


def _split(name: str) -> tuple[Folder, str]:
    """Return the folders and the stem of a name."""
    *folders, file = name.split("/")
    plain = _ZIPPED.sub("", file)
    return tuple(folders), plain.rsplit(".", 1)[0] or plain
