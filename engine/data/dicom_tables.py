"""Lookup tables of DICOM files: modality, VOI and palette tables (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5).

A table is read with the byte order of the file and with as many bits as its entries need: descriptors are often wrong.
pydicom's own functions wrap indices above 255 in tables of 8 bits, read palettes in the byte order of the machine, and
refuse other depths than 8 and 16.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_header import DAMAGE, Header

_COLORS: Final = ("Red", "Green", "Blue")


@dataclass(frozen=True, eq=False)
class LookupTable:
    """Table of output values.

    Args:
        values: integers (entries,) or, for colors, (entries, 3).
        first: input value of the first entry; lower ones map to it, and those above the last entry to that one.
        white: output value that is white.
    """

    values: NDArray[np.int64]
    first: int
    white: int

    def apply(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """Return the output value of each input value; NaN counts as the first entry."""
        inside = np.clip(np.nan_to_num(values, nan=self.first), self.first, self.first + len(self.values) - 1)
        return self.values[np.rint(inside).astype(np.int64) - self.first]


def read_table(header: Header, keyword: str, signed: bool) -> LookupTable | None:
    """Return the first table of a sequence.

    Args:
        header: header of the file; gets a note if the table is unusual.
        keyword: 'ModalityLUTSequence' or 'VOILUTSequence'.
        signed: whether input values can be negative.

    Returns:
        The table; None if the file has none that can be read.
    """
    for item in header.items(keyword, group="FrameVOILUTSequence" if keyword == "VOILUTSequence" else "")[:1]:
        try:
            entries, first, bits = _descriptor(item.LUTDescriptor, signed)
            values = _entries(item.LUTData, entries, bits, header)
        except DAMAGE:
            header.add_note("A lookup table in the file cannot be read and is ignored.")
            return None
        white = 0 if keyword == "ModalityLUTSequence" else _white(header, values, bits)
        return LookupTable(values, first, white)
    return None


def read_palette(header: Header, signed: bool) -> LookupTable:
    """Return the color table of a palette image.

    Raises:
        UnreadableFile: it is missing or damaged.
    """
    try:
        entries, first, bits = _descriptor(header.data.RedPaletteColorLookupTableDescriptor, signed)
        if "RedPaletteColorLookupTableData" in header.data:
            channels = [
                _entries(header.data[f"{color}PaletteColorLookupTableData"].value, entries, bits, header)
                for color in _COLORS
            ]
            shortest = min(map(len, channels))
            values = np.stack([channel[:shortest] for channel in channels], axis=-1)
        else:
            values = _segmented_palette(header.data, entries, first)
    except DAMAGE:
        raise UnreadableFile("its color table is missing or damaged") from None
    return LookupTable(values, first, _white(header, values, bits))


def _segmented_palette(data: Dataset, entries: int, first: int) -> NDArray[np.int64]:
    return apply_color_lut(np.arange(first, first + entries), data)[..., :3].astype(np.int64)


def _descriptor(value: Any, signed: bool) -> tuple[int, int, int]:
    """Return the number of entries, the first input value and the bits of an entry."""
    entries, first, bits = (int(part) for part in value)
    if signed and first >= 2**15:
        first -= 2**16
    elif not signed and first < 0:
        first += 2**16
    return entries % 2**16 or 2**16, first, bits % 2**16


def _entries(data: Any, entries: int, bits: int, header: Header) -> NDArray[np.int64]:
    """Return the entries of a table: bytes, or numbers of 16 bits, also two entries of 8 bits in each."""
    words = np.dtype("<u2" if header.syntax.is_little_endian else ">u2")
    content = (
        data if isinstance(data, bytes) else (np.atleast_1d(data).astype(np.int64) % 2**16).astype(words).tobytes()
    )
    is_packed = bits <= 8 and len(content) < 2 * entries
    if is_packed and not isinstance(data, bytes) and not header.syntax.is_little_endian:
        content = np.frombuffer(content, words).astype("<u2").tobytes()
    size = 1 if is_packed else 2
    values = np.frombuffer(content[: len(content) // size * size], np.uint8 if is_packed else words)[:entries]
    if not len(values):
        raise ValueError("no entries")
    if len(values) < entries:
        header.add_note("A lookup table in the file is shorter than declared.")
    return values.astype(np.int64)


def _white(header: Header, values: NDArray[np.int64], bits: int) -> int:
    """Return the output value that is white: the largest one of the declared bits, or of those that are needed."""
    needed = max(8, int(values.max()).bit_length())
    if needed < bits or needed > max(bits, 8):
        header.add_note(
            f"A lookup table in the file declares {bits} bits, but its largest entry needs {needed}; white is "
            f"{2**needed - 1:,}."
        )
        return int(2**needed - 1)
    return int(2**bits - 1)
