"""Random subject, and its healthy head, painted from the skin inwards."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.data.phantom.frame import EVERYWHERE, Canvas, Frame, Patch, Point
from engine.data.phantom.shapes import Contour, Indices, PhantomPlan, Points
from engine.data.phantom.stencil import Cut, Stencil
from engine.data.phantom.texture import Floats, sample_texture, smooth_field

_INSIDE_SKULL = frozenset({"fluid", "cerebellum", "white", "nuclei", "ventricle", "callosum"})


@dataclass(frozen=True)
class PhantomSubject:
    """Parameters that vary between heads."""

    tissue: dict[str, float]  # brightness of each tissue
    scalp_mm: float
    skull_mm: float
    gap_mm: float  # fluid between dura and cortex
    sulcus_mm: float  # half-width of the sulci
    gray_mm: float
    reach_mm: float  # extra depth of sulci
    ventricles: float  # size of the ventricles, 1 = mean
    contrast: float  # contrast agent left in the vessels, 0 to 1
    start: tuple[int, int]  # offset of its textures

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "PhantomSubject":
        """Draw a random subject: a T1-weighted scan after contrast, a head of any age."""
        x = rng.standard_normal(24).tolist()
        age = float(rng.beta(1.4, 2.2))  # 0 young, 1 atrophic
        return cls(
            tissue=_tissues(age, float(rng.beta(1.3, 2.0)), x),
            scalp_mm=float(np.clip(5.0 + 1.6 * x[11], 2.5, 10)),
            skull_mm=float(np.clip(6.0 + 1.1 * x[12], 4, 10)),
            gap_mm=0.8 + 2.6 * age,
            sulcus_mm=0.1 + 1.6 * age + 0.2 * x[13],
            gray_mm=3.2 + 0.3 * x[14] - 0.4 * age,
            reach_mm=3 * x[15],
            ventricles=math.exp(0.18 * x[16] + 0.5 * (age - 0.35)),
            contrast=float(rng.beta(2.5, 1.5)),
            start=(int(rng.integers(1024)), int(rng.integers(1024))),
        )


def _tissues(age: float, contrast: float, x: list[float]) -> dict[str, float]:
    """Return the brightness of every tissue from normal deviates `x`; `contrast` (0 to 1) brightens white matter."""
    gray = 0.27 * math.exp(0.08 * x[0])
    fat = 0.63 * math.exp(0.1 * x[1])
    tissue = {
        "air": 0.004,
        "bone": 0.045 + 0.012 * abs(x[2]),
        "fat": fat,
        "skin": 0.5 * fat,
        "muscle": 0.27 * math.exp(0.12 * x[3]),
        "marrow": 0.36 * math.exp(0.3 * x[4]),
        "mucosa": 0.48 * math.exp(0.2 * x[5]),
        "gray": gray,
        "white": gray * (1.05 + 0.32 * contrast),
        "fluid": gray * (0.32 + 0.05 * x[6]),
        "sulcus": gray * (0.7 + 0.08 * x[17] - 0.34 * age),
        "dura": gray * (1.45 + 0.2 * x[7]),
        "vessel": gray * (2.1 + 0.3 * x[8]),
        "eye": 0.11 + 0.02 * x[9],
        "cartilage": 0.16 + 0.03 * x[10],
    }
    return tissue | {
        "nuclei": 0.75 * gray + 0.25 * tissue["white"],
        "ventricle": tissue["fluid"],
        "callosum": 1.1 * tissue["white"],
        "stem": tissue["white"],
    }


@dataclass
class Head:
    """A head in progress, with the data that a lesion needs."""

    canvas: Canvas
    plan: PhantomPlan
    subject: PhantomSubject
    skull: Contour  # inner table
    row: Indices  # (h, w) bearing of every pixel from the plan's center, as a row of an outline's tables
    depth: Floats  # (h, w) mm inside the inner table, negative outside
    mottle: Floats  # (h, w) a texture of unit variance
    white: Floats  # (h, w) share of white matter, 0 to 1; zeros until the brain is painted


def paint_head(frame: Frame, plan: PhantomPlan, subject: PhantomSubject, rng: np.random.Generator) -> Head:
    """Paint a healthy head without noise.

    Args:
        frame: head coordinates of the image.
        plan: the slice of the mean head.
        subject: variation of this head.
        rng: the subject's random generator.
    """
    canvas = Canvas(frame, blur_mm=1.5)
    skull = Contour(_ring(plan.brain, plan.symmetric, rng), plan.centre)
    row, distance = skull.bearing(frame.u, frame.v)
    under_skin = _skin(plan, skull, subject, rng).depth(row, distance)
    mottle = sample_texture("tissue", frame.u * 2.6, frame.v * 2.6, subject.start)
    head = Head(canvas, plan, subject, skull, row, skull.depth(row, distance), mottle, np.zeros_like(mottle))
    face, fissures, inside = _stencil(plan).cut(frame, rng, subject.ventricles)
    _paint_soft_tissue(head, under_skin)
    _paint_shapes(head, face)
    _paint_scalp(head, under_skin)
    _paint_skull(head, rng)
    _paint_brain(head, fissures, rng)
    _paint_shapes(head, inside)
    return head


@lru_cache(maxsize=64)
def _stencil(plan: PhantomPlan) -> Stencil:
    """Return the plan's shapes as arrays: face, fissures, inside."""
    return Stencil((plan.face, plan.fissures, plan.inside))


