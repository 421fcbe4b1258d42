"""Decoding of the pixels of DICOM files: their layout, and each frame as it is stored.

Missing or contradictory elements of the Image Pixel module get the value that the others suggest. Compressed frames
need decoders; those that do not come with Engram are an extra.
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import (
    HTJ2K,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    MediaStorageDirectoryStorage,
)

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_header import DAMAGE, Header
from engine.data.dicom_mosaic import Mosaic, read_mosaic
from engine.data.scan import MAX_VOXELS

INSTALL: Final = 'pip install "engram-mri[dicom]"'
_KEYWORDS: Final = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_PHOTOMETRIC, _SUBSAMPLED = "PhotometricInterpretation", "YBR_FULL_422"  # two of its pixels share their color
_JPEG_2000: Final = (*JPEG2000TransferSyntaxes, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
_WITH_EXTRA: Final = (*_JPEG_2000, *JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes)
_GDCM: Final = importlib.util.find_spec("gdcm") is not None
_JP2: Final = b"\x00\x00\x00\x0c\x6a\x50\x20\x20"


@dataclass(frozen=True)
class PixelLayout:
    """Layout of the pixels of a file.

    Args:
        keyword: element that holds them.
        frames: number of frames.
        rows: height of a frame.
        columns: width of a frame.
        bits_stored: bits of a value.
        bits_allocated: bits that a value takes in the file.
        signed: whether values can be negative.
        unused: unused bits below a value that stands at the upper end of its word.
        mosaic: how the frames lie in the only image of the file; None if each is an image.
    """

    keyword: str
    frames: int
    rows: int
    columns: int
    bits_stored: int
    bits_allocated: int
    signed: bool
    unused: int
    mosaic: Mosaic | None = None

    @property
    def is_float(self) -> bool:
        """Return whether the values are floating-point numbers."""
        return self.keyword != "PixelData"

    @property
    def limits(self) -> tuple[int, int] | None:
        """Return the lowest and the highest value that the bits can hold; None for floating-point numbers."""
        if self.is_float:
            return None
        count = 2**self.bits_stored
        return (-count // 2, count // 2 - 1) if self.signed else (0, count - 1)

    def to_stored(self, value: float) -> float:
        """Return a value of the header, whose sign may have been misread, as a stored value (63,536 as -2,000)."""
        if self.limits is None or self.limits[0] <= value <= self.limits[1]:
            return value
        half = 2 ** (self.bits_allocated - 1)
        if self.signed and value >= half:
            return value - 2 * half
        if self.signed and value > self.limits[1]:
            return value - 2**self.bits_stored
        return value + 2 * half if not self.signed and value < 0 else value


def read_layout(header: Header) -> PixelLayout:
    """Return the layout of the pixels, after checking that they can be decoded and are not too many.

    Raises:
        UnreadableFile: there are none, they cannot be decoded, or they are too many.
    """
    keyword = _pixel_keyword(header)
    rows, columns = header.integer("Rows", 0), header.integer("Columns", 0)
    if rows < 1 or columns < 1:
        raise UnreadableFile("a DICOM file without an image")
    frames = max(1, header.integer("NumberOfFrames", 1))
    if frames * rows * columns > MAX_VOXELS:
        raise UnreadableFile(f"declares {frames} × {rows} × {columns} pixels, more than can be opened ({MAX_VOXELS:,})")
    if not _is_known(header):
        raise UnreadableFile(
            f"its transfer syntax ({header.syntax}) is not known, or damaged; export it from the original"
        )
    if not _has_decoder(header):
        raise UnreadableFile(f"compressed as {header.syntax.name}, which cannot be decoded here; {_advice(header)}")
    allocated, stored = _bits(header, keyword)
    signed = header.integer("PixelRepresentation", 0) == 1
    unused = header.integer("HighBit", stored - 1) + 1 - stored
    layout = PixelLayout(keyword, frames, rows, columns, stored, allocated, signed, unused)
    _complete(header, layout)
    if frames == 1 and (mosaic := read_mosaic(header, rows, columns)):
        side = mosaic.side
        return replace(layout, frames=mosaic.slices, rows=rows // side, columns=columns // side, mosaic=mosaic)
    return layout


def stored_frames(header: Header, layout: PixelLayout) -> Iterator[NDArray[Any]]:
    """Yield each frame as it is stored; pydicom converts YBR to RGB.

    Raises:
        UnreadableFile: the pixels are damaged, too few, or in a form that cannot be decoded here.
    """
    if layout.keyword not in header.data:
        raise UnreadableFile("a DICOM file without an image")
    _check_boxes(header, layout)
    _cut_surplus(header, layout)
    shift = layout.unused if _is_left_justified(header, layout) else 0
    if shift:
        header.replace(BitsStored=layout.bits_allocated)
        header.add_note("Its values stand in the upper bits of their words and were shifted.")
    images, count = 1 if layout.mosaic else layout.frames, 0
    try:
        for frame in _decoded_frames(header, images):
            shown = frame >> shift if shift else frame
            yield from layout.mosaic.split(shown) if layout.mosaic else (shown,)
            count += 1
    except RuntimeError as error:
        name = header.syntax.name
        raise UnreadableFile(
            f"its pixels ({name}) are damaged, or cannot be decoded here; {_advice(header)}"
        ) from error
    if count != images:
        raise UnreadableFile(f"truncated: {count} of its {images} frames are present")


def _pixel_keyword(header: Header) -> str:
    """Return the element with the pixels; a header that was read without them counts as one of integers."""
    if header.data.get("MediaStorageDirectorySOPClassUID") or "DirectoryRecordSequence" in header.data:
        raise UnreadableFile(_INDEX)
    if header.data.file_meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
        raise UnreadableFile(_INDEX)
    return next((keyword for keyword in _KEYWORDS if keyword in header.data), "PixelData")


_INDEX: Final = "it is the index of a disc (DICOMDIR), not an image; open one of the files that it lists"


def _is_known(header: Header) -> bool:
    try:
        return header.syntax.is_encapsulated in {True, False}
    except ValueError:  # pydicom knows no such transfer syntax
        return False


def _has_decoder(header: Header) -> bool:
    try:
        return bool(get_decoder(header.syntax).is_available)
    except RuntimeError:  # pydicom knows no such transfer syntax
        return False


def _advice(header: Header) -> str:
    if not header.syntax.is_encapsulated:
        return "export it again from the original"
    if header.syntax in _WITH_EXTRA and not _GDCM:
        return f"install the decoders ({INSTALL}) or save it uncompressed"
    return "save it uncompressed"


def _bits(header: Header, keyword: str) -> tuple[int, int]:
    """Return the allocated and the stored bits of a value."""
    if keyword != "PixelData":
        bits = 32 if keyword == "FloatPixelData" else 64
        return bits, bits
    allocated = header.integer("BitsAllocated", 0)
    stored = header.integer("BitsStored", 0)
    if allocated != 1 and (allocated < 8 or allocated % 8):
        allocated = 8 if 0 < stored <= 8 else 16
        header.add_note(f"The bits of a pixel are not declared; {allocated} are assumed.")
    return allocated, stored if 1 <= stored <= allocated else allocated


def _complete(header: Header, layout: PixelLayout) -> None:
    """Write the elements that pydicom's decoders need into the data set."""
    photometric = header.text("PhotometricInterpretation")
    samples = header.integer("SamplesPerPixel", 3 if photometric.startswith(("RGB", "YBR")) else 1)
    if samples not in {1, 3}:
        raise UnreadableFile(f"it has {samples} values for each pixel, which cannot be shown")
    is_gray = photometric in {"MONOCHROME1", "MONOCHROME2"}
    is_fit = (is_gray if samples == 1 else photometric.startswith(("RGB", "YBR"))) or photometric == "PALETTE COLOR"
    if not is_fit:
        photometric = ""
    if not photometric and samples == 1:
        header.add_note("The file does not say what its pixel values mean; high values are shown bright.")
    header.replace(
        NumberOfFrames=layout.frames,
        BitsAllocated=layout.bits_allocated,
        BitsStored=layout.bits_stored,
        PixelRepresentation=int(layout.signed),
        SamplesPerPixel=samples,
        PhotometricInterpretation=photometric or ("RGB" if samples == 3 else "MONOCHROME2"),
    )
    if samples > 1:
        header.replace(PlanarConfiguration=header.integer("PlanarConfiguration", 0))


