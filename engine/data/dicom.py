"""DICOM files: pixel values with the display transform stored in the file.

Each frame goes through the modality transform (rescale slope and intercept, or a look-up table), then the file's first
window or VOI look-up table, as specified in DICOM PS3.3 C.11.1 and C.11.2; a file with neither is displayed from its
0.1 to its 99.9 percentile. MONOCHROME1 is inverted, so that white is white. Frames are never flipped: they keep the
orientation of the file, and the letters at their edges come from its direction cosines. Settings of an enhanced
multi-frame file are read from its functional groups, and its frames are sorted by position, stack by stack.
"""

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from engine.data.decoded_image import DecodedImage, UnreadableFile, find_percentiles
from engine.data.dicom_geometry import (
    FrameGroup,
    check_alike,
    choose_group,
    group_frames,
    read_direction,
    read_geometry,
    read_grid,
)
from engine.data.dicom_header import DAMAGE, Header
from engine.data.dicom_pixels import PixelLayout, read_layout, stored_frames
from engine.data.dicom_tables import read_palette
from engine.data.dicom_values import (
    Modality,
    has_own_contrast,
    is_inverted,
    read_window,
    show_frames,
    show_frames_between,
)
from engine.data.files import DICOM_SUFFIXES, is_dicom_content
from engine.data.scan import Scan, serve
from engine.data.volume_grid import Levels

_SYNTAXES: Final[dict[Any, UID]] = {  # (implicit VR, little endian), detected in a file without a transfer syntax
    (True, True): ImplicitVRLittleEndian,
    (False, True): ExplicitVRLittleEndian,
    (False, False): ExplicitVRBigEndian,
}
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_SAMPLE: Final = 4_000_000  # values of a series that its percentiles are estimated from
_MAX_SIBLINGS: Final = 2000  # files of a folder in which other slices of a series are looked for
_MAX_SAMPLED, _MAX_DECODED = 400, 64  # slices that are sampled, and of these the compressed ones
_SIBLING_TAGS: Final = ["SeriesInstanceUID", "Rows", "NumberOfFrames", "ImageOrientationPatient"]
_DAMAGED_HEADER: Final = "its header cannot be decoded; the file is damaged or incomplete"
# pydicom warns of every small breach of the standard; relevant ones raise.
warnings.filterwarnings("ignore", module=r"pydicom\.")


@contextmanager
def _explain_damage() -> Iterator[None]:
    """Turn what pydicom raises for any element of a damaged header into an `UnreadableFile`."""
    try:
        yield
    except OSError:
        raise
    except DAMAGE as error:
        raise UnreadableFile(_DAMAGED_HEADER) from error


@_explain_damage()
def read_scan(
    path: Path, volume: int | None = None, span: Levels | None = None, alone: bool = False, mixed: bool = False
) -> Scan:
    """Decode all frames of a file.

    A slice without a window has that of its series, if other slices of it lie in the same folder: as in a dataset.

    Args:
        path: the file.
        volume: stack of a multi-frame file to decode alone, counted from 1; all stacks if None.
        span: values that become black and white instead of the window of the file; None for that.
        alone: whether the other files of the folder are not looked at.
        mixed: whether stacks in different directions may come together.

    Raises:
        UnreadableFile: the file is damaged, has no image, or one that cannot be decoded here, or stacks that do not
            go together.
    """
    header = open_data(path)
    try:
        layout = read_layout(header)
        groups = group_frames(header, layout.frames)
        chosen = choose_group(groups, volume)
        if str(header.data.PhotometricInterpretation).startswith("MONOCHROME"):
            span = span if span or alone else _find_series_span(path, header, layout)
            frames = stored_frames(header, layout)
            show = show_frames if span is None else partial(show_frames_between, span=span)
            pixels, levels = show(header, layout, frames)
        else:
            pixels, levels = _luma_frames(header, layout), []
    except DAMAGE as error:
        raise UnreadableFile("its pixels cannot be decoded; the file is damaged or incomplete") from error
    _note_groups(header, groups, volume)
    if not mixed:
        check_alike(header, chosen)
    return _scan(header, path.name, pixels, chosen, levels)


