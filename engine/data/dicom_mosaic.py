# mypy: disallow-untyped-calls=False
"""Mosaics of Siemens scanners: the slices of a volume side by side in one DICOM image.

The number of the slices and their normal stand in private elements, either plain or in a header of its own format
(CSA). Anonymized files often lack them; then the image is refused, because black tiles cannot be distinguished from
slices.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_header import DAMAGE, Header, parse_numbers

_IMAGES: Final = (0x0019, 0x0A, "SIEMENS MR HEADER")  # group, element in its block, creator
_CSA: Final = (0x0029, 0x10, "SIEMENS CSA HEADER")
_UNKNOWN: Final = (
    "it is a mosaic (several slices side by side), and the number of its slices is missing, as anonymization removes "
    "it; convert the original file to NIfTI, for example with dcm2niix"
)


@dataclass(frozen=True)
class Mosaic:
    """Layout of a mosaic: the number of its slices, and of the tiles in each of its rows and columns."""

    slices: int
    side: int

    def split(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the slices of an image, (slices, rows, columns).

        Examples:
            >>> Mosaic(3, 2).split(np.array([[1, 2], [3, 0]])).tolist()
            [[[1]], [[2]], [[3]]]
        """
        height, width = (length // self.side for length in image.shape)
        tiles = image.reshape(self.side, height, self.side, width).swapaxes(1, 2)
        return tiles.reshape(-1, height, width)[: self.slices]


def read_mosaic(header: Header, rows: int, columns: int) -> Mosaic | None:
    """Return the layout of a mosaic, and let the header know where its slices lie; None if the image is none.

    Raises:
        UnreadableFile: it is one, but its slices cannot be counted.
    """
    if "MOSAIC" not in str(header.value("ImageType")).upper():
        return None
    csa = _parse_csa(_read_private(header, *_CSA))
    count = _to_int(_read_private(header, *_IMAGES)) or _to_int(csa.get("NumberOfImagesInMosaic"))
    side = math.ceil(math.sqrt(count)) if count > 0 else 0
    if not side:
        raise UnreadableFile(_UNKNOWN)
    if rows % side or columns % side:
        raise UnreadableFile(f"it is a mosaic of {count} slices, but {columns} × {rows} pixels cannot be divided so")
    header.add_note(f"The image is a mosaic; it was split into its {count} slices.")
    mosaic = Mosaic(count, side)
    header.tile_positions = _find_positions(header, mosaic, parse_numbers(csa.get("SliceNormalVector") or ())[0])
    return mosaic


def _find_positions(header: Header, mosaic: Mosaic, normal: Sequence[float]) -> list[tuple[float, ...]]:
    """Return the position of the first pixel of each slice, in L, P, S; none if the header does not say it.

    The position in the header is the corner of an image as large as the mosaic around the center of the first slice.
    """
    corner, cosines = header.numbers("ImagePositionPatient"), header.numbers("ImageOrientationPatient")
    spacing, between = header.numbers("PixelSpacing"), header.number("SpacingBetweenSlices")
    between = between or header.number("SliceThickness")
    if (len(corner), len(cosines), len(spacing)) != (3, 6, 2) or not between:
        return []
    along, down = np.reshape(cosines, (2, 3))
    across = np.array(normal) if len(normal) == 3 and any(normal) else np.cross(along, down)
    pixels = header.integer("Columns", 0), header.integer("Rows", 0)
    tiles = along * spacing[1] * pixels[0] + down * spacing[0] * pixels[1]
    first = np.array(corner) + tiles * (1 - 1 / mosaic.side) / 2
    return [tuple((first + across * between * number).tolist()) for number in range(mosaic.slices)]


def _read_private(header: Header, group: int, element: int, creator: str) -> Any:
    """Return the value of a private element; None if it is absent."""
    try:
        return header.data.private_block(group, creator)[element].value
    except DAMAGE:  # also a KeyError: no such block
        return None


def _parse_csa(content: Any) -> dict[str, Any]:
    """Return the tags of a CSA header; none if it is damaged or absent."""
    if not isinstance(content, bytes):
        return {}
    with warnings.catch_warnings(action="ignore"):  # it calls itself experimental
        from nibabel.nicom import csareader

    try:
        return {name: tag["items"] for name, tag in csareader.read(content)["tags"].items()}
    except (*DAMAGE, csareader.CSAError):
        return {}


def _to_int(value: Any) -> int:
    try:
        return int(value[0] if isinstance(value, list) else value)
    except (TypeError, ValueError, LookupError):
        return 0
