"""What every source of images offers; the cache and the splits know nothing else of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage
from engine.messages import ShouldStop

SplitName = Literal["train", "validation", "test"]
SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def split_name(text: str) -> SplitName | None:
    """The split that a folder or a table of this name holds, None when the name says nothing."""
    return SPLIT_NAMES.get(text.casefold())


def natural_sort_key(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts 'gg (2).jpg' before 'gg (10).jpg'."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part] + [(2, 0, name)]


@dataclass(frozen=True)
class SourceItem:
    """One picture that a source promises: its name, its class and its split as far as the source says."""

    name: str
    label: str | None = None
    split: SplitName | None = None


class Source(Protocol):
    """A list of pictures.

    `expected` says in a sentence what it wanted to find, `notes` what it decided, `classes` what its labels may be.
    """

    expected: str
    notes: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def items(self) -> Sequence[SourceItem]:
        """The pictures, in the order they keep."""
        ...

    @property
    def skipped(self) -> Sequence[Skipped]:
        """What is no picture."""
        ...

    def content_hash(self, should_stop: ShouldStop) -> str:
        """Hash of the items and everything their pictures are decoded from; equal hashes mean equal pictures."""
        ...

    def digest(self, index: int) -> str:
        """Hash of the bytes of one item's file; called from several threads at once."""
        ...

    def is_high_bit_depth(self) -> bool:
        """Whether some picture has more than 8 bits."""
        ...

    def read(self, index: int) -> DecodedImage:
        """Decode the picture of one item; called from several threads at once.

        Raises:
            Unusable: it cannot be decoded.
        """
        ...
