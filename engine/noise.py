"""Noise as pure functions of images, level and random generator; `KINDS` lists the kinds.

Images are float32 in [0, 1], (n, height, width, 1), and so is the result: values outside [0, 1] are clipped. The level
is one number, or one for each image, in units of the data range, 1: 25 of 255 levels are 25 / 255. At level 0 every
kind returns the images unchanged. Equal generators give equal noise.

Means and variances below hold before clipping. Clipping raises dark pixels and lowers bright ones: Gaussian noise on
black has the mean level / sqrt(2 pi) and keeps half of its power.
"""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Images
from engine.errors import ConfigError

Kind = Callable[[Images, ArrayLike, np.random.Generator], Images]
PHOTONS_MOST = 1e12  # a larger count does not change a float32


def gaussian(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Add N(0, level^2) to every pixel, then clip.

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> round(float(gaussian(gray, 0.1, rng).std()), 2)
        0.1
    """
    return _clipped(images + _per_image(level) * _normal(images, rng))


def rician(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Take the magnitude of the image plus complex Gaussian noise: |x + level (n1 + i n2)|, then clip.

    This is the noise of a magnitude MR image from one receiver coil. Its second moment is x^2 + 2 level^2; without
    signal it is Rayleigh noise with mean level sqrt(pi / 2). Gudbjartsson, Patz: The Rician distribution of noisy MRI
    data. Magnetic Resonance in Medicine 34 (1995).

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> round(float((rician(gray, 0.1, rng) ** 2).mean()), 2)  # 0.5 ** 2 + 2 * 0.1 ** 2
        0.27
    """
    spread = _per_image(level)
    real, imaginary = images + spread * _normal(images, rng), spread * _normal(images, rng)
    return _clipped(np.where(spread > 0.0, np.hypot(real, imaginary), images))


def speckle(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Multiply every pixel by N(1, level^2), then clip: noise that grows with the signal, as in ultrasound.

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> round(float(speckle(gray, 0.1, rng).std()), 2)
        0.05
    """
    return _clipped(images * (1.0 + _per_image(level) * _normal(images, rng)))


def poisson(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Count photons, with mean 1 / level^2 at white, then clip: the variance is x level^2.

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> round(float(poisson(gray, 0.1, rng).var()), 3)
        0.005
    """
    photons = np.minimum(1.0 / np.maximum(_per_image(level).astype(np.float64), 1e-12) ** 2, PHOTONS_MOST)
    counted = rng.poisson(np.clip(images, 0.0, 1.0) * photons) / photons
    return _clipped(np.where(photons < PHOTONS_MOST, counted, images))


def salt_and_pepper(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Replace a share `level` of the pixels, half of them with white and half with black.

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> noisy = salt_and_pepper(gray, 0.2, rng)
        >>> round(float((noisy == 1).mean()), 1), round(float((noisy == 0).mean()), 1)
        (0.1, 0.1)
    """
    drawn, share = rng.random(images.shape, np.float32), _per_image(level)
    return _clipped(np.where(drawn < share / 2, 1.0, np.where(drawn < share, 0.0, images)))


def ghosting(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Add two ghosts of the image, as breathing or pulse cause along the phase encoding, then clip.

    Periodic motion modulates the phase of every line of k-space. For small motions this adds two faint copies of the
    image, shifted equally far up and down, with opposite phase: |x + level / sqrt(2) (e^(i a) x_up +
    e^(-i a) x_down)|. The shift, an eighth to a half of the height, and the phase a are drawn for each image; the
    shift wraps around. The second moment is x^2 + level^2 (x_up^2 + x_down^2) / 2, in the mean
    over a; on a uniform image the ghosts have the power level^2 x^2. Wood, Henkelman: MR image artifacts from periodic
    motion, Medical Physics 12 (1985).

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> ghosting(gray, 0.1, rng).shape
        (1, 64, 64, 1)
    """
    height = images.shape[1]
    shifts = rng.integers(max(1, height // 8), max(1, height // 2) + 1, size=len(images))
    turns = np.exp(1j * rng.uniform(0.0, 2 * np.pi, size=len(images)))
    ghosts = [
        turn * np.roll(image, -shift, axis=0) + turn.conjugate() * np.roll(image, shift, axis=0)
        for image, shift, turn in zip(images, shifts, turns, strict=True)
    ]
    spread = _per_image(level)
    made = np.abs(images + spread / np.sqrt(2.0) * np.reshape(ghosts, images.shape))
    return _clipped(np.where(spread > 0.0, made, images))


def rings(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Add N(0, level^2) that is constant along each ring, one pixel wide, around the middle, then clip.

    A miscalibrated detector causes them in computed tomography, an unstable receiver in spiral k-space acquisition.
    Over many draws a pixel has the mean and variance of Gaussian noise; within one image they lie on rings.

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> noisy = rings(gray, 0.1, rng)[0, ..., 0]
        >>> bool(np.allclose(noisy, noisy[::-1]) and np.allclose(noisy, noisy.T))
        True
    """
    count, height, width = images.shape[:3]
    down, across = np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2
    ring = np.hypot(down[:, np.newaxis], across).round().astype(np.int64)
    heights = rng.standard_normal((count, int(ring.max()) + 1), np.float32)
    return _clipped(images + _per_image(level) * heights[:, ring][..., np.newaxis])


def gaussian_or_rician(images: Images, level: ArrayLike, rng: np.random.Generator) -> Images:
    """Add Gaussian noise to some images and Rician noise to the others, each with probability 1/2.

    Example:
        >>> rng, gray = np.random.default_rng(0), np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> gaussian_or_rician(gray, 0.0, rng).std()
        np.float32(0.0)
    """
    is_rician = rng.random(len(images)) < 0.5
    return np.where(_per_image(is_rician) > 0, rician(images, level, rng), gaussian(images, level, rng))


KINDS: MappingProxyType[str, Kind] = MappingProxyType(
    {
        "gaussian": gaussian,
        "rician": rician,
        "speckle": speckle,
        "poisson": poisson,
        "salt-and-pepper": salt_and_pepper,
        "ghosting": ghosting,
        "rings": rings,
    }
)

# Kinds that a model can be trained on; a mixture is no noise of a single image.
TRAINING_KINDS: MappingProxyType[str, Kind] = MappingProxyType({**KINDS, "gaussian-or-rician": gaussian_or_rician})

SCALABLE_KINDS = frozenset(KINDS) - {
    "poisson",
    "salt-and-pepper",
}  # a seed draws the same pattern at every level, only stronger


def add_noise(images: Images, kind: str, level: ArrayLike, seed: int) -> Images:
    """Add noise of a kind to images, the same for the same seed.

    Args:
        images: float32 (n, height, width, 1) in [0, 1].
        kind: one of `KINDS`.
        level: one number, or one for each image, in units of the data range.
        seed: 0 or above.

    Returns:
        As `images`.

    Raises:
        ConfigError: the kind is unknown.

    Example:
        >>> images = np.full((1, 64, 64, 1), 0.5, np.float32)
        >>> noisy = add_noise(images, "gaussian", 0.1, seed=0)
        >>> noisy.shape, round(float(np.std(noisy - images)), 2)
        ((1, 64, 64, 1), 0.1)
    """
    if kind not in KINDS:
        raise ConfigError(f"There is no noise type '{kind}'.", f"Choose one of {', '.join(KINDS)}.")
    return KINDS[kind](images, level, np.random.default_rng(seed))


def _per_image(level: ArrayLike) -> NDArray[np.float32]:
    """Return one level, or one for each image, in a shape that broadcasts over images."""
    return np.asarray(level, np.float32).reshape(-1, 1, 1, 1)


def _normal(images: Images, rng: np.random.Generator) -> Images:
    return rng.standard_normal(images.shape, np.float32)


def _clipped(images: NDArray[np.floating]) -> Images:
    return np.clip(images, 0.0, 1.0).astype(np.float32, copy=False)
