"""Grid of a volume: how its displayed slices lie in the voxels of the file, and what black and white mean there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Levels = tuple[float, float]
_UNEVEN: Final = 0.1  # slices may lie this share of their distance away from an even stack
_MIN_VOLUME: Final = 1e-3  # of three axes of length 1; less means that they lie in one plane
TO_RAS: Final = np.diag([-1.0, -1.0, 1.0])  # DICOM's axes grow to the left, back and head


@dataclass(frozen=True)
class VolumeGrid:
    """Relation of the slices of a `Scan` to the voxels of its file.

    Args:
        axes: voxel axes that the slices, the rows and the columns run along.
        flipped: whether the slices, the rows and the columns run against their voxel axes.
        spacing_mm: size of a voxel along its three axes; 1 where it is unknown.
        affine: (4, 4), from voxels to millimeters in R, A, S; None if the file has no usable orientation.
        space: NIfTI code of the space of the affine; 1 is the scanner.
        levels: values of the file that are displayed black and white, for each slice, or one pair for all; empty if the
            display transform cannot be inverted.
        problem: why a volume cannot be written on this grid, as a sentence; empty if it can.
    """

    axes: tuple[int, int, int] = (2, 1, 0)
    flipped: tuple[bool, bool, bool] = (False, False, False)
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    affine: tuple[tuple[float, ...], ...] | None = None
    space: int = 1
    levels: tuple[Levels, ...] = ()
    problem: str = ""

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "VolumeGrid":
        """Return a grid from its fields, in which JSON made lists of tuples."""
        nested = {name: fields[name] and tuple(map(tuple, fields[name])) for name in ("affine", "levels")}
        plain = {name: tuple(fields[name]) for name in ("axes", "flipped", "spacing_mm")}
        return cls(**{**fields, **plain, **nested, "levels": nested["levels"] or ()})

    def to_voxels(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """Arrange displayed slices as the voxels of the file.

        Args:
            slices: (slices, height, width).

        Returns:
            (x, y, z).

        Examples:
            >>> VolumeGrid().to_voxels(np.zeros((3, 20, 10), np.float32)).shape
            (10, 20, 3)
        """
        against = tuple(axis for axis, is_flipped in enumerate(self.flipped) if is_flipped)
        return np.ascontiguousarray(np.transpose(np.flip(slices, against), np.argsort(self.axes)))

    def to_values(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values of the file that displayed intensities stand for.

        Args:
            slices: (slices, height, width), from 0 (black) to 1 (white).

        Returns:
            float32, same shape; the intensities themselves if the display transform cannot be inverted.

        Examples:
            >>> VolumeGrid(levels=((-100, 300),)).to_values(np.full((1, 1, 2), 0.5, np.float32))
            array([[[100., 100.]]], dtype=float32)
        """
        if not self.levels:
            return slices
        black, white = np.array(self.levels, dtype=np.float64).T[..., np.newaxis, np.newaxis]
        return (black + slices * (white - black)).astype(np.float32)


def stack_affine(
    cosines: NDArray[np.float64], spacing_mm: Sequence[float], positions: NDArray[np.float64], between_mm: float
) -> NDArray[np.float64] | None:
    """Return the affine of a stack of DICOM slices.

    Args:
        cosines: (2, 3), unit vectors along rows and along columns, in L, P, S.
        spacing_mm: millimeters from row to row and from column to column.
        positions: (slices, 3), the middle of the first pixel of each slice, in L, P, S and in order.
        between_mm: thickness of the only slice; not used if there are several.

    Returns:
        (4, 4), from (column, row, slice) to millimeters in R, A, S; None if the slices are not an even stack.

    Examples:
        >>> stack_affine(np.eye(3)[:2], (2, 1), np.array([[5.0, 6, 7], [5, 6, 10]]), 1).tolist()
        [[-1.0, 0.0, 0.0, -5.0], [0.0, -2.0, 0.0, -6.0], [0.0, 0.0, 3.0, 7.0], [0.0, 0.0, 0.0, 1.0]]
    """
    count = len(positions)
    step = np.cross(*cosines) * between_mm if count == 1 else (positions[-1] - positions[0]) / (count - 1)
    length = float(np.linalg.norm(step))
    even = positions[0] + np.arange(count)[:, np.newaxis] * step
    if length <= 0 or np.linalg.norm(positions - even, axis=1).max() > _UNEVEN * length:
        return None
    axes = np.column_stack([cosines[0] * spacing_mm[1], cosines[1] * spacing_mm[0], step])
    if abs(np.linalg.det(axes / np.linalg.norm(axes, axis=0))) < _MIN_VOLUME:
        return None
    affine = np.eye(4)
    affine[:3, :3] = TO_RAS @ axes
    affine[:3, 3] = TO_RAS @ positions[0]
    return affine + 0.0  # without negative zeros


def to_rows(affine: NDArray[np.float64] | None) -> tuple[tuple[float, ...], ...] | None:
    """Return a matrix as tuples; None if there is none."""
    return None if affine is None else tuple(tuple(float(value) for value in row) for row in affine)