def _is_left_justified(header: Header, layout: PixelLayout) -> bool:
    """Return whether values stand in the upper bits of their words, as the header says and the pixels confirm."""
    if layout.unused < 1 or layout.bits_stored + layout.unused != layout.bits_allocated or layout.is_float:
        return False
    if header.syntax.is_encapsulated or layout.bits_allocated not in {16, 32}:
        return False
    order = "<" if header.syntax.is_little_endian else ">"
    content = header.data.PixelData
    size = layout.bits_allocated // 8
    words = np.frombuffer(content[: len(content) // size * size], f"{order}u{size}")
    return not bool(np.bitwise_or.reduce(words) & (2**layout.unused - 1))


def _decoded_frames(header: Header, frames: int) -> Iterator[NDArray[Any]]:
    """Yield the decoded frames.

    pydicom's iterator cannot mend the sign of JPEG 2000 values, because its frames are read-only; its arrays can.
    """
    if header.syntax == JPEGExtended12Bit and header.integer("BitsStored", 8) > 8 and _GDCM:
        yield from _decode_12_bits(header, frames)
        return
    count = 0
    try:
        for frame in iter_pixels(header.data):
            count += 1
            yield frame
        return
    except ValueError:
        if count or not header.syntax.is_encapsulated:
            raise
    decoder = get_decoder(header.syntax)
    for index in range(frames):
        yield decoder.as_array(header.data, index=index)[0]


def _decode_12_bits(header: Header, frames: int) -> Iterator[NDArray[Any]]:
    """Yield the frames of a file with JPEG of 12 bits, which pydicom does not give to GDCM.

    Raises:
        RuntimeError: GDCM cannot decode them.
    """
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(header.data.filename))
    if not reader.Read():
        raise RuntimeError("GDCM cannot read the file")
    content = reader.GetImage().GetBuffer()
    values = np.frombuffer(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"), "u1")
    kind = f"{'i' if header.integer('PixelRepresentation', 0) else 'u'}{header.integer('BitsAllocated', 16) // 8}"
    rows, columns = header.integer("Rows", 0), header.integer("Columns", 0)
    try:
        yield from values.view(kind).reshape(frames, rows, columns)
    except DAMAGE as error:
        raise RuntimeError("GDCM found another number of pixels") from error


def _cut_surplus(header: Header, layout: PixelLayout) -> None:
    """Cut what stands behind the declared frames, which pydicom takes for pixels."""
    if layout.keyword != "PixelData" or header.syntax.is_encapsulated or header.text(_PHOTOMETRIC) == _SUBSAMPLED:
        return
    mosaic, content = layout.mosaic, header.data.PixelData
    pixels = layout.frames * layout.rows * layout.columns
    if mosaic:
        pixels = layout.rows * layout.columns * mosaic.side**2
    needed = -(-pixels * header.integer("SamplesPerPixel", 1) * layout.bits_allocated // 8)
    if len(content) > needed + needed % 2:
        header.data.PixelData = content[: needed + needed % 2]
        header.add_note("The file holds more pixels than it declares; those behind its images are not shown.")


def _check_boxes(header: Header, layout: PixelLayout) -> None:
    """Check the boxes around JPEG 2000 frames; pydicom loops forever on one that claims a length of 0."""
    if header.syntax not in _JPEG_2000:
        return
    for frame in generate_frames(header.data.PixelData, number_of_frames=layout.frames):
        offset = 12
        while frame.startswith(_JP2) and offset < len(frame) and frame[offset + 4 : offset + 8] != b"jp2c":
            length = int.from_bytes(frame[offset : offset + 4], "big")
            if length < 8:
                raise UnreadableFile("its pixels (JPEG 2000) are damaged")
            offset += length
