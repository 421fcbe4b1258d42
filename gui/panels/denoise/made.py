"""What was made of a picture, and the errors at all levels; read from the explorer's answers. Pure data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.measures.break_even import break_even
from gui.widgets.text import fixed

ORIGINAL, NOISY = "original", "noisy"
NONE = "—"
Picture = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Made:
    """A picture (height, width), the clean and the noisy one at its size, and its numbers."""

    key: str
    title: str
    original: Picture
    noisy: Picture
    image: Picture
    psnr_db: float | None
    ssim: float

    @property
    def difference(self) -> Picture:
        """What it has more than the clean picture, and less where below zero."""
        return self.image - self.original

    @property
    def noisy_db(self) -> float | None:
        """The peak signal-to-noise ratio of doing nothing; None where nothing was done to the picture."""
        error = float(np.mean(np.square(self.noisy.astype(np.float64) - self.original)))
        return float(-10 * np.log10(error)) if error > 0 else None

    @property
    def caption(self) -> str:
        """Both numbers in few letters."""
        return f"{decibels(self.psnr_db)} dB · {fixed(self.ssim, 2)}"


@dataclass(frozen=True, eq=False)
class Curve:
    """Mean squared errors at each level: of doing nothing, and of each run (with that of doing nothing at its size)."""

    sigmas: Sequence[float]
    noisy_mse: Sequence[float]
    runs: Mapping[str, Mapping[str, Sequence[float]]]

    def break_even(self, run: str) -> float | None:
        """The level under which a run does harm on this picture; None where it does no good at any."""
        found = self.runs[run]
        return break_even(self.sigmas, found["noisy_mse"], found["mse"])


def pictures_from(content: dict[str, Any], titles: Mapping[str, str]) -> dict[str, Made]:
    """Read an answer to Denoise: the original, the noisy picture and each run's. Raises OSError, ValueError."""
    original, noisy = _read(content["original"]), _read(content["noisy"])
    made = {
        ORIGINAL: Made(ORIGINAL, "Original", original, noisy, original, None, 1.0),
        NOISY: Made(NOISY, "Noisy", original, noisy, noisy, content["psnr_db"], content["ssim"]),
    }
    for run, title in titles.items():
        found = content["runs"][run]
        own, given = _read(found["original"]), _read(found["noisy"])
        made[run] = Made(run, title, own, given, _read(found["denoised"]), found["psnr_db"], found["ssim"])
    return made


def filtered_from(content: dict[str, Any], title: str, noisy: Made) -> Made:
    """Read an answer to Filter. Raises OSError, ValueError."""
    image = _read(content["denoised"])
    return Made(content["method"], title, noisy.original, noisy.image, image, content["psnr_db"], content["ssim"])


def curve_from(content: dict[str, Any]) -> Curve:
    """Read an answer to DenoiseCurve."""
    return Curve(content["sigmas"], content["noisy_mse"], content["runs"])


def decibels(value: float | None) -> str:
    """Write a peak signal-to-noise ratio, a dash where there is none."""
    return NONE if value is None else fixed(value, 1)


def _read(path: str) -> Picture:
    return np.load(path, allow_pickle=False)
