"""Phantoms: procedural brain slices with known lesions and healthy twins, a source that needs no download."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.data.phantom import axial, coronal, sagittal
from engine.data.phantom.frame import Frame, Pose
from engine.data.phantom.head import PhantomSubject, paint_head
from engine.data.phantom.lesions import add_lesion
from engine.data.phantom.shapes import PhantomPlan, Plane
from engine.data.phantom.texture import Floats, smooth_field
from engine.errors import ConfigError

__all__ = ["CLASSES", "PLANES", "Phantom", "find_label", "phantom", "phantoms"]

CLASSES = ("glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor")
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
LEVELS = 255  # gray levels above black, as in real 8-bit files: an 8-bit cache loses nothing
SMALLEST, LARGEST = 32, 512
_PLANS = {"axial": axial.PLANS, "coronal": coronal.PLANS, "sagittal": sagittal.PLANS}
_SHARES = {  # frequency of each plane, per class
    "glioma_tumor": (0.4, 0.3, 0.3),
    "meningioma_tumor": (0.4, 0.3, 0.3),
    "no_tumor": (0.46, 0.24, 0.3),
    "pituitary_tumor": (0.2, 0.4, 0.4),
}
_ANATOMY, _LESION, _SCANNER, _LABELS = range(4)  # independent streams of random numbers


@dataclass(frozen=True)
class Phantom:
    """One slice of a synthetic head.

    `image` and `healthy` are (h, w) float32 in [0, 1], in steps of 1/255: the same head, the same bias and noise, with
    and without the lesion. `mask` is (h, w) bool: the lesion with rim and core, without edema, empty without a tumor.
    `oedema` is (h, w) bool and may be empty.
    """

    image: NDArray[np.float32]
    healthy: NDArray[np.float32]
    mask: NDArray[np.bool_]
    oedema: NDArray[np.bool_]
    plane: Plane
    label: str
    seed: int
    index: int


def phantom(size: int, seed: int, index: int, label: str | None = None, plane: str | None = None) -> Phantom:
    """Generate one slice; the same arguments give the same bits, independent of earlier calls.

    The head does not depend on `size`: the same seed and index give the same head at any resolution.

    Args:
        size: pixels of a side, 32 to 512.
        seed: which collection, 0 or more.
        index: which slice of the collection, 0 or more.
        label: one of `CLASSES`; None assigns them evenly, in shuffled rounds of four.
        plane: one of `PLANES`; None draws one by its frequency for the class.

    Raises:
        ConfigError: size, seed or index is out of range, or label or plane is unknown.

    Example:
        >>> head = phantom(size=64, seed=0, index=0, label="glioma_tumor")
        >>> head.image.shape, head.image.dtype.name, bool(head.mask.any())
        ((64, 64), 'float32', True)
    """
    _check(size, seed, index)
    label = find_label(seed, index) if label is None else _require_known("class", label, CLASSES)
    rng = _rng_for(seed, index, _ANATOMY)
    drawn = str(rng.choice(PLANES, p=_SHARES[label]))
    plan = _plan(label, drawn if plane is None else _require_known("plane", plane, PLANES), rng)
    head = paint_head(_frame(size, plan, rng), plan, PhantomSubject.sample(rng), rng)
    scanner = Scanner.sample(size, _rng_for(seed, index, _SCANNER))
    healthy = scanner.scan(head.canvas.image)
    nothing = np.zeros(healthy.shape, bool)
    if label == "no_tumor":
        return Phantom(healthy.copy(), healthy, nothing, nothing.copy(), plan.plane, label, seed, index)
    lesion = add_lesion(head, label, _rng_for(seed, index, _LESION))
    return Phantom(scanner.scan(lesion.signal), healthy, lesion.mask, lesion.oedema, plan.plane, label, seed, index)


def find_label(seed: int, index: int) -> str:
    """Return the class of a slice: each round of four contains every class once, in shuffled order.

    Example:
        >>> sorted(find_label(0, index) for index in range(4)) == sorted(CLASSES)
        True
    """
    turn, place = divmod(index, len(CLASSES))
    return CLASSES[int(_rng_for(seed, turn, _LABELS).permutation(len(CLASSES))[place])]


def phantoms(size: int, seed: int, count: int) -> Iterator[Phantom]:
    """Generate the first `count` slices of a collection in order, with classes evenly distributed.

    Args:
        size: pixels of a side, 32 to 512.
        seed: which collection, 0 or more.
        count: how many.

    Raises:
        ConfigError: size or seed is out of range.

    Example:
        >>> [head.label == find_label(0, index) for index, head in enumerate(phantoms(32, seed=0, count=2))]
        [True, True]
    """
    _check(size, seed, 0)
    return (phantom(size, seed, index) for index in range(count))


def _rng_for(seed: int, index: int, stream: int) -> np.random.Generator:
    """Return the random generator of one purpose for one slice, independent of all others."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(index, stream))))


