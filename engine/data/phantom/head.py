"""A healthy head: a plan of one slice, a subject who differs from the next, and the painting of both."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from engine.data.phantom.frame import Canvas, Frame, Patch, Point
from engine.data.phantom.shapes import Indices, Outline, Points, Shape, Stroke
from engine.data.phantom.stencil import Cut, Stencil
from engine.data.phantom.texture import Floats, look_up, smooth_field

EVERYWHERE = (slice(None), slice(None))


@dataclass(frozen=True)
class Plan:
    """One slice of the mean head, in millimetres: what `draw` varies for each subject."""

    name: str
    plane: Literal["axial", "coronal", "sagittal"]
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


@dataclass(frozen=True)
class Subject:
    """What makes one head differ from the next besides the jitter of its shapes."""

    tissue: dict[str, float]  # brightness of each tissue
    scalp_mm: float
    skull_mm: float
    gap_mm: float  # fluid between dura and cortex
    sulcus_mm: float  # half-width of the sulci
    gray_mm: float
    reach_mm: float  # how much deeper sulci reach than planned
    ventricles: float  # size of the ventricles, 1 = mean
    contrast: float  # how much of the contrast agent is left in the vessels, 0 to 1
    start: tuple[int, int]  # where its textures begin

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Subject":
        """A random subject: a T1 weighted scan after contrast, a head of any age."""
        x = rng.standard_normal(24).tolist()
        age = float(rng.beta(1.4, 2.2))  # 0 young, 1 atrophic
        gray = 0.27 * (math.exp(0.08 * x[0]))
        fat = 0.66 * (math.exp(0.14 * x[1]))
        tissue = {
            "air": 0.004,
            "bone": 0.045 + 0.012 * abs(x[2]),
            "fat": fat,
            "skin": 0.5 * fat,
            "muscle": 0.27 * (math.exp(0.12 * x[3])),
            "marrow": 0.36 * (math.exp(0.3 * x[4])),
            "mucosa": 0.48 * (math.exp(0.2 * x[5])),
            "gray": gray,
            "white": gray * (1.05 + 0.32 * float(rng.beta(1.3, 2.0))),
            "fluid": gray * (0.32 + 0.05 * x[6]),
            "sulcus": gray * (0.58 + 0.06 * x[16] - 0.22 * age),
            "dura": gray * (1.45 + 0.2 * x[7]),
            "vessel": gray * (2.1 + 0.3 * x[8]),
            "eye": 0.11 + 0.02 * x[9],
            "cartilage": 0.16 + 0.03 * x[10],
        }
        tissue |= {
            "nuclei": 0.75 * gray + 0.25 * tissue["white"],
            "ventricle": tissue["fluid"],
            "callosum": 1.1 * tissue["white"],
        }
        return cls(
            tissue=tissue,
            scalp_mm=float(np.clip(5.2 + 1.6 * x[11], 2.5, 10)),
            skull_mm=float(np.clip(6.5 + 1.2 * x[12], 4, 10)),
            gap_mm=0.8 + 2.6 * age,
            sulcus_mm=0.1 + 1.6 * age + 0.2 * x[13],
            gray_mm=3.2 + 0.3 * x[14] - 0.4 * age,
            reach_mm=3 * x[15],
            ventricles=(math.exp(0.18 * x[16] + 0.5 * (age - 0.35))),
            contrast=float(rng.beta(2.5, 1.5)),
            start=(int(rng.integers(1024)), int(rng.integers(1024))),
        )


@dataclass
class Head:
    """A painted head and what a lesion needs to know of it."""

    canvas: Canvas
    plan: Plan
    subject: Subject
    skull: Outline  # inner table
    depth: Floats  # mm inside the inner table, negative outside
    white: Floats  # share of white matter, 0 to 1


def mirrored(points: tuple[Point, ...]) -> Points:
    """The whole ring from its half with u >= 0."""
    half = np.array(points)
    other = half[::-1] * (-1, 1)
    return np.concatenate([half, other[np.abs(other[:, 0]) > 1e-6]])


def _ring(points: tuple[Point, ...], symmetric: bool, rng: np.random.Generator) -> Points:
    """A subject's outline: every point of the plan strays a little."""
    ring = mirrored(points) if symmetric else np.array(points)
    return ring + rng.normal(0, 1.0, ring.shape)


