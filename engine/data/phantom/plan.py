"""Plan of a slice of the mean head, the data type of the tables of the three planes."""

from dataclasses import dataclass
from typing import Literal

from engine.data.phantom.frame import Point
from engine.data.phantom.shapes import Shape, Stroke

Plane = Literal["axial", "coronal", "sagittal"]


@dataclass(frozen=True)
class PhantomPlan:
    """One slice of the mean head, in millimeters, from which every subject deviates."""

    name: str
    plane: Plane
    middle: Point  # head coordinates of the middle of the image
    field_mm: float  # width of the image
    brain: tuple[Point, ...]  # inner table of the skull
    centre: Point  # a point from which both outlines are fully visible
    head: tuple[Point, ...] = ()  # skin; empty: the brain's outline and the thickness of the vault
    symmetric: bool = True  # the outlines give the half with u >= 0, front or top to back or bottom
    face: tuple[Shape, ...] = ()  # outside the brain, in the order of painting
    fissures: tuple[Stroke, ...] = ()  # folds of the brain's surface
    inside: tuple[Shape, ...] = ()  # in the brain, in the order of painting
    reach_mm: float = 20.0  # depth of sulci from the edge; 0: the slice grazes the cortex and has sulci everywhere
    sella: Point | None = None
    lesions: tuple[Point, Point] = ((-40, -40), (40, 40))  # corners of the region of gliomas
    dura: tuple[float, float] = (-0.46, 0.46)  # range of meningiomas, as shares of the skull's outline
