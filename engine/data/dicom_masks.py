"""Segmentations (DICOM SEG) and contours (RT Structure Set), and the planes of the images that they are drawn on.

These functions run in the limited process of `engine.data.parsing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from engine.data import dicom
from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_geometry import group_frames, read_frame_affines, read_geometry
from engine.data.dicom_header import DAMAGE, Header
from engine.data.dicom_pixels import read_layout, stored_frames

_DAMAGED: Final = "it is damaged or incomplete"
_CLOSED: Final = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
Affines = NDArray[np.float64]
Source = tuple[str, int]  # SOPInstanceUID of an image, and its frame from 1 on; 0 for all frames


@dataclass(frozen=True, eq=False)
class ImagePlanes:
    """The identity of a DICOM image, and where its displayed slices lie.

    Args:
        uid: SOPInstanceUID.
        frame_of_reference: what the positions are relative to, with the study; empty if it is not known.
        study: StudyInstanceUID.
        shape: rows and columns.
        aspect: height over width of the image in millimeters.
        frames: frame of each slice, counted from 1.
        affines: (slices, 4, 4), from (column, row, slice) to millimeters in R, A, S; NaN if it is not known.
    """

    uid: str
    frame_of_reference: str
    study: str
    shape: tuple[int, int]
    aspect: float
    frames: tuple[int, ...]
    affines: Affines


@dataclass(frozen=True, eq=False)
class MaskFrames:
    """Regions of a file, each on one plane.

    Args:
        frame_of_reference: as in `ImagePlanes`.
        study: as in `ImagePlanes`.
        names: names of the labels, by number.
        labels: label of each region; 0 if its values are labels.
        sources: the images that each region is drawn on, if the file says them.
        affines: as in `ImagePlanes`, one for each region; empty for contours.
        pixels: (regions, rows, columns), 0 outside; empty for contours.
        contours: closed line of each region, (points, 3) in L, P, S; empty for a segmentation.
    """

    frame_of_reference: str
    study: str
    names: dict[str, str]
    labels: tuple[int, ...]
    sources: tuple[tuple[Source, ...], ...]
    affines: Affines
    pixels: NDArray[np.uint16]
    contours: tuple[NDArray[np.float64], ...] = ()


def count_frames(file: Path) -> int:
    """Return the frames of a file; only its header is read."""
    return max(1, dicom.open_data(file, stop_before_pixels=True).integer("NumberOfFrames", 1))


def read_planes(file: Path) -> ImagePlanes:
    """Return the identity and the planes of an image.

    Raises:
        UnreadableFile: its header is damaged, or it has no image.
    """
    try:
        header = dicom.open_header(file)
        layout = read_layout(header)
        groups = group_frames(header, layout.frames)
        frames = [frame for group in groups for frame in group.frames]
        spacing = read_geometry(header, groups).spacing_mm or (1.0, 1.0)
        return ImagePlanes(
            header.text("SOPInstanceUID"),
            header.text("FrameOfReferenceUID"),
            header.text("StudyInstanceUID"),
            (layout.rows, layout.columns),
            layout.rows * spacing[0] / (layout.columns * spacing[1]),
            tuple(frame + 1 for frame in frames),
            read_frame_affines(header, frames),
        )
    except DAMAGE as error:
        raise UnreadableFile(_DAMAGED) from error


def read_masks(file: Path) -> MaskFrames:
    """Read the regions of a segmentation or of contours.

    Raises:
        UnreadableFile: the file is damaged.
    """
    try:
        header = dicom.open_data(file)
        return _read_contours(header) if header.text("Modality") == "RTSTRUCT" else _read_segmentation(header)
    except DAMAGE as error:
        raise UnreadableFile(_DAMAGED) from error


def _read_segmentation(header: Header) -> MaskFrames:
    layout = read_layout(header)
    kind, order = header.text("SegmentationType"), range(layout.frames)
    # A fraction of a half or more is inside.
    least = header.integer("MaximumFractionalValue", 255) / 2 if kind == "FRACTIONAL" else 1
    is_labels = kind == "LABELMAP"
    pixels = np.stack([frame if is_labels else frame >= least for frame in stored_frames(header, layout)])
    numbered = [header.number("ReferencedSegmentNumber", frame, "SegmentIdentificationSequence") for frame in order]
    return MaskFrames(
        header.text("FrameOfReferenceUID"),
        header.text("StudyInstanceUID"),
        _name_items(header.items("SegmentSequence"), "SegmentNumber", "SegmentLabel"),
        tuple(0 if is_labels else int(number or 1) for number in numbered),
        tuple(_list_sources(header.items("SourceImageSequence", at, "DerivationImageSequence")) for at in order),
        read_frame_affines(header, order),
        pixels.astype(np.uint16),
    )


def _read_contours(header: Header) -> MaskFrames:
    labels, sources, lines = [], [], []
    for region in header.items("ROIContourSequence"):
        for contour in Header(region).items("ContourSequence"):
            line = Header(contour)
            points = line.numbers("ContourData")
            if len(points) < 9 or len(points) % 3 or line.text("ContourGeometricType") not in _CLOSED:
                continue
            labels.append(int(region.ReferencedROINumber))
            sources.append(_list_sources(line.items("ContourImageSequence")))
            lines.append(np.reshape(points, (-1, 3)))
    references = [Header(item).text("FrameOfReferenceUID") for item in _items(header, "ReferencedFrameOfReference")]
    return MaskFrames(
        next(filter(None, references), "") or header.text("FrameOfReferenceUID"),
        header.text("StudyInstanceUID"),
        _name_items(header.items("StructureSetROISequence"), "ROINumber", "ROIName"),
        tuple(labels),
        tuple(sources),
        np.empty((0, 4, 4)),
        np.empty((0, 0, 0), np.uint16),
        tuple(lines),
    )


def _items(header: Header, name: str) -> Sequence[Dataset]:
    return header.items(f"{name}Sequence")


def _name_items(items: Sequence[Dataset], number: str, name: str) -> dict[str, str]:
    return {str(item.get(number)): str(item.get(name, "")) for item in items}


def _list_sources(items: Sequence[Dataset]) -> tuple[Source, ...]:
    """Return the images that items refer to, with each of the frames that they name."""
    found: list[Source] = []
    for item in items:
        header = Header(item)
        frames: Any = header.numbers("ReferencedFrameNumber") or (0,)
        found += [(header.text("ReferencedSOPInstanceUID"), int(frame)) for frame in frames]
    return tuple(found)