@lru_cache(maxsize=64)
def _stencil(plan: Plan) -> Stencil:
    """The plan's shapes as arrays: face, fissures, inside."""
    return Stencil((plan.face, plan.fissures, plan.inside))


def draw(frame: Frame, plan: Plan, subject: Subject, rng: np.random.Generator) -> Head:
    """Paint a healthy head without noise."""
    canvas = Canvas(frame, blur_mm=1.5)
    skull = Outline(_ring(plan.brain, plan.symmetric, rng), plan.centre)
    skin = _skin(plan, skull, subject, rng)
    row, distance = skull.bearing(frame.u, frame.v)
    depth = skull.depth(row, distance)
    face, fissures, inside = _stencil(plan).cut(frame, rng, subject.ventricles)
    under_skin = skin.depth(row, distance)
    _paint_soft_tissue(canvas, under_skin, plan.symmetric, subject)
    _paint_shapes(canvas, face, subject)
    _paint_scalp(canvas, under_skin, subject)
    _paint_vault(canvas, depth, subject, rng)
    sulci = _sulci(frame, plan, subject, _Surface(skull, row, depth), rng)
    pia = np.minimum(depth - subject.gap_mm, sulci)
    for _, (window, inner) in fissures:
        np.minimum(pia[window], -inner, out=pia[window])
    white = _paint_brain(canvas, subject, depth, pia)
    _paint_vessels(canvas, subject, depth, sulci)
    _paint_shapes(canvas, inside, subject)
    return Head(canvas, plan, subject, skull, depth, white)


def _skin(plan: Plan, skull: Outline, subject: Subject, rng: np.random.Generator) -> Outline:
    """The skin's outline: the plan's own, or the skull's and a vault of uneven thickness."""
    if plan.head:
        return Outline(_ring(plan.head, plan.symmetric, rng), plan.centre)
    ways = np.arange(16) / 16
    ring = np.array([skull.place(w, 0.0) for w in ways]) - plan.centre
    thickness = subject.scalp_mm + subject.skull_mm + 1 + rng.normal(0, 0.8, 16)
    scale = 1 + thickness / np.hypot(ring[:, 0], ring[:, 1])
    return Outline(ring * scale[:, None] + plan.centre, plan.centre)


def _paint_soft_tissue(canvas: Canvas, depth: Floats, symmetric: bool, subject: Subject) -> None:
    """Muscle streaked with fat, everywhere under the skin; the same left and right where both sides are seen."""
    t, frame = subject.tissue, canvas.frame
    side = np.abs(frame.u) if symmetric else frame.u
    inner = look_up("tissue", side * 2.6, frame.v * 1.7, subject.start)
    inner *= 0.6
    inner += 0.25
    np.clip(inner, 0, 1, out=inner)
    inner *= 0.7 * t["fat"] - t["muscle"]
    inner += t["muscle"]
    canvas.paint(Patch(EVERYWHERE, depth), inner)


def _paint_scalp(canvas: Canvas, depth: Floats, subject: Subject) -> None:
    """The bright fat under the skin, the skin, and nothing outside."""
    t, frame = subject.tissue, canvas.frame
    fat = look_up("tissue", frame.u * 2.6, frame.v * 2.6, subject.start)
    thin = fat * 0.7
    thin += subject.scalp_mm
    thin -= depth
    fat *= 0.07 * t["fat"]
    fat += t["fat"]
    canvas.image *= 0.9 + 0.12 * look_up("tissue", frame.v * 2.6, frame.u * 3.8, subject.start)
    canvas.paint(Patch(EVERYWHERE, thin), fat, soft=1.8)
    canvas.paint(Patch(EVERYWHERE, 1.0 - depth), t["skin"])
    canvas.image *= canvas.cover(depth)


def _paint_shapes(canvas: Canvas, cuts: list[Cut], subject: Subject) -> None:
    """Paint plain shapes in their order."""
    for shape, patch in cuts:
        value = subject.tissue.get(shape.tissue)
        canvas.paint(
            patch, _grain(canvas, shape.tissue, patch, subject) if value is None else value, shape.opacity, shape.soft
        )


