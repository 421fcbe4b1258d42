"""Header of a DICOM file: settings of each frame, and numbers as files write them.

Scanners and converters write numbers that the standard forbids: decimal commas, empty values, words. A comma is read as
a point; what cannot be read is ignored. Both leave a note for the user.
"""

import math
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset
from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID

# Exceptions of pydicom and its decoders on damaged files, found by fuzzing.
DAMAGE: Final = (
    InvalidDicomError,
    BytesLengthException,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    AssertionError,
    MemoryError,
    struct.error,
    zlib.error,
)
_HEAD_BYTES: Final = 1024
_REGION_CLASSES: Final = (
    b"1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    b"1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
    b"1.2.840.10008.5.1.4.1.1.481.3",  # RT Structure Set
)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def holds_regions(file: Path) -> bool:
    """Return whether a DICOM file says at its beginning that it is a segmentation, or contours.

    Raises:
        OSError: the file cannot be read.
    """
    with open(file, "rb") as content:
        head = content.read(_HEAD_BYTES)
    return any(each in head for each in _REGION_CLASSES)


class Header:
    """Data set of a file, whose settings are read without trust, and the notes on what was wrong.

    `tile_positions` holds the positions of the slices of a mosaic; it is empty for other images.

    Args:
        data: the data set.
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data
        self.notes: list[str] = []
        self.tile_positions: list[tuple[float, ...]] = []

    @property
    def syntax(self) -> UID:
        """Return the transfer syntax."""
        syntax: UID = self.data.file_meta.TransferSyntaxUID
        return syntax

    def add_note(self, sentence: str) -> None:
        """Add a note, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def replace(self, **values: Any) -> None:
        """Replace elements of the file."""
        for keyword, value in values.items():
            setattr(self.data, keyword, value)

    def has(self, keyword: str, frame: int = 0, group: str = "") -> bool:
        """Return whether a frame has an element, also an empty one."""
        return any(keyword in holder for holder in self._holders(frame, group))

    def value(self, keyword: str, frame: int = 0, group: str = "") -> Any:
        """Return a value of one frame: from its functional group, the shared one, or the file itself.

        Args:
            keyword: DICOM keyword.
            frame: index of the frame.
            group: keyword of the functional group.

        Returns:
            The value as pydicom reads it; None if it is absent, empty or unreadable.
        """
        for holder in self._holders(frame, group):
            if (value := self._read(holder, keyword)) is not None and value != "":
                return value
        return None

    def text(self, keyword: str, frame: int = 0, group: str = "") -> str:
        """Return a value as text in capitals; empty if it is absent."""
        value = self.value(keyword, frame, group)
        if isinstance(value, MultiValue):
            value = value[0] if value else ""
        return "" if value is None else str(value).strip("\0 ").upper()

    def items(self, keyword: str, frame: int = 0, group: str = "") -> Sequence[Dataset]:
        """Return the items of a sequence; none if it is absent."""
        value = self.value(keyword, frame, group)
        return value if isinstance(value, DicomSequence) else ()

    def numbers(self, keyword: str, frame: int = 0, group: str = "") -> tuple[float, ...]:
        """Return the finite numbers of an element; none if it is absent or one of them cannot be read."""
        value = self.value(keyword, frame, group)
        if value is None:
            return ()
        parts = value if isinstance(value, MultiValue | list | tuple) else [value]
        found, has_comma = parse_numbers(parts)
        if not found:
            self.add_note(f"{describe(keyword)} cannot be read and is ignored.")
        elif has_comma:
            self.add_note(f"A comma in {describe(keyword)} is read as a decimal point.")
        return found

    def number(self, keyword: str, frame: int = 0, group: str = "") -> float | None:
        """Return the first number of an element; None if it is absent or cannot be read."""
        found = self.numbers(keyword, frame, group)
        return found[0] if found else None

    def integer(self, keyword: str, default: int) -> int:
        """Return the whole number of an element of the file; the default if it is absent or cannot be read."""
        found = self.number(keyword)
        return default if found is None else int(found)

    def _holders(self, frame: int, group: str) -> Iterator[Dataset]:
        """Yield the data sets that may hold a setting of a frame, the nearest one first."""
        if group:
            own = self._items(self.data, "PerFrameFunctionalGroupsSequence")[frame : frame + 1]
            for outer in (*own, *self._items(self.data, "SharedFunctionalGroupsSequence")[:1]):
                yield from self._items(outer, group)[:1]
        yield self.data

    def _items(self, holder: Dataset, keyword: str) -> Sequence[Dataset]:
        value = self._read(holder, keyword)
        return value if isinstance(value, DicomSequence) else ()

    def _read(self, holder: Dataset, keyword: str) -> Any:
        try:
            return holder.get(keyword)
        except DAMAGE:
            self.add_note(f"{describe(keyword)} cannot be read and is ignored.")
            return None


def describe(keyword: str) -> str:
    """Return the name of a DICOM keyword in words: 'Window Center' for 'WindowCenter'."""
    tag = tag_for_keyword(keyword)
    return keyword if tag is None else dictionary_description(tag)


def parse_numbers(parts: Sequence[Any]) -> tuple[tuple[float, ...], bool]:
    r"""Read numbers from values or texts.

    Returns:
        The numbers, none if one of them cannot be read or is not finite, and whether a comma stood for a point.

    Examples:
        >>> parse_numbers(["0,5", 2]), parse_numbers([r"0.5,0.5"]), parse_numbers(["1.5.2"])
        (((0.5, 2.0), True), ((0.5, 0.5), False), ((), False))
    """
    found: list[float] = []
    has_comma = False
    for part in parts:
        text = part.decode("latin-1") if isinstance(part, bytes) else str(part)
        for piece in text.split("\\"):
            texts, comma = _split_commas(piece.strip("\0 \t\r\n"))
            has_comma = has_comma or comma
            if not all(_NUMBER.fullmatch(each) and math.isfinite(float(each)) for each in texts):
                return (), False
            found += map(float, texts)
    return tuple(found), has_comma


def _split_commas(text: str) -> tuple[list[str], bool]:
    """Return the numbers in a text with commas, and whether the commas are decimal ones.

    Commas separate numbers that all have points ("0.5,0.5"); without a point, they are decimal ("0,5", "0,5,0,5").
    """
    parts = text.split(",")
    if len(parts) == 1:
        return parts, False
    if "." in text:
        return (parts, False) if all("." in part for part in parts) else ([text], False)
    if len(parts) % 2:
        return [text], False
    return [f"{whole}.{rest}" for whole, rest in zip(parts[::2], parts[1::2], strict=True)], True
