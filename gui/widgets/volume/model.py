"""A volume as three planes: which slice, which way up, and where the crosshair lies. Pure data."""

from dataclasses import dataclass
from typing import Final, Literal, cast

import numpy as np
from PySide6.QtCore import QObject, Signal

from gui.pixmaps import Array, robust_range
from gui.widgets.view_state import Point

SAMPLE: Final = 400_000  # values that the histogram and the percentiles are taken from
PlaneName = Literal["axial", "coronal", "sagittal"]
Position = tuple[int, int, int]
Levels = tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """A plane: the axis across it, and those that run down and along its images."""

    name: PlaneName
    across: int
    down: int
    along: int


PLANES: Final = (Plane("axial", 0, 1, 2), Plane("coronal", 1, 0, 2), Plane("sagittal", 2, 0, 1))
_STORED: Final = {"axial": "As stored", "coronal": "Across rows", "sagittal": "Across columns"}


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels on three axes.

    Args:
        voxels: (slices, rows, columns), NaN where there is no value.
        axes: letters at the start and the end of each axis, such as "IS"; empty if they are unknown.
        voxel_mm: millimeters from voxel to voxel along each axis; None if they are unknown.
        units: unit of the values; empty if it is unknown.
    """

    voxels: Array
    axes: tuple[str, str, str] = ("", "", "")
    voxel_mm: tuple[float | None, float | None, float | None] = (None, None, None)
    units: str = ""

    @property
    def middle(self) -> Position:
        """Return the voxel in the middle."""
        return cast(Position, tuple(side // 2 for side in self.voxels.shape))

    def clamp(self, at: Position) -> Position:
        """Return the nearest voxel inside the volume."""
        sides = self.voxels.shape
        return cast(Position, tuple(min(max(int(place), 0), side - 1) for place, side in zip(at, sides, strict=True)))

    def slice(self, plane: Plane, index: int) -> Array:
        """Return one image, (down, along); the head is up where it is known, and nothing else is ever turned."""
        image = np.asarray(self.voxels.take(index, axis=plane.across))
        return image[::-1] if self.is_upward(plane) else image

    def letters(self, plane: Plane) -> str | None:
        """Return the letters at the left, right, top and bottom; None if they are unknown."""
        along, down = self.axes[plane.along], self.axes[plane.down]
        if not along or not down:
            return None
        return along + (down[::-1] if self.is_upward(plane) else down)

    def spacing(self, plane: Plane) -> tuple[float, float] | None:
        """Return the millimeters from row to row and from column to column of a plane; None if they are unknown."""
        down, along = self.voxel_mm[plane.down], self.voxel_mm[plane.along]
        return (down, along) if down and along else None

    def title(self, plane: Plane) -> str:
        """Return the name of a plane; a volume without an orientation has only stored ones."""
        return plane.name.capitalize() if all(self.axes) else _STORED[plane.name]

    def to_pixel(self, plane: Plane, at: Position) -> tuple[int, int]:
        """Return the pixel (x, y) of a plane that shows a voxel."""
        return at[plane.along], self._turn(plane, at[plane.down])

    def to_voxel(self, plane: Plane, pixel: tuple[int, int], at: Position) -> Position:
        """Return the voxel of a pixel in the slice through `at`."""
        found = list(at)
        found[plane.along], found[plane.down] = pixel[0], self._turn(plane, pixel[1])
        return self.clamp((found[0], found[1], found[2]))

    def sample(self) -> Array:
        """Return some of the finite values, evenly picked."""
        values = self.voxels.reshape(-1)[:: max(1, self.voxels.size // SAMPLE)]
        return np.asarray(values[np.isfinite(values)], dtype=np.float64)

    def is_upward(self, plane: Plane) -> bool:
        """Return whether the images of a plane are turned so that the head is up."""
        return self.axes[plane.down] == "IS"

    def _turn(self, plane: Plane, row: int) -> int:
        return self.voxels.shape[plane.down] - 1 - row if self.is_upward(plane) else row


class CrosshairModel(QObject):
    """The voxel that all planes show; `moved` is emitted when it changes."""

    moved = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.volume: Volume | None = None
        self.at: Position = (0, 0, 0)

    def set_volume(self, volume: Volume | None) -> None:
        """Show another volume at its middle, or at the same voxel if it has the same shape."""
        is_alike = volume and self.volume and volume.voxels.shape == self.volume.voxels.shape
        self.volume = volume
        if volume is not None and not is_alike:
            self.at = volume.middle
        self.moved.emit()

    def move_to(self, at: Position) -> None:
        """Move to a voxel, or the nearest one inside."""
        if self.volume is not None and (inside := self.volume.clamp(at)) != self.at:
            self.at = inside
            self.moved.emit()

    def step(self, plane: Plane, by: int) -> None:
        """Move some slices on."""
        self.show_slice(plane, self.at[plane.across] + by)

    def show_slice(self, plane: Plane, index: int) -> None:
        """Move to a slice of a plane."""
        at = list(self.at)
        at[plane.across] = index
        self.move_to((at[0], at[1], at[2]))


def find_presets(sample: Array, units: str, window: Levels | None, hounsfield: str) -> dict[str, Levels]:
    """Return the values that are black and white, by preset; those for tissues only for Hounsfield units.

    Args:
        sample: values of the volume.
        units: their unit.
        window: values that the file shows black and white; None if it names none.
        hounsfield: the unit that is Hounsfield's.
    """
    low, high = robust_range(sample)
    if high <= low:  # a few bright voxels, or one value
        low, high = (float(sample.min()), float(sample.max())) if sample.size else (0.0, 1.0)
    presets = {"file": window} if window else {}
    presets["auto"] = (low, high if high > low else low + 1)
    if units == hounsfield:
        presets |= {"brain": (0.0, 80.0), "bone": (-500.0, 1500.0)}
    return presets


def crop(at: Point, size: tuple[float, float]) -> Point:
    """Return the nearest point inside an image of a given width and height."""
    return min(max(at[0], 0.0), size[0]), min(max(at[1], 0.0), size[1])