@_explain_damage()
def read_picture(path: Path, span: Levels | None = None, alone: bool = False) -> DecodedImage:
    """Decode the only frame of a file, for a dataset.

    Args:
        path: the file.
        span: as in `read_scan`.
        alone: as in `read_scan`.

    Raises:
        UnreadableFile: as in `read_scan`; also for files of several frames, and for deflated ones, whose size is
            unknown until they are inflated.
    """
    frames = read_layout(open_header(path)).frames
    if frames != 1:
        raise UnreadableFile(f"holds {frames} frames; a dataset takes one image from each file")
    scan = read_scan(path, span=span, alone=alone)
    return DecodedImage(scan.pixels[0], 1.0, scan.aspect)


@_explain_damage()
def read_values(path: Path) -> NDArray[np.float64]:
    """Return the quantities that the pixels of a gray file represent, (frames, rows, columns); NaN for padding.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    header = open_data(path)
    try:
        layout = read_layout(header)
        modality = Modality(header, layout)
        return np.stack([modality.apply(frame, at) for at, frame in enumerate(stored_frames(header, layout))])
    except DAMAGE as error:
        raise UnreadableFile("its pixels cannot be decoded; the file is damaged or incomplete") from error


def sample_values(file: Path, files: int) -> NDArray[np.float64]:
    """Return one file's part of a sample of the quantities that the pixels of several files represent.

    Raises:
        UnreadableFile: as in `read_values`.
    """
    values = read_values(file).ravel()
    return values[:: max(1, values.size * files // _SAMPLE)]


def join_samples(samples: Sequence[NDArray[np.float64]]) -> Levels | None:
    """Return the 0.1 and 99.9 percentiles of the samples of a series; None if they hold no numbers."""
    low, high = find_percentiles(np.concatenate(samples)) if samples else (math.nan, math.nan)
    return (low, high) if math.isfinite(high - low) else None


def _find_series_span(path: Path, header: Header, layout: PixelLayout) -> Levels | None:
    """Return the black and white of the series of a slice without a window; None if it needs none, or lies alone."""
    series = header.text("SeriesInstanceUID")
    if layout.frames != 1 or not series or has_own_contrast(header, layout):
        return None
    files = _list_siblings(path.parent, series, read_direction(header))
    if len(files) < 2:
        return None
    most = _MAX_DECODED if header.syntax.is_encapsulated else _MAX_SAMPLED
    files = files[:: -(-len(files) // most)]
    samples = []
    for file in files:
        try:
            samples.append(sample_values(file, len(files)))
        except (UnreadableFile, OSError):
            continue
    return join_samples(samples)


def _list_siblings(folder: Path, series: str, direction: tuple[float, ...]) -> list[Path]:
    """Return the slices of a series in a folder; none if it has too many files to look at."""
    with os.scandir(folder) as entries:
        files = sorted(Path(entry.path) for entry in islice(entries, _MAX_SIBLINGS + 1) if entry.is_file())
    with warnings.catch_warnings(action="ignore"):
        return [file for file in files if _is_sibling(file, series, direction)] if len(files) <= _MAX_SIBLINGS else []


def _is_sibling(file: Path, series: str, direction: tuple[float, ...]) -> bool:
    try:
        if not is_dicom_content(file):
            return False
        head = Header(dcmread(file, force=True, stop_before_pixels=True, specific_tags=_SIBLING_TAGS))
        is_slice = head.integer("Rows", 0) > 0 and head.integer("NumberOfFrames", 1) == 1
        return is_slice and head.text("SeriesInstanceUID") == series and read_direction(head) == direction
    except DAMAGE:
        return False


@dataclass(frozen=True, eq=False)
class Quantities:
    """A scan whose pixels are the quantities of the file, NaN for padding.

    Args:
        scan: its slices.
        window: quantities that the file shows black and white; None if it names none.
        inverted: whether low values are bright.
        units: their unit; 'HU' for Hounsfield units, empty if it is not known.
        volumes: number of stacks in the file.
    """

    scan: Scan
    window: Levels | None
    inverted: bool
    units: str
    volumes: int


def read_quantities(path: Path, volume: int = 1) -> Quantities:
    """Return the quantities of one stack of a file; color becomes gray in [0, 1].

    Args:
        path: the file.
        volume: the stack, counted from 1.

    Raises:
        UnreadableFile: as in `read_scan`.
    """
    header = open_data(path)
    try:
        layout = read_layout(header)
        groups = group_frames(header, layout.frames)
        chosen = choose_group(groups, volume)
        pixels: NDArray[Any]
        window = None
        if str(header.data.PhotometricInterpretation).startswith("MONOCHROME"):
            modality, frames = Modality(header, layout), enumerate(stored_frames(header, layout))
            kind = np.float32 if modality.is_exact_in_float32 else np.float64
            pixels = np.stack([modality.apply(frame, at).astype(kind) for at, frame in frames])
            window = read_window(header, layout, chosen[0].frames[0], pixels)
        else:
            pixels = _luma_frames(header, layout)
    except DAMAGE as error:
        raise UnreadableFile("its pixels cannot be decoded; the file is damaged or incomplete") from error
    scan = _scan(header, path.name, pixels, chosen, [])
    return Quantities(scan, window, is_inverted(header), _find_units(header), len(groups))


def _find_units(header: Header) -> str:
    """Return the unit of the quantities: what the rescaling says, Hounsfield units for CT, else that of PET."""
    named = header.text("RescaleType")
    if named not in {"", "US"}:
        return named
    if header.text("Modality") == "CT" and header.has("RescaleIntercept"):
        return "HU"
    return header.text("Units")


def open_header(path: Path) -> Header:
    """Read the header of a file that is not deflated.

    Raises:
        UnreadableFile: the file is damaged, deflated, or no DICOM file.
    """
    try:
        if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            raise UnreadableFile("a deflated DICOM file; save it without deflation")
    except DAMAGE:
        pass  # Files without a preamble have no meta information.
    return open_data(path, stop_before_pixels=True)


def open_data(path: Path, **options: Any) -> Header:
    """Read the data set of a file, which may be deflated.

    Raises:
        UnreadableFile: the file is damaged, or no DICOM file.
    """
    if not is_dicom_content(path):
        called = f"it is called {path.suffix}, but" if path.suffix.casefold() in DICOM_SUFFIXES else "it"
        raise UnreadableFile(f"{called} holds no DICOM data")
    try:
        data = dcmread(path, force=True, **options)
        if "TransferSyntaxUID" not in data.file_meta:
            data.file_meta.TransferSyntaxUID = _SYNTAXES.get(data.original_encoding, ImplicitVRLittleEndian)
        return Header(data)
    except DAMAGE as error:
        raise UnreadableFile(_DAMAGED_HEADER) from error


def _luma_frames(header: Header, layout: PixelLayout) -> NDArray[np.float32]:
    """Convert color frames to gray."""
    pixels = np.empty((layout.frames, layout.rows, layout.columns), dtype=np.float32)
    is_palette = header.data.PhotometricInterpretation == "PALETTE COLOR"
    palette = read_palette(header, layout.signed) if is_palette else None
    white = palette.white if palette else 2**layout.bits_stored - 1
    for number, frame in enumerate(stored_frames(header, layout)):
        colors = palette.apply(frame) if palette else frame
        pixels[number] = np.clip(colors[..., :3] @ _LUMA / white, 0, 1)
    header.add_note("Color is shown as gray.")
    return pixels


def _note_groups(header: Header, groups: list[FrameGroup], volume: int | None) -> None:
    if len(groups) > 1:
        shown = f"volume {volume} is shown" if volume else "all are shown, one after the other"
        header.add_note(f"The file holds {len(groups)} volumes; {shown}.")
    frames = [frame for group in groups for frame in group.frames]
    if frames != sorted(frames):
        header.add_note("Its frames are sorted by their positions.")


def _scan(header: Header, name: str, pixels: NDArray[Any], groups: list[FrameGroup], levels: list[Levels]) -> Scan:
    geometry = read_geometry(header, groups)
    order = [frame for group in groups for frame in group.frames]
    return Scan(
        pixels if order == list(range(len(pixels))) else pixels[order],
        name,
        "dicom",
        geometry.orientation,
        geometry.spacing_mm,
        geometry.slice_spacing_mm,
        tuple(header.notes),
        geometry.pixel_aspect,
        read_grid(header, groups, geometry, [levels[frame] for frame in order] if levels else []),
    )


if __name__ == "__main__":
    serve(read_scan)
