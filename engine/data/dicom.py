"""DICOM files: pixel values with the display transform stored in the file.

Each frame goes through the modality transform (rescale slope and intercept, or a look-up table), then the file's first
window or VOI look-up table, as specified in DICOM PS3.3 C.11.1 and C.11.2; a file with neither is displayed from its
0.1 to its 99.9 percentile. MONOCHROME1 is inverted, so that white is white. Frames are never flipped: they keep the
orientation of the file, and the letters at their edges come from its direction cosines. Settings of an enhanced
multi-frame file are read from its functional groups.
"""

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.multival import MultiValue
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from engine.data.decoded_image import DecodedImage, UnreadableFile, scale_to_percentiles
from engine.data.scan import MAX_VOXELS, Orientation, Scan, serve

_DAMAGE: Final = (
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
)
_SYNTAXES: Final[dict[Any, UID]] = {  # (implicit VR, little endian), detected in a file without a transfer syntax
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_AXES: Final = (("R", "L"), ("A", "P"), ("I", "S"))
_OPPOSITE: Final = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "I", "F": "S", "I": "S", "S": "I"}
_STRAIGHT: Final = 0.95  # cosine of 18 degrees
# pydicom warns of every small breach of the standard; relevant ones raise.
warnings.filterwarnings("ignore", module=r"pydicom\.")


def read_scan(path: Path) -> Scan:
    """Decode all frames of a file.

    Raises:
        UnreadableFile: the file is damaged, has no image, or one that cannot be decoded here.
    """
    try:
        data = _open(path)
        frames = _frame_count(data)
        if data.PhotometricInterpretation.startswith("MONOCHROME"):
            pixels, note = _gray_frames(data, frames)
        else:
            pixels, note = _luma_frames(data, frames), "Color is shown as gray."
        return _scan(data, path.name, pixels, note)
    except _DAMAGE as error:
        raise UnreadableFile(f"cannot be decoded: {str(error).splitlines()[0] if str(error) else 'damaged'}") from error


def read_picture(path: Path) -> DecodedImage:
    """Decode the only frame of a file, for a dataset.

    Raises:
        UnreadableFile: as in `read_scan`; also for files of several frames, and for deflated ones, whose size is
            unknown until they are inflated.
    """
    try:
        if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            raise UnreadableFile("a deflated DICOM file; save it without deflation")
        frames = _frame_count(_open(path, stop_before_pixels=True))
    except _DAMAGE as error:
        raise UnreadableFile(f"damaged: {error}") from error
    if frames != 1:
        raise UnreadableFile(f"holds {frames} frames; a dataset takes one image from each file")
    scan = read_scan(path)
    return DecodedImage(scan.pixels[0], 1.0, scan.aspect)


def _open(path: Path, **options: Any) -> Dataset:
    data = dcmread(path, force=True, **options)
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = _SYNTAXES.get(data.original_encoding, ImplicitVRLittleEndian)
    return data


def _frame_count(data: Dataset) -> int:
    """Return the number of frames, after checking that they can be decoded and are not too many.

    Raises:
        UnreadableFile: they cannot be decoded, or are too many.
    """
    if not (data.get("Rows") and data.get("Columns") and data.get("PhotometricInterpretation")):
        raise UnreadableFile("a DICOM file without an image")
    frames, rows, columns = int(data.get("NumberOfFrames") or 1), int(data.Rows), int(data.Columns)
    if frames * rows * columns > MAX_VOXELS:
        raise UnreadableFile(f"declares {frames} × {rows} × {columns} pixels, more than can be opened ({MAX_VOXELS:,})")
    syntax = data.file_meta.TransferSyntaxUID
    if not get_decoder(syntax).is_available:
        raise UnreadableFile(f"compressed as {syntax.name}, which cannot be decoded here; save it uncompressed")
    return frames


def _raw_pixels(data: Dataset, frames: int) -> Iterator[NDArray[Any]]:
    """Yield each frame as it is stored; pydicom converts YBR to RGB."""
    count = 0
    try:
        for frame in iter_pixels(data):
            yield frame
            count += 1
    except RuntimeError as error:
        form = data.file_meta.TransferSyntaxUID.name
        raise UnreadableFile(f"its pixels ({form}) are damaged, or in a form that cannot be decoded here") from error
    if count != frames:
        raise UnreadableFile(f"truncated: {count} of its {frames} frames are present")


def _luma_frames(data: Dataset, frames: int) -> NDArray[np.float32]:
    """Convert color frames to gray."""
    pixels = np.empty((frames, data.Rows, data.Columns), dtype=np.float32)
    palette = data.PhotometricInterpretation == "PALETTE COLOR"
    for number, frame in enumerate(_raw_pixels(data, frames)):
        colors = apply_color_lut(frame, data) if palette else frame
        white = np.iinfo(colors.dtype).max if palette else 2**data.BitsStored - 1
        pixels[number] = colors[..., :3] @ _LUMA / white
    return pixels


def _gray_frames(data: Dataset, frames: int) -> tuple[NDArray[np.float32], str]:
    """Return frames for display, and a sentence on their scaling; padding outside the field of view is black."""
    values = np.empty((frames, data.Rows, data.Columns), dtype=np.float32)
    for number, frame in enumerate(_raw_pixels(data, frames)):
        values[number] = _apply_modality_lut(frame, data, number)
        if (padding := data.get("PixelPaddingValue")) is not None:
            values[number][frame == padding] = np.nan
    pixels, note = _apply_voi(values, data)
    if data.PhotometricInterpretation == "MONOCHROME1":
        np.subtract(1, pixels, out=pixels)
        note += " Inverted, because low values are bright in this file (MONOCHROME1)."
    return np.nan_to_num(pixels, copy=False), note


