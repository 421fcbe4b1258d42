"""Tumors painted into a healthy head: their appearance after contrast, and their mass effect."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.phantom.frame import Point, Window
from engine.data.phantom.head import Head
from engine.data.phantom.shapes import Contour, Points
from engine.data.phantom.texture import Floats, sample_texture

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PhantomLesion:
    """A noise-free image with a lesion, and the lesion's masks."""

    signal: Floats  # (h, w)
    mask: Mask  # (h, w) the lesion with rim and core, without edema
    oedema: Mask  # (h, w)


@dataclass(frozen=True)
class _LesionWindow:
    """Part of the image around a lesion."""

    head: Head
    window: Window
    u: Floats
    v: Floats
    image: Floats  # a view of the image, changed in place
    rng: np.random.Generator

    def mottle(self, scale: float) -> Floats:
        """Return a texture of unit variance with `scale` texture pixels per millimeter."""
        start = (int(self.rng.integers(1024)), int(self.rng.integers(1024)))
        return sample_texture("tissue", self.u * scale, self.v * scale, start)

    def cover(self, depth: Floats, soft: float = 1.0) -> Floats:
        """Return the share of each pixel inside a shape, 0 to 1."""
        return self.head.canvas.cover(depth, soft)

    def blend(self, share: Floats, value: float | Floats) -> None:
        """Blend in a brightness with the weight `share`."""
        np.add(self.image, share * (value - self.image), out=self.image)


def add_lesion(head: Head, label: str, rng: np.random.Generator) -> PhantomLesion:
    """Paint a lesion of a class into a copy of a healthy head.

    Args:
        head: the healthy head.
        label: one of the class names with a tumor.
        rng: the lesion's random generator.
    """
    signal = head.canvas.image.copy()
    place: Callable[[Head, np.random.Generator], tuple[Contour, Point, float]] = _PLACES[label]
    outline, centre, reach = place(head, rng)
    low, high = np.array([centre]) - reach, np.array([centre]) + reach
    window = head.canvas.frame.windows(low, high)[0]
    u, v = head.canvas.frame.u[window], head.canvas.frame.v[window]
    site = _LesionWindow(head, window, u, v, signal[window], rng)
    row, distance = outline.bearing(u, v)
    depth = outline.depth(row, distance)
    _apply_mass_effect(site, centre, distance, reach)
    share, swollen = _PAINTERS[label](site, depth)
    empty = np.zeros(signal.shape, bool)
    mask, oedema = empty, empty.copy()
    mask[window] = share >= min(0.5, float(share.max()))
    oedema[window] = (swollen >= 0.5) & ~mask[window]
    return PhantomLesion(signal, mask, oedema)


def _apply_mass_effect(site: _LesionWindow, centre: Point, distance: Floats, reach: float) -> None:
    """Push brain away from the lesion, most at its edge; skull, face and distant brain stay in place."""
    frame = site.head.canvas.frame
    near = 1 - (distance / reach) ** 2
    np.maximum(near, 0, out=near)
    far = np.clip(site.head.depth[site.window] / 14 - 0.15, 0, 1)
    shift = near * near * far * (0.17 * reach / np.maximum(distance, 1))
    np.minimum(shift, 0.5, out=shift)
    du, dv = (site.u - centre[0]) * shift, (site.v - centre[1]) * shift
    across, down = frame.to_pixels(du, dv)
    rows = np.arange(*site.window[0].indices(frame.size))[:, None] - down
    columns = np.arange(*site.window[1].indices(frame.size))[None, :] - across
    np.copyto(site.image, _sample(site.head.canvas.image, rows, columns), where=shift > 0)


def _sample(image: Floats, rows: Floats, columns: Floats) -> Floats:
    """Sample the image between its pixels, bilinear; coordinates outside take the nearest edge."""
    last = image.shape[0] - 1
    rows, columns = np.clip(rows, 0, last), np.clip(columns, 0, last)
    top, left = np.minimum(rows.astype(np.intp), last - 1), np.minimum(columns.astype(np.intp), last - 1)
    down, across = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    corner = top * image.shape[1] + left
    flat = image.ravel()
    above = flat.take(corner) * (1 - across) + flat.take(corner + 1) * across
    corner += image.shape[1]
    below = flat.take(corner) * (1 - across) + flat.take(corner + 1) * across
    sampled: Floats = above + down * (below - above)
    return sampled


def _blob(centre: Point, radii: Point, uneven: float, rng: np.random.Generator) -> Contour:
    """Return a closed outline near a tilted ellipse; `uneven` is the relative size of its lobes."""
    angles = np.arange(24) * (2 * np.pi / 24)
    lobes = np.arange(2, 6)
    phases = rng.uniform(0, 2 * np.pi, lobes.size)
    noise = (rng.normal(0, uneven, lobes.size) / (lobes - 1)) @ np.cos(lobes[:, None] * angles + phases[:, None])
    tilt = rng.uniform(0, np.pi)
    a, b = radii
    radius = a * b / np.hypot(b * np.cos(angles - tilt), a * np.sin(angles - tilt)) * np.exp(noise)
    ring: Points = np.column_stack([np.cos(angles), np.sin(angles)]) * radius[:, None] + centre
    return Contour(ring, centre)