def _ring(points: tuple[Point, ...], symmetric: bool, rng: np.random.Generator) -> Points:
    """Return a subject's outline: the plan's points with random offsets."""
    ring = np.array(points)
    if symmetric:
        other = ring[::-1] * (-1, 1)
        ring = np.concatenate([ring, other[np.abs(other[:, 0]) > 1e-6]])
    return ring + rng.normal(0, 1.0, ring.shape)


def _skin(plan: PhantomPlan, skull: Contour, subject: PhantomSubject, rng: np.random.Generator) -> Contour:
    """Return the outline of the skin: the plan's own, or the skull's plus a vault of uneven thickness."""
    if plan.head:
        return Contour(_ring(plan.head, plan.symmetric, rng), plan.centre)
    ring = np.array([skull.locate(k / 16, 0.0) for k in range(16)]) - plan.centre
    thickness = subject.scalp_mm + subject.skull_mm + 1 + rng.normal(0, 0.8, 16)
    scale = 1 + thickness / np.hypot(ring[:, 0], ring[:, 1])
    return Contour(ring * scale[:, None] + plan.centre, plan.centre)


def _paint_soft_tissue(head: Head, depth: Floats) -> None:
    """Paint muscle streaked with fat everywhere under the skin; symmetric where both sides are visible."""
    t, frame = head.subject.tissue, head.canvas.frame
    side = np.abs(frame.u) if head.plan.symmetric else frame.u
    inner = sample_texture("tissue", side * 2.6, frame.v * 1.7, head.subject.start)
    inner *= 0.6
    inner += 0.25
    np.maximum(inner, 0, out=inner)
    np.minimum(inner, 1, out=inner)
    inner *= 0.7 * t["fat"] - t["muscle"]
    inner += t["muscle"]
    head.canvas.paint(Patch(EVERYWHERE, depth), inner)


def _paint_shapes(head: Head, cuts: list[Cut]) -> None:
    """Paint shapes in order. Fluid and brain stay inside the skull; dura, vessels and bone may cross its edge."""
    for shape, patch in cuts:
        if shape.tissue in _INSIDE_SKULL:
            np.minimum(patch.depth, head.depth[patch.window], out=patch.depth)
        value = head.subject.tissue.get(shape.tissue)
        head.canvas.paint(
            patch, _tissue_texture(head, shape.tissue, patch) if value is None else value, shape.opacity, shape.soft
        )


def _tissue_texture(head: Head, tissue: str, patch: Patch) -> Floats:
    """Return the textured tissues: the cerebellum's folia, muscle with fat, the bone of the skull base."""
    t, start, frame = head.subject.tissue, head.subject.start, head.canvas.frame
    u, v = frame.u[patch.window], frame.v[patch.window]
    if tissue == "cerebellum":
        grain = sample_texture("folia", patch.depth * 0.9 + v * 1.5, u * 0.8, start)
        grain *= 0.05 * t["gray"]
        grain += 0.86 * t["gray"]
    elif tissue == "flesh":
        grain = sample_texture("tissue", np.abs(u) * 3.8, v * 1.5, start)
        grain *= np.where(grain > 0.6, 0.16 * t["fat"], 0.1 * t["muscle"])
        grain += t["muscle"]
    else:
        grain = head.mottle[patch.window] * (0.2 * t["fat"])
        grain += 0.2 * t["fat"]
    return np.maximum(grain, t["bone"], out=grain)