def _apply_modality_lut(frame: NDArray[Any], data: Dataset, number: int) -> NDArray[Any]:
    """Convert stored values to the quantity that they represent (PS3.3 C.11.1)."""
    slope = _setting(data, number, "PixelValueTransformationSequence", "RescaleSlope")
    offset = _setting(data, number, "PixelValueTransformationSequence", "RescaleIntercept")
    if data.get("ModalityLUTSequence") or slope is None or offset is None:
        return apply_modality_lut(frame, data)
    return frame * np.float32(slope) + np.float32(offset)


def _apply_voi(values: NDArray[np.float32], data: Dataset) -> tuple[NDArray[np.float32], str]:
    """Convert quantities to intensities in [0, 1] (PS3.3 C.11.2)."""
    windows = [window for number in range(len(values)) if (window := _window(data, number))]
    if len(windows) == len(values):
        for frame, window in zip(values, windows, strict=True):
            frame[...] = _windowed(frame, *window)
        more = ", different for each frame" if len(set(windows)) > 1 else ""
        return values, (
            f"Displayed with the window/level stored in the file: level {windows[0][0]:g}, width "
            f"{windows[0][1]:g}{more}."
        )
    if data.get("VOILUTSequence"):
        white = 2 ** data.VOILUTSequence[0].LUTDescriptor[2] - 1
        for frame in values:
            frame[...] = apply_voi(np.rint(np.nan_to_num(frame)).astype(np.int32), data) / white
        return values, "Displayed with the VOI look-up table stored in the file."
    pixels, low, high = scale_to_percentiles(values)
    return (
        pixels,
        f"No window/level stored in the file; displayed from the 0.1 to the 99.9 percentile ({low:g} to {high:g}).",
    )


def _window(data: Dataset, number: int) -> tuple[float, float, str] | None:
    """Return level, width and shape of a frame's first window."""
    level = _first_item(_setting(data, number, "FrameVOILUTSequence", "WindowCenter"))
    width = _first_item(_setting(data, number, "FrameVOILUTSequence", "WindowWidth"))
    shape = _setting(data, number, "FrameVOILUTSequence", "VOILUTFunction") or "LINEAR"
    if level is None or width is None or width <= 0 or (shape == "LINEAR" and width < 1):
        return None
    return level, width, str(shape)


def _windowed(values: NDArray[np.float32], level: float, width: float, shape: str) -> NDArray[np.float32]:
    if shape == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - level) / width))
    if shape == "LINEAR_EXACT":
        return np.clip((values - level) / width + 0.5, 0, 1)
    return np.clip((values - (level - 0.5)) / max(width - 1, 1e-6) + 0.5, 0, 1)


def _setting(data: Dataset, number: int, group: str, keyword: str) -> Any:
    """Return a value of one frame: from its functional group, the shared one, or the file itself."""
    own = data.get("PerFrameFunctionalGroupsSequence") or []
    for holder in (*own[number : number + 1], *(data.get("SharedFunctionalGroupsSequence") or [])):
        if holder.get(group) and (value := holder[group][0].get(keyword)) is not None:
            return value
    return data.get(keyword)


def _first_item(value: Any) -> float | None:
    """Return a number, or the first of several."""
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    return None if value in (None, "") else float(value)


def _scan(data: Dataset, name: str, pixels: NDArray[np.float32], note: str) -> Scan:
    orientation, oblique = _orientation(data)
    notes = [note] if note else []
    if orientation is None:
        notes.append("The file has no orientation information; shown as stored. Left and right are not known.")
    elif oblique:
        notes.append("The slices are oblique; the letters give the nearest anatomical directions.")
    spacing = _setting(data, 0, "PixelMeasuresSequence", "PixelSpacing") or data.get("ImagerPixelSpacing")
    between = _setting(data, 0, "PixelMeasuresSequence", "SpacingBetweenSlices") or _setting(
        data, 0, "PixelMeasuresSequence", "SliceThickness"
    )
    return Scan(
        pixels,
        name,
        "dicom",
        orientation,
        (float(spacing[0]), float(spacing[1])) if spacing and min(spacing) > 0 else None,
        float(between) if between else None,
        tuple(notes),
    )


def _orientation(data: Dataset) -> tuple[Orientation | None, bool]:
    """Return the letters at the left, right, top and bottom edge, and whether the slices are oblique."""
    cosines = _setting(data, 0, "PlaneOrientationSequence", "ImageOrientationPatient")
    if cosines and len(cosines) == 6 and any(cosines[:3]) and any(cosines[3:]):
        along_row, along_column = np.reshape(np.array(cosines, dtype=float), (2, 3))
        edges = (*_edges(along_row), *_edges(along_column))
        return edges, max(abs(along_row)) < _STRAIGHT or max(abs(along_column)) < _STRAIGHT
    named = data.get("PatientOrientation")
    if named and len(named) == 2 and all(letter[:1] in _OPPOSITE for letter in named):
        right, bottom = (_OPPOSITE[_OPPOSITE[letter[:1]]] for letter in named)
        return (_OPPOSITE[right], right, _OPPOSITE[bottom], bottom), any(len(letter) > 1 for letter in named)
    return None, False


def _edges(direction: NDArray[np.float64]) -> tuple[str, str]:
    """Return the letters at the start and end of a line in this direction; DICOM's x, y, z grow to L, P, S."""
    axis = int(np.argmax(np.abs(direction)))
    negative, positive = _AXES[axis]
    return (negative, positive) if direction[axis] > 0 else (positive, negative)


if __name__ == "__main__":
    serve(read_scan)
