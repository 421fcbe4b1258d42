"""Geometry of DICOM files: order of the frames, letters at the edges, and spacing.

Numbers that cannot be right (direction cosines that are no directions, pixels twenty times as high as wide) are not
believed: an image without letters is better than one with wrong letters.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.multival import MultiValue

from engine.data.decoded_image import UnreadableFile, check_volume
from engine.data.dicom_header import Header
from engine.data.scan import MAX_SPACING_RATIO, Orientation
from engine.data.volume_grid import Levels, VolumeGrid, stack_affine, to_rows

UNKNOWN: Final = "shown as stored. Left and right are not known."
UNEVEN: Final = "Its slices are not evenly spaced, so NIfTI cannot say where they lie; look for missing ones."
_AXES: Final = (("R", "L"), ("A", "P"), ("I", "S"))
_OPPOSITE: Final = {"R": "L", "L": "R", "A": "P", "P": "A", "H": "I", "F": "S", "I": "S", "S": "I"}
_STRAIGHT: Final = 0.95  # cosine of 18 degrees
_MAX_SKEW: Final = 0.2  # cosine of the angle between rows and columns; 0 in every image without damage
_EVEN: Final = 0.05  # slices count as evenly spaced if their distances differ by this share at most


@dataclass(frozen=True)
class FrameGroup:
    """Frames that make one stack of slices, sorted along its normal.

    Args:
        frames: indices of the frames in the file.
        slice_spacing_mm: distance from slice to slice by their positions; None if there is none.
    """

    frames: tuple[int, ...]
    slice_spacing_mm: float | None = None


@dataclass(frozen=True)
class Geometry:
    """Orientation and spacing of images, as in `Scan`."""

    orientation: Orientation | None
    spacing_mm: tuple[float, float] | None
    slice_spacing_mm: float | None
    pixel_aspect: float = 1.0


def group_frames(header: Header, frames: int) -> list[FrameGroup]:
    """Return the stacks of a file, each sorted by position along its normal.

    Frames belong together if they have the same stack ID, orientation and spacing. Frames at one position (of several
    times, echoes or diffusion weightings) go to as many stacks. Frames without positions stay in the order of the file.
    """
    if frames == 1 or not header.items("PerFrameFunctionalGroupsSequence"):
        return [FrameGroup(tuple(range(frames)))]
    stacks: dict[tuple[Any, ...], list[int]] = {}
    for frame in range(frames):
        cosines = _cosines(header, frame)
        direction = () if cosines is None else tuple(np.round(cosines.ravel(), 2) + 0.0)
        stack = _natural(header.text("StackID", frame, "FrameContentSequence"))
        stacks.setdefault((stack, direction, _numbers_of_spacing(header, frame)), []).append(frame)
    ordered = sorted(stacks.items(), key=lambda stack: (stack[0][0], stack[1][0]))
    return [group for _, members in ordered for group in _split_by_position(header, members)]


def _natural(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (0, text)


def _split_by_position(header: Header, members: list[int]) -> list[FrameGroup]:
    """Return the frames of one stack as one group for each frame at the same position."""
    cosines = _cosines(header, members[0])
    places = {frame: header.numbers("ImagePositionPatient", frame, "PlanePositionSequence") for frame in members}
    if cosines is None or any(len(place) != 3 for place in places.values()):
        return [FrameGroup(tuple(members))]
    normal = np.cross(*cosines)
    along = {frame: round(float(np.dot(normal, place)), 3) for frame, place in places.items()}
    groups: list[list[int]] = []
    for _, found in itertools.groupby(sorted(members, key=along.__getitem__), key=along.__getitem__):
        for repeat, frame in enumerate(sorted(found, key=lambda frame: _dimension_indices(header, frame))):
            if repeat == len(groups):
                groups.append([])
            groups[repeat].append(frame)
    return [FrameGroup(tuple(group), _even_step([along[frame] for frame in group])) for group in groups]


def _dimension_indices(header: Header, frame: int) -> tuple[tuple[float, ...], int]:
    return header.numbers("DimensionIndexValues", frame, "FrameContentSequence"), frame


def _even_step(places: list[float]) -> float | None:
    steps = np.diff(places)
    if not len(steps) or steps.min() <= 0 or np.ptp(steps) > _EVEN * np.median(steps):
        return None
    return float(np.median(steps))


def read_direction(header: Header) -> tuple[float, ...]:
    """Return the rounded direction cosines of a file of one frame; none if they are not known."""
    cosines = _cosines(header, 0)
    return () if cosines is None else tuple((np.round(cosines.ravel(), 2) + 0.0).tolist())


def read_place(header: Header) -> float | None:
    """Return the position of a file of one frame along its normal, or its number; None if it has neither."""
    cosines, place = _cosines(header, 0), header.numbers("ImagePositionPatient")
    if cosines is None or len(place) != 3:
        return header.number("InstanceNumber")
    return round(float(np.dot(np.cross(*cosines), place)), 3)


def check_alike(header: Header, groups: list[FrameGroup]) -> None:
    """Check that stacks can be shown together.

    Raises:
        UnreadableFile: they lie in different directions, or their pixels differ in size.
    """
    if not _are_alike([_geometry(header, group) for group in groups]):
        raise UnreadableFile(
            f"it holds {len(groups)} volumes in different directions, or with pixels of different sizes; choose one "
            f"(--volume 1 to {len(groups)}, or the Scan panel of the app)"
        )


def read_geometry(header: Header, groups: list[FrameGroup]) -> Geometry:
    """Return the geometry that all stacks share; what they do not share is unknown."""
    found = [_geometry(header, group) for group in groups]
    return found[0] if _are_alike(found) else Geometry(None, None, None)


def _are_alike(found: list[Geometry]) -> bool:
    first, *others = found
    return all(other.orientation == first.orientation and _is_alike(first, other) for other in others)


def read_grid(header: Header, groups: list[FrameGroup], geometry: Geometry, levels: list[Levels]) -> VolumeGrid:
    """Return the grid of a stack, for writing volumes.

    Args:
        header: header of the file.
        groups: the displayed stacks.
        geometry: what `read_geometry` returned for them.
        levels: black and white of each slice, in the order of display; none if the transform cannot be inverted.
    """
    if len(groups) > 1:
        return VolumeGrid(problem=f"It holds {len(groups)} volumes; choose one with --volume.")
    rows, columns = geometry.spacing_mm or (1.0, 1.0)
    sides = columns, rows, geometry.slice_spacing_mm or 1.0
    frames = groups[0].frames
    cosines, places = _cosines(header, frames[0]), _positions(header, frames)
    if cosines is None or not places or geometry.spacing_mm is None:
        return VolumeGrid(spacing_mm=sides, levels=tuple(levels))
    affine = stack_affine(cosines, geometry.spacing_mm, np.array(places), sides[2])
    problem = UNEVEN if affine is None else ""
    return VolumeGrid(spacing_mm=sides, affine=to_rows(affine), levels=tuple(levels), problem=problem)


def read_frame_affines(header: Header, frames: Sequence[int]) -> NDArray[np.float64]:
    """Return where frames lie: (frames, 4, 4), from (column, row, slice) to millimeters in R, A, S; NaN if unknown."""
    found = np.full((len(frames), 4, 4), np.nan)
    places = _positions(header, frames)
    for at, (frame, place) in enumerate(zip(frames, places, strict=False)):
        cosines, spacing = _cosines(header, frame), _spacing(header, frame)
        if cosines is None or spacing is None:
            continue
        between = header.number("SpacingBetweenSlices", frame, "PixelMeasuresSequence") or _thickness(header, frame)
        affine = stack_affine(cosines, spacing, np.array([place]), abs(between or 1.0))
        if affine is not None:
            found[at] = affine
    return found


def _positions(header: Header, frames: Sequence[int]) -> list[tuple[float, ...]]:
    """Return the position of each frame; none if a frame has none of its own."""
    if header.tile_positions:
        return [header.tile_positions[frame] for frame in frames]
    if len(frames) > 1 and not header.items("PerFrameFunctionalGroupsSequence"):
        return []
    places = [header.numbers("ImagePositionPatient", frame, "PlanePositionSequence") for frame in frames]
    return places if all(len(place) == 3 for place in places) else []


def choose_group(groups: list[FrameGroup], volume: int | None) -> list[FrameGroup]:
    """Return the chosen stack, counted from 1; all if none is chosen.

    Raises:
        UnreadableFile: there is no such stack.
    """
    check_volume(volume, len(groups))
    if volume is None:
        return groups
    return [groups[volume - 1]]


def _is_alike(one: Geometry, other: Geometry) -> bool:
    ours, theirs = (each.spacing_mm or (each.pixel_aspect, 1.0) for each in (one, other))
    return bool(np.allclose(ours, theirs, rtol=1e-3))


def _geometry(header: Header, group: FrameGroup) -> Geometry:
    frame = group.frames[0]
    orientation, is_oblique = _orientation(header, frame)
    if is_oblique:
        header.add_note("The slices are oblique; the letters give the nearest anatomical directions.")
    spacing = _spacing(header, frame)
    ratio = header.numbers("PixelAspectRatio")
    is_ratio = spacing is None and len(ratio) == 2 and min(ratio) > 0 and _is_believable(ratio[0], ratio[1])
    aspect = ratio[0] / ratio[1] if is_ratio else 1.0
    between = header.number("SpacingBetweenSlices", frame, "PixelMeasuresSequence") or _thickness(header, frame)
    return Geometry(orientation, spacing, group.slice_spacing_mm or (abs(between) if between else None), aspect)


def _thickness(header: Header, frame: int) -> float | None:
    found = header.numbers("SliceThickness", frame, "PixelMeasuresSequence")
    if len(found) > 1:
        header.add_note("The slice thickness in the file is not one number and is ignored.")
    return found[0] if len(found) == 1 else None


def _numbers_of_spacing(header: Header, frame: int) -> tuple[float, ...]:
    return header.numbers("PixelSpacing", frame, "PixelMeasuresSequence")


def _spacing(header: Header, frame: int) -> tuple[float, float] | None:
    """Return millimeters from row to row and from column to column."""
    scanned = (header.numbers(each) for each in ("ImagerPixelSpacing", "NominalScannedPixelSpacing"))
    for found in (_numbers_of_spacing(header, frame), *scanned):
        if len(found) == 2 and min(found) > 0 and _is_believable(found[0], found[1]):
            return found[0], found[1]
        if found:
            header.add_note("The pixel spacing in the file is not believable and is ignored.")
    return None


def _is_believable(height: float, width: float) -> bool:
    return max(height, width) <= MAX_SPACING_RATIO * min(height, width)


def _cosines(header: Header, frame: int) -> NDArray[np.float64] | None:
    """Return the unit vectors along rows and columns, (2, 3); None if the file has none that can be used."""
    found = header.numbers("ImageOrientationPatient", frame, "PlaneOrientationSequence")
    if len(found) != 6:
        return None
    directions = np.reshape(np.array(found), (2, 3))
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    if lengths.min() < 1e-3 or not np.isfinite(lengths).all():
        return None
    directions = directions / lengths
    return directions if abs(directions[0] @ directions[1]) <= _MAX_SKEW else None


def _orientation(header: Header, frame: int) -> tuple[Orientation | None, bool]:
    """Return the letters at the left, right, top and bottom edge, and whether the slices are oblique."""
    cosines = _cosines(header, frame)
    if cosines is not None:
        nearest = np.abs(cosines)
        row, column = max(
            itertools.permutations(range(3), 2), key=lambda pair: nearest[0, pair[0]] + nearest[1, pair[1]]
        )
        edges = (*_edges(row, cosines[0, row]), *_edges(column, cosines[1, column]))
        return edges, min(nearest[0, row], nearest[1, column]) < _STRAIGHT
    named = header.value("PatientOrientation")
    if isinstance(named, MultiValue) and len(named) == 2 and all(str(each)[:1] in _OPPOSITE for each in named):
        right, bottom = (_OPPOSITE[_OPPOSITE[str(each)[0]]] for each in named)
        if right not in {bottom, _OPPOSITE[bottom]}:
            return (_OPPOSITE[right], right, _OPPOSITE[bottom], bottom), any(len(each) > 1 for each in named)
    is_declared = any(header.numbers("ImageOrientationPatient", frame, "PlaneOrientationSequence"))
    what = (
        "The direction cosines in the file are not valid" if is_declared else "The file has no orientation information"
    )
    header.add_note(f"{what}; {UNKNOWN}")
    return None, False


def _edges(axis: int, direction: float) -> tuple[str, str]:
    """Return the letters at the start and end of a line along this axis; DICOM's x, y, z grow to L, P, S."""
    negative, positive = _AXES[axis]
    return (negative, positive) if direction > 0 else (positive, negative)
