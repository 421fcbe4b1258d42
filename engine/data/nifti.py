# mypy: disallow-untyped-calls=False
"""NIfTI volumes: slices in radiological orientation, laid out by the file's affine.

Axial and coronal slices have the patient's right at the left of the image, sagittal ones the front; the head or the
front is up. The plane is the acquisition plane (the coarsest axis runs across the slices), axial if no axis is
coarser. A file without an orientation is displayed as stored.
"""

import math
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.orientations import apply_orientation, io_orientation
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile, check_volume, scale_to_percentiles
from engine.data.files import open_plain
from engine.data.scan import MAX_VOXELS, Orientation, Scan, serve

_HEAD_BYTES: Final = 540
_DAMAGE: Final = (
    HeaderDataError,
    WrapStructError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)
_LETTERS: Final = (("L", "R"), ("P", "A"), ("I", "S"))  # towards the negative and positive end of NIfTI's x, y and z
_PLANES: Final = {0: ("sagittal", 2, 1), 1: ("coronal", 2, 0), 2: ("axial", 1, 0)}  # across -> name, down, along
_COARSER: Final = 1.25
_LUMA: Final = (0.299, 0.587, 0.114)


def read_scan(path: Path, volume: int | None = None) -> Scan:
    """Read the first volume of a file and arrange its slices for display.

    Raises:
        UnreadableFile: the file is damaged, too large, or one half of a two-file pair.
    """
    check_volume(volume, 1)
    try:
        with open_plain(path) as file:
            header = _header(file)
            values = _volume(file, header)
        return _scan(values, header, path.name)
    except _DAMAGE as error:
        raise UnreadableFile(f"it is damaged ({str(error).splitlines()[0] if str(error) else 'not NIfTI'})") from error


def _header(file: BinaryIO) -> Any:
    """Read the header and check that the volume is not too large."""
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    if b"ni" in (head[344:346], head[4:6]):
        raise UnreadableFile("it is one half of a .hdr / .img pair; save it as one .nii file")
    header = (Nifti2Header if head[4:7] == b"n+2" else Nifti1Header).from_fileobj(file)
    shape = header.get_data_shape()
    if not shape or min(shape) < 1 or math.prod(shape[:3]) > MAX_VOXELS:
        claimed = " × ".join(str(side) for side in shape[:3]) or "no"
        raise UnreadableFile(f"it declares {claimed} voxels; from 1 to {MAX_VOXELS:,} can be opened")
    return header


def _volume(file: BinaryIO, header: Any) -> NDArray[np.float32]:
    """Return the values (x, y, z) of the first volume, scaled as the header specifies."""
    shape = (*header.get_data_shape(), 1, 1)[:3]
    kind = header.get_data_dtype()
    slope, offset = header.get_slope_inter()
    raw = ArrayProxy(file, (shape, kind, header.get_data_offset()), mmap=False).get_unscaled()
    if kind.names:
        values = sum(raw[channel] * np.float32(share) for channel, share in zip("RGB", _LUMA, strict=True))
    else:
        values = np.abs(raw) if kind.kind == "c" else raw
    with np.errstate(over="ignore"):
        values = np.asarray(values).astype(np.float32)
    if slope is not None:
        values *= np.float32(slope)
        values += np.float32(offset)
    return values


def _scan(volume: NDArray[np.float32], header: Any, name: str) -> Scan:
    notes = []
    if (volumes := math.prod(header.get_data_shape()[3:])) > 1:
        notes.append(f"The file holds {volumes} volumes; the first one is shown.")
    volume, note = _shown(volume, header)
    affine = header.get_best_affine()
    axes = io_orientation(affine)
    zooms = np.sqrt(np.sum(affine[:3, :3] ** 2, axis=0))
    if not (header["sform_code"] or header["qform_code"]) or np.isnan(axes).any():
        notes += [note, "The file has no orientation information; shown as stored. Left and right are not known."]
        return _to_display_orientation(volume.T, name, None, zooms[[2, 1, 0]], notes)
    if header["sform_code"] and header["qform_code"] and (io_orientation(header.get_qform()) != axes).any():
        notes.append("Its two orientations (qform and sform) disagree; the sform is used.")
    volume = apply_orientation(volume, axes)  # now the axes grow to R, A and S
    spacing = np.empty(3)
    spacing[axes[:, 0].astype(int)] = zooms
    across = _slice_axis(volume.shape, spacing)
    plane, down, along = _PLANES[across]
    oblique = f", oblique by up to {_obliquity(affine):.0f}°" if _obliquity(affine) > 1 else ""
    notes += [note, f"Shown as {plane} slices, according to the file's affine{oblique}."]
    slices = np.flip(np.transpose(volume, (across, down, along)), axis=(1, 2))
    edges = (*reversed(_LETTERS[along]), *reversed(_LETTERS[down]))
    return _to_display_orientation(slices, name, cast(Orientation, edges), spacing[[across, down, along]], notes)


def _to_display_orientation(
    slices: NDArray[np.float32],
    name: str,
    orientation: Orientation | None,
    spacing: NDArray[np.float64],
    notes: list[str],
) -> Scan:
    between, rows, columns = (float(step) for step in spacing)
    known = math.isfinite(rows * columns) and rows > 0 and columns > 0
    return Scan(
        np.ascontiguousarray(slices),
        name,
        "nifti",
        orientation,
        (rows, columns) if known else None,
        between if math.isfinite(between) and between > 0 else None,
        tuple(notes),
    )


def _shown(volume: NDArray[np.float32], header: Any) -> tuple[NDArray[np.float32], str]:
    """Convert values to gray in [0, 1]: by the header's display range, else from the 0.1 to the 99.9 percentile."""
    low, high = float(header["cal_min"]), float(header["cal_max"])
    if math.isfinite(low) and math.isfinite(high) and low < high:
        pixels = np.clip((volume - np.float32(low)) / np.float32(high - low), 0, 1)
        note = f"Displayed with the range stored in the file: {low:g} is black, {high:g} is white."
    else:
        pixels, low, high = scale_to_percentiles(volume)
        note = (
            f"No display range stored in the file; displayed from the 0.1 to the 99.9 percentile ({low:g} to {high:g})."
        )
    return np.nan_to_num(pixels, copy=False), note


def _slice_axis(shape: tuple[int, ...], spacing: NDArray[np.float64]) -> int:
    """Return the axis that the slices are stacked along: a single one, the coarsest, or from foot to head."""
    if 1 in shape:
        return shape.index(1)
    coarsest = int(np.argmax(spacing))
    return coarsest if spacing[coarsest] > _COARSER * np.median(spacing) else 2


def _obliquity(affine: NDArray[np.float64]) -> float:
    """Return the largest angle in degrees between an axis of the volume and the nearest axis of the patient."""
    cosines = np.abs(affine[:3, :3]) / np.linalg.norm(affine[:3, :3], axis=0)
    return float(np.degrees(np.arccos(np.clip(cosines.max(axis=0), 0, 1))).max())


if __name__ == "__main__":
    serve(read_scan)