def _grain(canvas: Canvas, tissue: str, patch: Patch, subject: Subject) -> Floats:
    """The tissues that are no flat gray: the cerebellum's leaves, muscle and its fat, the bone of the skull base."""
    t, start = subject.tissue, subject.start
    u, v = canvas.frame.u[patch.window], canvas.frame.v[patch.window]
    if tissue == "cerebellum":
        grain = look_up("folia", patch.depth * 0.9 + v * 1.5, u * 0.8, start)
        grain *= 0.05 * t["gray"]
        grain += 0.86 * t["gray"]
    elif tissue == "flesh":
        grain = look_up("tissue", np.abs(u) * 5, v * 1.3, start)
        grain -= 0.1
        grain *= np.where(grain > 0, 0.2 * t["fat"], 0.12 * t["muscle"])
        grain += t["muscle"]
    else:
        grain = look_up("tissue", u * 3.0, v * 3.0, start)
        grain *= 0.2 * t["fat"]
        grain += 0.2 * t["fat"]
    return np.maximum(grain, t["bone"], out=grain)


def _paint_vault(canvas: Canvas, depth: Floats, subject: Subject, rng: np.random.Generator) -> None:
    """The skull: dark tables and marrow between them in places."""
    t = subject.tissue
    uneven = smooth_field(canvas.frame.size, rng.normal(0, 0.25, (2, 6, 6)))
    half = uneven[0]
    half *= 0.3
    half += 1
    half *= subject.skull_mm / 2
    middle = depth + half
    np.abs(middle, out=middle)
    canvas.paint(Patch(EVERYWHERE, half - middle), t["bone"])
    marrow = uneven[1]
    marrow += 0.25
    marrow *= t["marrow"]
    np.maximum(marrow, t["bone"], out=marrow)
    half *= 0.45
    canvas.paint(Patch(EVERYWHERE, half - middle), marrow, soft=2.0)


@dataclass(frozen=True)
class _Surface:
    """The inside of the skull, for every pixel."""

    skull: Outline
    row: Indices
    depth: Floats


def _sulci(frame: Frame, plan: Plan, subject: Subject, surface: _Surface, rng: np.random.Generator) -> Floats:
    """Distance to the nearest sulcus in mm."""
    start = subject.start
    bend = smooth_field(frame.size, rng.normal(0, 5, (3, 7, 7)) / (1 + np.arange(7))[:, None] ** 0.5)
    if plan.reach_mm:
        across, along = (surface.skull.way * 1024).take(surface.row), surface.depth * 1.6
    else:
        across, along = frame.u * 2.1, frame.v * 2.1
    across += bend[0]
    along += bend[1]
    line = look_up("labyrinth", across, along, start)
    line *= 0.48
    if plan.reach_mm:
        bend[2] += plan.reach_mm + subject.reach_mm
        line += 0.35 * np.maximum(surface.depth - bend[2], 0)
    shut = look_up("tissue", frame.u * 1.2, frame.v * 1.2, start)
    shut -= 0.2
    np.maximum(shut, 0, out=shut)
    shut *= 1.5
    line += shut
    return line


def _paint_brain(canvas: Canvas, subject: Subject, depth: Floats, pia: Floats) -> Floats:
    """Fluid, cortex and white matter, by the distance to the brain's folded surface; returns the white share."""
    t = subject.tissue
    white = canvas.cover(pia - subject.gray_mm, 1.3)
    solid = canvas.cover(pia - subject.sulcus_mm, 1.5)
    brain = white * (t["white"] - t["gray"])
    brain += t["gray"] - t["sulcus"]
    brain *= solid
    brain += t["sulcus"]
    canvas.paint(Patch(EVERYWHERE, depth), brain)
    white *= solid
    return white


def _paint_vessels(canvas: Canvas, subject: Subject, depth: Floats, sulci: Floats) -> None:
    """The contrast agent: short stretches of vessels in the sulci and along the dura."""
    t, frame = subject.tissue, canvas.frame
    bright = look_up("tissue", frame.v * 3.1, frame.u * 3.1, subject.start)
    bright -= 1.5
    vessel = np.minimum(bright, 0.7 - sulci)
    np.minimum(vessel, depth - 1, out=vessel)
    canvas.paint(Patch(EVERYWHERE, vessel), t["vessel"], opacity=subject.contrast)
    bright += 1.6
    np.minimum(bright, 0.7 - np.abs(depth - 0.3), out=bright)
    canvas.paint(Patch(EVERYWHERE, bright), t["dura"], opacity=subject.contrast)
