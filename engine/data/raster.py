"""Raster images (PNG, JPEG, BMP, TIFF) as intensities.

Color becomes gray by the luma of ITU-R 601-2 (0.299 R + 0.587 G + 0.114 B), transparent pixels are blended with
black, and an image is rotated by its EXIF orientation. White is 255, or the largest value of a deeper file (65,535
for 16 bits, 4,095 for a TIFF of 12), so equal values stay equal across the files of a dataset. Files of 32 bits have
no white; unless they already lie in [0, 1], their 0.1 and 99.9 percentiles become black and white. Pillow reads
16-bit *color* with 8 bits per channel.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.data.decoded_image import DecodedImage, UnreadableFile, check_volume, large_image_lock, scale_to_percentiles
from engine.data.scan import MAX_VOXELS, Scan, serve

FORMATS: Final = ("PNG", "JPEG", "BMP", "TIFF")
MAX_PIXELS: Final = 64 * 1024 * 1024
# A deep image whose brightest pixel is below this share of white looks black.
_LOW_RANGE: Final = 0.25
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO, _ORIENTATION = 258, 262, 0, 274

# Exceptions of Pillow's decoders on damaged bytes, found by fuzzing.
DAMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # where warnings are errors
)
# Pillow warns of odd but readable metadata, and of large images that `open_picture` refuses.
warnings.filterwarnings("ignore", module=r"PIL\.")


def open_picture(file: BinaryIO) -> Image.Image:
    """Open an image and read its header, without decoding its pixels.

    Raises:
        UnreadableFile: it is not an image, or has more than 64 megapixels.
    """
    try:
        picture = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise UnreadableFile("not a readable image (PNG, JPEG, BMP or TIFF)") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnreadableFile(f"declares more than {MAX_PIXELS // 2**20} megapixels") from None
    except DAMAGE as error:
        raise UnreadableFile(_describe_damage(error)) from None
    if picture.width * picture.height > MAX_PIXELS:
        raise UnreadableFile(
            f"declares {picture.width} × {picture.height} pixels, more than {MAX_PIXELS // 2**20} megapixels"
        )
    return picture


def _describe_damage(error: BaseException) -> str:
    """Return what is wrong with an image, for the messages of Pillow speak of bytes and of its own parts."""
    return "damaged: the file ends early" if "truncated" in str(error).casefold() else "damaged, or of an unusual kind"


def read_picture(file: BinaryIO) -> DecodedImage:
    """Decode an image for a dataset.

    Raises:
        UnreadableFile: it is not an image, damaged, too large, or has several pages.
    """
    return decode(open_picture(file))


def decode(picture: Image.Image) -> DecodedImage:
    """Decode an opened image for a dataset.

    Raises:
        UnreadableFile: it is damaged, or has several pages.
    """
    if (pages := _pages(picture)) > 1:
        raise UnreadableFile(f"holds {pages} pages; a dataset takes one image from each file")
    with large_image_lock(picture.width * picture.height):
        return _decoded(picture)


def read_picture_file(path: Path) -> DecodedImage:
    """Decode the file of an image, as `read_picture`."""
    with open(path, "rb") as file:
        return read_picture(file)


def read_picture_content(content: NDArray[np.uint8]) -> DecodedImage:
    """Decode the bytes of an image, as `read_picture`."""
    return read_picture(io.BytesIO(content.tobytes()))


def is_deep_file(path: Path) -> bool:
    """Return whether the file of an image has more than 8 bits per channel, according to its header.

    Raises:
        UnreadableFile: it is not an image.
    """
    with open(path, "rb") as file:
        return is_deep(open_picture(file))


def is_deep_content(content: NDArray[np.uint8]) -> bool:
    """Return whether the bytes of an image have more than 8 bits per channel, as `is_deep_file`."""
    return is_deep(open_picture(io.BytesIO(content.tobytes())))


def read_scan(path: Path, volume: int | None = None) -> Scan:
    """Decode all pages of an image, which are its only volume.

    Raises:
        UnreadableFile: it is not an image, damaged, or too large.
    """
    check_volume(volume, 1)
    with open(path, "rb") as file:
        picture = open_picture(file)
        notes = ["Rotated according to its EXIF orientation tag."] if _exif_orientation(picture) in range(2, 9) else []
        pages, shape = _pages(picture), (picture.height, picture.width)
        slices: list[DecodedImage] = []
        for page in range(pages):
            picture.seek(page)
            if (picture.height, picture.width) != shape or (page + 1) * picture.height * picture.width > MAX_VOXELS:
                notes.append(f"{page} of its {pages} pages are shown; they differ in size or are too many.")
                break
            slices.append(_decoded(picture, scales=pages == 1))
        pixels, white = np.stack([page.unit() for page in slices]), slices[0].white
        if is_deep(picture) and white > 1:
            notes += _note_low_range(pixels, white)
        elif is_deep(picture) and pages > 1:
            pixels = _scale_deep(pixels)
    return Scan(pixels, path.name, "picture", notes=tuple(notes))


def _note_low_range(pixels: NDArray[np.float32], white: float) -> list[str]:
    """Return a note on a deep image that uses a small part of its range, such as 12 bits stored as 16."""
    brightest = float(pixels.max())
    if not 0 < brightest < _LOW_RANGE:
        return []
    return [
        f"The brightest pixel is {100 * brightest:.2g}% of white ({round(brightest * white):,} of {round(white):,}); "
        "set Intensity scaling (--intensity) to percentile to spread the values."
    ]


def upright_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image after its EXIF rotation, according to its header.

    Raises:
        UnreadableFile: it is not an image.
    """
    with open(path, "rb") as file:
        picture = open_picture(file)
        sideways = _exif_orientation(picture) in range(5, 9)
        return (picture.height, picture.width) if sideways else picture.size


