"""Scanner simulation: receive bias, gain and Rician noise over a noise-free image."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.data.phantom.texture import Floats, smooth_field

LEVELS = 255  # gray levels above black, as in real 8-bit files: an 8-bit cache loses nothing


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