def _paint_scalp(head: Head, depth: Floats) -> None:
    """Paint the bright fat under the skin and the skin; clear everything outside."""
    t, canvas = head.subject.tissue, head.canvas
    canvas.image *= 0.9 + 0.12 * head.mottle[::-1]
    fat = head.mottle * (0.07 * t["fat"])
    fat += t["fat"]
    thin = head.mottle * 0.7
    thin += head.subject.scalp_mm
    thin -= depth
    canvas.paint(Patch(EVERYWHERE, thin), fat, soft=1.8)
    canvas.paint(Patch(EVERYWHERE, 1.0 - depth), t["skin"])
    canvas.image *= canvas.cover(depth)


def _paint_skull(head: Head, rng: np.random.Generator) -> None:
    """Paint dark tables and the marrow between them, of uneven thickness and brightness."""
    t, canvas = head.subject.tissue, head.canvas
    half, marrow = smooth_field(canvas.frame.size, rng.normal(0, 0.25, (2, 6, 6)))
    half *= 0.3
    half += 1
    half *= head.subject.skull_mm / 2
    middle = head.depth + half
    np.abs(middle, out=middle)
    canvas.paint(Patch(EVERYWHERE, half - middle), t["bone"])
    marrow += 0.25
    marrow *= t["marrow"]
    np.maximum(marrow, t["bone"], out=marrow)
    half *= 0.45
    canvas.paint(Patch(EVERYWHERE, half - middle), marrow, soft=2.0)


def _paint_brain(head: Head, fissures: list[Cut], rng: np.random.Generator) -> None:
    """Paint fluid, cortex and white matter by the distance to the folded surface, and vessels in the sulci."""
    t, subject, canvas = head.subject.tissue, head.subject, head.canvas
    sulci = _sulci(head, rng)
    pia = np.minimum(head.depth - subject.gap_mm, sulci)
    for _, (window, inner) in fissures:
        np.minimum(pia[window], -inner, out=pia[window])
    white = canvas.cover(pia - subject.gray_mm, 1.3)
    solid = canvas.cover(pia - subject.sulcus_mm, 1.5)
    brain = white * (t["white"] - t["gray"])
    brain += t["gray"] - t["sulcus"]
    brain *= solid
    brain += t["sulcus"]
    canvas.paint(Patch(EVERYWHERE, head.depth), brain)
    head.white = np.multiply(white, solid, out=white)
    _paint_vessels(head, sulci)


def _sulci(head: Head, rng: np.random.Generator) -> Floats:
    """Return the distance to the nearest sulcus in mm; sulci are bent, end at a depth, and close in places."""
    plan, subject, frame = head.plan, head.subject, head.canvas.frame
    bend = smooth_field(frame.size, rng.normal(0, 8, (3, 7, 7)) / (1 + np.arange(7))[:, None] ** 0.5)
    if plan.reach_mm:
        across, along = (head.skull.arc_length_share * 1024).take(head.row), head.depth * 1.6
    else:
        across, along = frame.u * 2.1, frame.v * 2.1
    across += bend[0]
    along += bend[1]
    line = sample_texture("labyrinth", across, along, subject.start)
    line *= 0.48
    if plan.reach_mm:
        bend[2] *= 0.5
        bend[2] += plan.reach_mm + subject.reach_mm
        line += 0.35 * np.maximum(head.depth - bend[2], 0)
    line += 1.4 * np.maximum(head.mottle - 0.3, 0)
    return line


def _paint_vessels(head: Head, sulci: Floats) -> None:
    """Paint the contrast agent: short stretches of vessels in the sulci, and the dura."""
    t, canvas, contrast = head.subject.tissue, head.canvas, head.subject.contrast
    bright = -1.5 - head.mottle
    vessel = np.minimum(bright, 0.7 - sulci)
    np.minimum(vessel, head.depth - 1, out=vessel)
    canvas.paint(Patch(EVERYWHERE, vessel), t["vessel"], opacity=contrast)
    bright += 1.6
    np.minimum(bright, 0.7 - np.abs(head.depth - 0.3), out=bright)
    canvas.paint(Patch(EVERYWHERE, bright), t["dura"], opacity=contrast)
