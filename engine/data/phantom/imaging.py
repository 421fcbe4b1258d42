"""The scanner: receive bias, gain and Rician noise over a noise-free picture."""

from dataclasses import dataclass

import numpy as np

from engine.data.phantom.texture import Floats, smooth_field

LEVELS = 255  # gray levels above black, as in the real set's files: a cache of 8 bits loses nothing


@dataclass(frozen=True)
class Scanner:
    """One scan's conditions, the same for a slice and its healthy twin."""

    bias: Floats  # (h, w) gain of every pixel
    real: Floats  # (h, w) noise of the receiver's two channels, in units of brightness
    imaginary: Floats

    @classmethod
    def drawn(cls, size: int, rng: np.random.Generator) -> "Scanner":
        """A random scanner: a bias of about 15 % over the picture, noise of about 0.008."""
        waves = np.arange(4)
        amplitudes = rng.normal(0, 1, (4, 4)) * 0.14 / (1 + waves[:, None] + waves)
        amplitudes[0, 0] = 0.16 * rng.standard_normal()
        sigma = 0.007 * float(np.exp(0.5 * rng.standard_normal()))
        noise = rng.standard_normal((2, size, size), dtype=np.float32)
        noise *= sigma
        bias = smooth_field(size, amplitudes)
        return cls(np.exp(bias, out=bias), noise[0], noise[1])

    def scan(self, signal: Floats) -> Floats:
        """The magnitude picture in [0, 1], in steps of 1/255.

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
