"""Images of a dataset: plain ones are decoded in this process, all others in a limited one.

Plain are PNG and baseline JPEG images of at most `MAX_PLAIN_PIXELS`, whose decoding takes a time and a memory that
their size bounds. A process of its own would cost half as much again (see `docs/decisions`).
"""

import io
from pathlib import Path
from typing import Final

import numpy as np

from engine.data import raster
from engine.data.decoded_image import DecodedImage
from engine.data.parsing import parse

MAX_PLAIN_PIXELS: Final = 2**24
MAX_PLAIN_BYTES: Final = 2**26
MAX_SCANS: Final = 4  # one for each component, and one of a thumbnail; progressive images have ten and more
_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_SCAN: Final = b"\xff\xda"


def read_file(path: Path) -> DecodedImage:
    """Decode the file of an image.

    Raises:
        UnreadableFile: it is not an image, damaged, too large, or has several pages.
        OSError: it cannot be opened.
    """
    with open(path, "rb") as file:
        content = file.read(MAX_PLAIN_BYTES)
    return _read_plain(content) or DecodedImage(**parse(raster.read_picture_file, path))


def read_content(content: bytes) -> DecodedImage:
    """Decode the bytes of an image.

    Raises:
        UnreadableFile: as in `read_file`.
    """
    array = np.frombuffer(content, np.uint8)
    return _read_plain(content) or DecodedImage(**parse(raster.read_picture_content, None, array))


def is_deep_file(path: Path) -> bool:
    """Return whether the file of an image has more than 8 bits, according to its header.

    Raises:
        UnreadableFile: it is not an image.
        OSError: it cannot be opened.
    """
    with open(path, "rb") as file:
        is_plain = file.read(8).startswith(_STARTS)
    return bool(raster.is_deep_file(path) if is_plain else parse(raster.is_deep_file, path))


def is_deep_content(content: bytes) -> bool:
    """Return whether the bytes of an image have more than 8 bits, as `is_deep_file`."""
    if content.startswith(_STARTS):
        return raster.is_deep(raster.open_picture(io.BytesIO(content)))
    return bool(parse(raster.is_deep_content, None, np.frombuffer(content, np.uint8)))


def _read_plain(content: bytes) -> DecodedImage | None:
    """Decode a plain image; return None for any other.

    Raises:
        UnreadableFile: it is damaged.
    """
    if not content.startswith(_STARTS) or len(content) == MAX_PLAIN_BYTES or content.count(_SCAN) > MAX_SCANS:
        return None
    picture = raster.open_picture(io.BytesIO(content))
    is_plain = picture.format in ("PNG", "JPEG") and picture.width * picture.height <= MAX_PLAIN_PIXELS
    return raster.decode(picture) if is_plain else None
