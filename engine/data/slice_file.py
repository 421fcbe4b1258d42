"""One slice of a volume as a NIfTI-1 file of its own, written without a library: a header of 352 bytes, and float32."""

import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES: Final = 352
_FLOAT32: Final = 16
_MILLIMETERS: Final = 2
_SCANNER: Final = 1
_LETTERS: Final = ("RL", "AP", "SI")  # towards the positive and the negative end of NIfTI's x, y and z
_DIRECTIONS: Final = {
    letter: sign * np.eye(3)[axis]
    for axis, pair in enumerate(_LETTERS)
    for sign, letter in zip((1, -1), pair, strict=True)
}


def write_slice(
    path: Path,
    values: NDArray[np.float32],
    spacing_mm: tuple[float, float] | None,
    letters: str | None,
    levels: tuple[float, float],
) -> None:
    """Write one slice as it is displayed.

    Args:
        path: the new file, ending in .nii.
        values: (height, width); NaN is written as the value that is black.
        spacing_mm: millimeters from row to row and from column to column; None if they are unknown.
        letters: letters at the left, right, top and bottom ("RLAP"); None if they are unknown.
        levels: values that are black and white.
    """
    height, width = values.shape
    down, along = spacing_mm or (0.0, 0.0)
    header = bytearray(_HEADER_BYTES)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, width, height, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, _FLOAT32, 32)
    struct.pack_into("<8f", header, 76, 1, along, down, max(along, down), 1, 1, 1, 1)
    struct.pack_into("<3f", header, 108, _HEADER_BYTES, 1, 0)
    struct.pack_into("<B2f", header, 123, _MILLIMETERS if spacing_mm else 0, levels[1], levels[0])
    if letters:
        columns = _DIRECTIONS[letters[1]] * (along or 1), _DIRECTIONS[letters[3]] * (down or 1)
        normal = np.cross(*columns)
        affine = np.column_stack([*columns, normal / np.linalg.norm(normal) * (max(along, down) or 1), np.zeros(3)])
        struct.pack_into("<h", header, 254, _SCANNER)
        struct.pack_into("<12f", header, 280, *affine.ravel())
    struct.pack_into("<4s", header, 344, b"n+1\0")
    shown = np.nan_to_num(values, nan=levels[0], posinf=levels[1], neginf=levels[0])
    path.write_bytes(bytes(header) + shown.astype("<f4").tobytes())