def is_deep(picture: Image.Image) -> bool:
    """Return whether an image has more than 8 bits per channel, according to its header."""
    return picture.mode.startswith("I") or picture.mode == "F"


def _exif_orientation(picture: Image.Image) -> Any:
    """Return the orientation of an image; a PNG may have it behind its pixels, which are decoded for it."""
    try:
        return picture.getexif().get(_ORIENTATION, 1)
    except DAMAGE as error:
        raise UnreadableFile(_describe_damage(error)) from None


def _pages(picture: Image.Image) -> int:
    """Count the pages of a TIFF; of other animated formats only the first image counts."""
    try:
        return int(getattr(picture, "n_frames", 1)) if picture.format == "TIFF" else 1
    except DAMAGE as error:
        raise UnreadableFile(_describe_damage(error)) from None


def _decoded(picture: Image.Image, scales: bool = True) -> DecodedImage:
    """Decode the intensities of the current page; numbers without a white stay as they are if they are not scaled."""
    try:
        image = ImageOps.exif_transpose(picture)
        if is_deep(image):
            return _deep_picture(image, getattr(picture, "tag_v2", {}), scales)
        if image.has_transparency_data:
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(black, image.convert("RGBA"))
        return DecodedImage(np.asarray(image.convert("L")), 255.0)
    except MemoryError:
        raise UnreadableFile("needs more memory than is available") from None
    except DAMAGE as error:
        raise UnreadableFile(_describe_damage(error)) from None


def _deep_picture(image: Image.Image, tags: Mapping[int, Any], scales: bool) -> DecodedImage:
    """Decode intensities of more than 8 bits; a TIFF specifies their bits and their white in its tags."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        bits = int(np.max(tags.get(_BITS_PER_SAMPLE, 16)))
        gray = values.astype(np.uint16)
        white = 2**bits - 1
        return DecodedImage(white - gray if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else gray, float(white))
    numbers = values.astype(np.float32)
    return DecodedImage(_scale_deep(numbers) if scales else numbers, 1.0)


def _scale_deep(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return numbers as intensities; those of all pages share one black and white."""
    if np.isfinite(numbers).all() and numbers.min() >= 0 and numbers.max() <= 1:
        return numbers
    return np.nan_to_num(scale_to_percentiles(numbers)[0], copy=False)


if __name__ == "__main__":
    serve(read_scan)
