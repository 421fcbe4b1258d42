"""Interface of every source of images, the only part of it that cache and splits use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage
from engine.job_context import UNATTENDED, JobContext

SplitName = Literal["train", "validation", "test"]
_WORDS: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "trainval": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "trainset": "train",
    "trainingset": "train",
    "valset": "validation",
    "validationset": "validation",
    "testset": "test",
    "testingset": "test",
}
# The names of nnU-Net, which no separator divides.
_WHOLE_NAMES: dict[str, SplitName] = {"imagestr": "train", "imagesval": "validation", "imagests": "test"}
# A word ends at anything but a letter, and where a lower-case letter meets an upper-case one, as in TestImages.
_NO_LETTERS = re.compile(r"[\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def split_name(text: str) -> SplitName | None:
    """Return the split of a folder or table with this name; None if the name is not that of a split.

    A word for a split counts if it stands between separators, digits or the ends of the name: 'Test Data',
    'images_train', 'train_2020', but not 'contest'. 'train_val' is the training images, from which a validation set
    may be held out; a name with 'test' and another of the words is that of no split.

    Examples:
        >>> split_name("train_set"), split_name("valid-1"), split_name("contest"), split_name("train-test-split")
        ('train', 'validation', None, None)
    """
    if whole := _WHOLE_NAMES.get(text.casefold()):
        return whole
    found = _list_splits(text)
    if found == {"train", "validation"}:
        return "train"
    return found.pop() if len(found) == 1 else None


def has_split_word(text: str) -> bool:
    """Return whether a name has a word for a split in it.

    Example:
        >>> has_split_word("Testing-2"), has_split_word("latest")
        (True, False)
    """
    return bool(_list_splits(text))


def _list_splits(text: str) -> set[SplitName]:
    return {_WORDS[word] for word in _NO_LETTERS.split(_HUMP.sub(" ", text).casefold()) if word in _WORDS}


def is_split_word(text: str) -> bool:
    """Return whether a name is nothing but a word for a split, in any case."""
    return text.casefold() in _WORDS


def natural_sort_key(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 'gg (2).jpg' before 'gg (10).jpg'.

    Example:
        >>> sorted(["gg (10).jpg", "gg (2).jpg"], key=natural_sort_key)
        ['gg (2).jpg', 'gg (10).jpg']
    """
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part] + [(2, 0, name)]


SLICE_MARK: Final = "#"  # between the file and the number of a slice, as in case.nii.gz#81


@dataclass(frozen=True)
class SourceItem:
    """One listed image of a source: its name, and what its folders say: class, split, other folders, patient.

    A slice of a volume also has its file, its number in it, counted from 1, and the case that the file is of.
    """

    name: str
    label: str | None = None
    split: SplitName | None = None
    folders: tuple[str, ...] = ()
    patient: str = ""
    file: str = ""
    number: int = 0
    case: str = ""


class Source(Protocol):
    """Protocol of a list of images.

    `expected` is a sentence on the content that the source looks for, `notes` on its decisions, `classes` the labels.
    `folder` is the folder of the images, None if there is none. `question` is a sentence on a decision that only the
    user can make, empty if there is none. `plane` is that of slices of volumes, empty if the images are none. `threads`
    is the number of threads that read its images fastest.
    """

    expected: str
    notes: tuple[str, ...]
    classes: tuple[str, ...]
    folder: Path | None
    question: str
    plane: str
    threads: int

    @property
    def items(self) -> Sequence[SourceItem]:
        """Return the images, in a fixed order."""
        ...

    @property
    def skipped(self) -> Sequence[Skipped]:
        """Return the files that are not images."""
        ...

    def content_hash(self, context: JobContext = UNATTENDED) -> str:
        """Hash the items and everything their images are decoded from; equal hashes mean equal images.

        Raises:
            Cancelled: the caller asked to stop.
        """
        ...

    def digest(self, index: int) -> str:
        """Hash the bytes of one item's file; called from several threads at once."""
        ...

    def is_high_bit_depth(self, context: JobContext = UNATTENDED) -> bool:
        """Return whether an image has more than 8 bits."""
        ...

    def locate(self, index: int) -> Path | None:
        """Return the file of one item; None if it has none of its own."""
        ...

    def read(self, index: int) -> DecodedImage:
        """Decode the image of one item; called from several threads at once.

        Raises:
            UnreadableFile: the image cannot be decoded.
        """
        ...
