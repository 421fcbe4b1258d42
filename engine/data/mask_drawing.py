"""Regions of DICOM files and volumes of labels, drawn on the pixels of the slices that they belong to."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.data.dicom_masks import ImagePlanes, MaskFrames
from engine.data.volume_grid import TO_RAS

_TOLERANCE: Final = 0.25  # voxels that a pixel may lie away from the voxel of a mask on the same grid
_NEAR: Final = 0.5  # slices that a region may lie away from its slice


def belongs(found: MaskFrames, region: int, planes: ImagePlanes, at: int, is_named: bool) -> bool:
    """Return whether a region is drawn on a slice: on its image by name, else at its position in the same study.

    Args:
        found: the regions.
        region: index of the region.
        planes: the image.
        at: index of its slice.
        is_named: whether the file names the image.
    """
    if is_named and found.sources[region]:
        return any((planes.uid, frame) in found.sources[region] for frame in (planes.frames[at], 0))
    plane = planes.affines[at]
    same = (found.study, found.frame_of_reference) == (planes.study, planes.frame_of_reference)
    if not same or not found.frame_of_reference or np.isnan(plane).any():
        return False
    if found.contours:
        return bool(np.abs(_to_pixels(found.contours[region], plane)[2]).max() < _NEAR)
    affine = found.affines[region]
    across = np.linalg.inv(affine) @ plane @ _corners(planes.shape)
    return bool(np.abs(across[2]).max() < _NEAR)  # not for NaN


def place_region(found: MaskFrames, region: int, planes: ImagePlanes, at: int) -> NDArray[np.uint16]:
    """Return a region on the pixels of a slice: its label inside, 0 outside."""
    label, shape, plane = found.labels[region], planes.shape, planes.affines[at]
    placed = np.zeros(shape, np.uint16)
    if found.contours:
        if not np.isnan(plane).any():
            placed[_fill(shape, _to_pixels(found.contours[region], plane)[:2].T)] = label
        return placed
    pixels, affine = found.pixels[region] * np.uint16(label or 1), found.affines[region]
    if np.isnan(plane).any() or np.isnan(affine).any():
        return pixels if pixels.shape == shape else placed
    rows, columns = np.indices(shape)
    steps = np.linalg.inv(affine) @ plane
    x, y = (np.rint(step[0] * columns + step[1] * rows + step[3]).astype(np.int64) for step in steps[:2])
    inside = (x >= 0) & (x < pixels.shape[1]) & (y >= 0) & (y < pixels.shape[0])
    placed[inside] = pixels[y[inside], x[inside]]
    return placed


def cut_volume(
    labels: NDArray[np.float32], affine: NDArray[np.float64], planes: ImagePlanes, at: int
) -> NDArray[np.float32] | None:
    """Return the labels at the pixels of a slice, 0 outside; None if these do not lie on voxels."""
    if np.isnan(planes.affines[at]).any():
        return None
    steps = np.linalg.inv(affine) @ planes.affines[at]
    whole = np.rint(steps)
    off = np.abs((steps - whole) @ _corners(planes.shape))[:3].max()
    if off > _TOLERANCE or (np.abs(whole[:3, :2]).sum(axis=0) != 1).any():
        return None
    rows, columns = np.indices(planes.shape)
    index = [(whole[axis, 0] * columns + whole[axis, 1] * rows + whole[axis, 3]).astype(np.int64) for axis in range(3)]
    inside = np.logical_and.reduce(
        [(each >= 0) & (each < side) for each, side in zip(index, labels.shape, strict=True)]
    )
    cut = np.zeros(planes.shape, np.float32)
    cut[inside] = labels[tuple(each[inside] for each in index)]
    return cut


def _to_pixels(points: NDArray[np.float64], plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (n, 3) in L, P, S as columns (column, row, slice, 1) of a plane."""
    moved: NDArray[np.float64] = np.linalg.inv(plane) @ np.c_[points @ TO_RAS, np.ones(len(points))].T
    return moved


def _corners(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the corner pixels of a slice as columns (column, row, 0, 1)."""
    rows, columns = shape[0] - 1, shape[1] - 1
    return np.array([(x, y, 0, 1) for x in (0, columns) for y in (0, rows)], np.float64).T


def _fill(shape: tuple[int, int], points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the pixels whose centers, at whole numbers, lie inside a closed line of points (x, y).

    Examples:
        >>> int(_fill((9, 9), np.array([(1.5, 1.5), (4.5, 1.5), (4.5, 3.5), (1.5, 3.5)])).sum())
        6
    """
    inside, ends = np.zeros(shape, np.bool_), np.roll(points, -1, axis=0)
    first, last = np.clip((np.ceil(points[:, 1].min()), np.floor(points[:, 1].max()) + 1), 0, shape[0]).astype(int)
    for row in range(first, last):
        cut = (points[:, 1] <= row) != (ends[:, 1] <= row)
        start, end = points[cut], ends[cut]
        crossed = np.sort(start[:, 0] + (row - start[:, 1]) * (end[:, 0] - start[:, 0]) / (end[:, 1] - start[:, 1]))
        for left, right in zip(crossed[::2], crossed[1::2], strict=True):
            inside[row, max(0, int(np.ceil(left))) : max(0, int(np.floor(right)) + 1)] = True
    return inside
