"""What a slice of the mean head shows; the tables of the three planes are written in these words."""

from dataclasses import dataclass
from typing import Literal

from engine.data.phantom.frame import Point
from engine.data.phantom.shapes import Shape, Stroke

Plane = Literal["axial", "coronal", "sagittal"]


@dataclass(frozen=True)
class PhantomPlan:
    """One slice of the mean head, in millimetres: every subject differs from it."""

    name: str
    plane: Plane
    middle: Point  # what lies in the middle of the picture
    field_mm: float  # width of the picture
    brain: tuple[Point, ...]  # inner table of the skull
    centre: Point  # a place that sees all of both outlines
    head: tuple[Point, ...] = ()  # skin; empty: the brain's outline and the thickness of the vault
    symmetric: bool = True  # the outlines give the half with u >= 0, front or top to back or bottom
    face: tuple[Shape, ...] = ()  # outside the brain, in the order of painting
    fissures: tuple[Stroke, ...] = ()  # folds of the brain's surface
    inside: tuple[Shape, ...] = ()  # in the brain, in the order of painting
    reach_mm: float = 20.0  # how deep sulci run in from the edge; 0: the slice grazes the cortex, they run everywhere
    sella: Point | None = None
    lesions: tuple[Point, Point] = ((-40, -40), (40, 40))  # corners of where gliomas may lie
    dura: tuple[float, float] = (-0.46, 0.46)  # where meningiomas may sit, as shares of the way around the skull
