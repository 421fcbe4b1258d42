"""Random fields for cortical folds, tissue texture and bends: computed once, sampled for every slice."""

from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

SIDE = 1024  # pixels of a periodic texture; a power of two, so that wrapping is a bit mask
_WRAP = SIDE - 1


_KINDS = {"labyrinth": (1, 20.0, 4.5), "folia": (2, 64.0, 9.0), "tissue": (3, 0.0, 0.0)}


def _spectrum(rate: float, spread: float) -> NDArray[np.float64]:
    """Return the amplitude at every frequency: a ring at `rate` cycles per texture, or a power law if it is 0."""
    cycles = np.fft.fftfreq(SIDE, 1 / SIDE)
    k = np.hypot(cycles[None, :], cycles[:, None])
    if rate:
        return np.exp(-(((k - rate) / spread) ** 2))
    return np.where(k > 8, np.exp(-((k / 75) ** 2)) / np.maximum(k, 1) ** 1.5, 0.0)


def _line_distance(field: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return the distance in pixels to the zero lines of a one-wavelength field: phase over frequency."""
    wave = 2 * np.pi * rate / SIDE
    slope = np.hypot(np.roll(field, -1, 0) - np.roll(field, 1, 0), np.roll(field, -1, 1) - np.roll(field, 1, 1)) / 2
    return np.arctan2(np.abs(field) * wave, slope) / wave


@cache
def texture(kind: str) -> Floats:
    """Return a periodic random field, the same bits in every process.

    Args:
        kind: 'labyrinth': the distance, in pixels, to lines that meander 25 pixels apart, like sulci;
            'folia': the same, 8 pixels apart, like the folia of the cerebellum;
            'tissue': a power law over many sizes, zero mean and unit variance, like fat between muscles.

    Returns:
        (1024, 1024) float32, read-only.
    """
    seed, rate, spread = _KINDS[kind]
    white = np.random.Generator(np.random.Philox(seed)).standard_normal((SIDE, SIDE))
    field = np.fft.ifft2(np.fft.fft2(white) * _spectrum(rate, spread)).real
    field = _line_distance(field, rate) if rate else field / field.std()
    field = field.astype(np.float32)
    field.setflags(write=False)
    return field


def sample_texture(kind: str, across: Floats, along: Floats, start: tuple[int, int]) -> Floats:
    """Sample the texture at coordinates in its own pixels, from `start` and wrapped around (nearest pixel)."""
    place = along.astype(np.intp)
    place += start[1]
    place &= _WRAP
    place <<= 10
    column = across.astype(np.intp)
    column += start[0]
    column &= _WRAP
    place |= column
    field: Floats = texture(kind).ravel().take(place, mode="clip")
    return field


@lru_cache(maxsize=32)
def _waves(size: int, count: int) -> Floats:
    """Return the first `count` cosine waves over `size` pixels, (size, count)."""
    places = (np.arange(size, dtype=np.float64) + 0.5) / size
    return np.cos(np.pi * places[:, None] * np.arange(count)).astype(np.float32)


def smooth_field(size: int, amplitudes: NDArray[Any]) -> Floats:
    """Return a smooth field over the image: a sum of cosines.

    Args:
        size: pixels of a side.
        amplitudes: (..., k, k) amplitudes of the k x k lowest cosines, down and across.

    Returns:
        (..., size, size) float32 in the unit of the amplitudes.
    """
    waves = _waves(size, amplitudes.shape[-1])
    field: Floats = waves @ amplitudes.astype(np.float32) @ waves.T
    return field