def _place_glioma(head: Head, rng: np.random.Generator) -> tuple[Contour, Point, float]:
    """Place an irregular lesion in the cerebrum, under the cortex."""
    radius = float(np.clip(rng.lognormal(np.log(17), 0.3), 9, 31))
    candidates = rng.uniform(*head.plan.lesions, (64, 2)).astype(np.float32)
    depth = head.skull.depth(*head.skull.bearing(candidates[:, 0], candidates[:, 1]))
    fit = np.flatnonzero(depth > 0.75 * radius + 5)
    u, v = candidates[fit[0] if fit.size else int(depth.argmax())].tolist()
    shape = (radius * float(rng.uniform(1, 1.25)), radius * float(rng.uniform(0.75, 1)))
    return _blob((u, v), shape, 0.17, rng), (u, v), 2.0 * radius + 22


def _place_meningioma(head: Head, rng: np.random.Generator) -> tuple[Contour, Point, float]:
    """Place a smooth lesion on the inside of the skull, with a broad base on the dura."""
    radius = float(np.clip(rng.lognormal(np.log(17), 0.3), 9, 31))
    centre = head.skull.locate(float(rng.uniform(*head.plan.dura)), radius * float(rng.uniform(0.45, 0.8)))
    return _blob(centre, (radius * 1.08, radius * 0.95), 0.05, rng), centre, 1.8 * radius + 14


def _place_pituitary(head: Head, rng: np.random.Generator) -> tuple[Contour, Point, float]:
    """Place a lesion in the sella; in coronal and sagittal slices it may extend upward through a waist."""
    if head.plan.sella is None:
        raise ValueError(f"{head.plan.name} shows no sella")
    u, v = head.plan.sella[0] + rng.normal(0, 1.2), head.plan.sella[1] + rng.normal(0, 1.0)
    low = float(rng.uniform(6.5, 11.5))
    high = 0.0 if head.plan.plane == "axial" else float(rng.uniform(0, 17))
    angles = np.arange(16) * (2 * np.pi / 16)
    waist = 1 - 0.16 * min(high / 12, 1) * np.cos(2 * angles) ** 4 * (np.abs(np.cos(angles)) > 0.9)
    across, down = low * float(rng.uniform(1.0, 1.3)) * np.cos(angles) * waist, low * np.sin(angles)
    down[down < 0] *= 1 + high / low
    ring = np.column_stack([across, down]) * np.exp(rng.normal(0, 0.04, (16, 1))) + (u, v)
    return Contour(ring, (u, v - high / 3)), (u, v - high / 2), low + high + 14


def _paint_glioma(site: _LesionWindow, depth: Floats) -> tuple[Floats, Floats]:
    """Paint a dark necrotic core in a bright ragged ring, and edema that spreads through the white matter."""
    t, rng = site.head.subject.tissue, site.rng
    brain = site.cover(site.head.depth[site.window] - 2)
    rough, fine = site.mottle(1.7), site.mottle(3.2)
    depth = depth + 1.5 * rough
    swelling = float(rng.uniform(4, 22))
    swollen = site.cover(depth + swelling + 5 * rough, 4.5) * brain
    swollen *= 0.25 + 0.75 * site.head.white[site.window]
    site.blend(swollen, site.image * float(rng.uniform(0.66, 0.82)))
    whole = site.cover(depth) * brain
    ring_mm = float(rng.uniform(2.0, 4.5)) + 1.1 * fine
    core = site.cover(depth - ring_mm, 1.3) * brain
    bright = t["gray"] * float(rng.uniform(1.65, 2.4)) * (1 + 0.14 * fine)
    site.blend(whole * np.clip(0.9 + 0.25 * rough, 0.35, 1), bright)
    necrosis = t["fluid"] + float(rng.uniform(0.2, 0.75)) * (t["gray"] - t["fluid"])
    site.blend(core, necrosis * (1 + 0.12 * rough))
    return whole, swollen


def _paint_meningioma(site: _LesionWindow, depth: Floats) -> tuple[Floats, Floats]:
    """Paint a smooth bright body, a dark cleft towards the brain, and a dural tail to both sides."""
    t, rng = site.head.subject.tissue, site.rng
    inside = site.head.depth[site.window]
    brain = site.cover(inside)
    bright = t["gray"] * float(rng.uniform(1.6, 2.4))
    cleft = site.cover(depth + 1.6) * brain * 0.6
    site.blend(cleft * site.cover(inside - 3), t["fluid"])
    tail = np.minimum(depth + float(rng.uniform(6, 16)), 1.3 - np.abs(inside - 0.8))
    site.blend(site.cover(tail, 1.5) * brain, 0.85 * bright)
    whole = site.cover(depth) * brain
    site.blend(whole, bright * (1 + 0.05 * site.mottle(2.0)))
    return whole, np.zeros_like(whole)


def _paint_pituitary(site: _LesionWindow, depth: Floats) -> tuple[Floats, Floats]:
    """Paint a body brighter than brain, often with a brighter capsule, sometimes with a soft center."""
    t, rng = site.head.subject.tissue, site.rng
    bright = t["gray"] * float(rng.uniform(1.45, 2.1))
    whole = site.cover(depth)
    site.blend(whole, bright * (1 + 0.06 * site.mottle(2.4)))
    capsule = site.cover(1.0 - np.abs(depth - 1.0)) * whole
    site.blend(capsule * float(rng.uniform(0, 0.7)), 1.25 * bright)
    if rng.random() < 0.35:
        site.blend(site.cover(depth - float(rng.uniform(2.5, 5)), 2) * float(rng.uniform(0.3, 0.8)), 1.05 * t["gray"])
    return whole, np.zeros_like(whole)


_PLACES = {
    "glioma_tumor": _place_glioma,
    "meningioma_tumor": _place_meningioma,
    "pituitary_tumor": _place_pituitary,
}
_PAINTERS = {
    "glioma_tumor": _paint_glioma,
    "meningioma_tumor": _paint_meningioma,
    "pituitary_tumor": _paint_pituitary,
}