def _plan(label: str, plane: str, rng: np.random.Generator) -> PhantomPlan:
    """Draw a slice of the plane; for a pituitary tumor one through the sella."""
    plans = [p for p in _PLANS[plane] if p.sella is not None or label != "pituitary_tumor"]
    return plans[int(rng.random() * len(plans))]


def _frame(size: int, plan: PhantomPlan, rng: np.random.Generator) -> Frame:
    """Draw the pose: size, offset, tilt and bend relative to the plan; a sagittal head may face right."""
    x = rng.standard_normal(6).tolist()
    pose = Pose(
        field_mm=plan.field_mm * float(rng.uniform(0.86, 1.11)),
        middle=(plan.middle[0] + 4 * x[0], plan.middle[1] + 5 * x[1]),
        angle=0.05 * x[2] * (1.6 if plan.plane == "sagittal" else 1.0),
        stretch=(1 + 0.04 * x[3], 1 + 0.04 * x[4]),
        mirrored=bool(rng.random() < (0.15 if plan.plane == "sagittal" else 0.5)),
    )
    waves = np.arange(14)
    bend = rng.standard_normal((2, 14, 14)) * 2.0 / (1 + waves[:, None] + waves) ** 1.35
    return Frame(size, pose, bend.astype(np.float32))


def _check(size: int, seed: int, index: int) -> None:
    """Raise ConfigError for size, seed or index out of range."""
    if not SMALLEST <= size <= LARGEST:
        raise ConfigError(f"A phantom cannot be {size} pixels wide.", f"Choose a size from {SMALLEST} to {LARGEST}.")
    if seed < 0 or index < 0:
        raise ConfigError(f"A phantom has no seed {seed} and index {index}.", "Choose whole numbers from 0.")


def _require_known(kind: str, name: str, names: tuple[str, ...]) -> str:
    """Return the name, if it is one of `names`."""
    if name not in names:
        raise ConfigError(f"There are no phantoms of the {kind} '{name}'.", f"Choose one of {', '.join(names)}.")
    return name


@lru_cache(maxsize=1)
def _normal_table() -> Floats:
    """Return 65,536 quantiles of the normal distribution: indexing by 16 random bits is three times as fast."""
    deviate = np.linspace(-5, 5, 100_001)
    below = np.cumsum(np.exp(-(deviate**2) / 2))
    shares = (np.arange(1 << 16) + 0.5) / (1 << 16)
    return np.interp(shares, below / below[-1], deviate).astype(np.float32)


@dataclass(frozen=True)
class Scanner:
    """Acquisition conditions of one slice and its healthy twin."""

    bias: Floats  # (h, w) gain of every pixel
    real: Floats  # (h, w) noise of the receiver's two channels, in units of brightness
    imaginary: Floats

    @classmethod
    def sample(cls, size: int, rng: np.random.Generator) -> "Scanner":
        """Draw a random scanner: a bias of about 15% over the image, noise of about 0.008."""
        waves = np.arange(4)
        amplitudes = rng.normal(0, 1, (4, 4)) * 0.14 / (1 + waves[:, None] + waves)
        amplitudes[0, 0] = 0.16 * rng.standard_normal()
        sigma = 0.007 * float(np.exp(0.5 * rng.standard_normal()))
        noise = _normal_table().take(rng.integers(0, 1 << 16, (2, size, size), dtype=np.uint16))
        noise *= sigma
        bias = smooth_field(size, amplitudes)
        return cls(np.exp(bias, out=bias), noise[0], noise[1])

    def scan(self, signal: Floats) -> Floats:
        """Return the magnitude image in [0, 1], in steps of 1/255.

        The noise of a magnitude image is Rician (Gudbjartsson and Patz 1995): Gaussian in both channels.
        """
        image = signal * self.bias
        image += self.real
        image *= image
        image += self.imaginary * self.imaginary
        np.sqrt(image, out=image)
        image *= LEVELS
        np.rint(image, out=image)
        np.minimum(image, LEVELS, out=image)
        image /= LEVELS
        return image
