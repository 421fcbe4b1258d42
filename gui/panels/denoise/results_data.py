"""What was made of a picture, and the errors at all levels; read from the explorer's answers. Pure data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import metrics
from engine.denoising.break_even import break_even
from gui.panels.denoise.case import Noise
from gui.widgets.labels import fixed

ORIGINAL, NOISY = "original", "noisy"
NONE, WORKING = "—", "…"
Picture = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DenoisedImage:
    """A picture (height, width), the clean and the noisy one at its size, and its numbers.

    Of a picture made in a hurry the similarity is not known yet; `exact` says whether the picture itself will stay.
    """

    key: str
    title: str
    original: Picture
    noisy: Picture
    image: Picture
    psnr_db: float | None
    ssim: float | None = None
    exact: bool = True

    @property
    def difference(self) -> Picture:
        """What it has more than the clean picture, and less where below zero."""
        return self.image - self.original

    @property
    def noisy_db(self) -> float | None:
        """The peak signal-to-noise ratio of doing nothing; None where nothing was done to the picture."""
        return ratio_db(self.original, self.noisy)

    @property
    def caption(self) -> str:
        """Both numbers in few letters; whether it is a draft."""
        known = f"{decibels(self.psnr_db)} dB"
        return f"{known} · {similarity(self.ssim)}" if self.exact else f"preview · {known}"


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """Mean squared errors at each level: of doing nothing, and of each run (with that of doing nothing at its size)."""

    sigmas: Sequence[float]
    noisy_mse: Sequence[float]
    runs: Mapping[str, Mapping[str, Sequence[float]]]

    def break_even(self, run: str) -> float | None:
        """The level under which a run does harm on this picture; None where it does no good at any."""
        found = self.runs[run]
        return break_even(self.sigmas, found["noisy_mse"], found["mse"])


def pictures_from(content: dict[str, Any], titles: Mapping[str, str]) -> dict[str, DenoisedImage]:
    """Read an answer to Denoise: the original, the noisy picture and each run's."""
    original, noisy = content["original"], content["noisy"]
    made = {
        ORIGINAL: DenoisedImage(ORIGINAL, "Original", original, noisy, original, None, 1.0),
        NOISY: DenoisedImage(NOISY, "Noisy input", original, noisy, noisy, content["psnr_db"], content["ssim"]),
    }
    for run, title in titles.items():
        found = content["runs"][run]
        own, given = found["original"], found["noisy"]
        made[run] = DenoisedImage(run, title, own, given, found["denoised"], found["psnr_db"], found["ssim"])
    return made


def drafts_from(content: dict[str, Any], before: Mapping[str, DenoisedImage], noise: Noise) -> dict[str, DenoisedImage]:
    """Read an answer to DenoiseDraft: what has changed of the pictures before."""
    made = {NOISY: noisy_one(before[ORIGINAL], noise)}
    for run, found in content["runs"].items():
        original, image = before[run].original, found["denoised"]
        psnr = ratio_db(original, image)
        made[run] = DenoisedImage(
            run, before[run].title, original, noise.apply_to(original), image, psnr, exact=found["exact"]
        )
    return made


def noisy_one(original: DenoisedImage, noise: Noise) -> DenoisedImage:
    """Draw the noisy picture, the same that the explorer draws."""
    clean, noisy = original.image, noise.apply_to(original.image)
    return DenoisedImage(NOISY, "Noisy input", clean, noisy, noisy, ratio_db(clean, noisy))


def filtered_from(content: dict[str, Any], title: str, noisy: DenoisedImage) -> DenoisedImage:
    """Read an answer to Filter."""
    image = content["denoised"]
    return DenoisedImage(
        content["method"], title, noisy.original, noisy.image, image, content["psnr_db"], content["ssim"]
    )


def curve_from(content: dict[str, Any]) -> ErrorCurve:
    """Read an answer to DenoiseCurve."""
    return ErrorCurve(content["sigmas"], content["noisy_mse"], content["runs"])


def ratio_db(original: Picture, image: Picture) -> float | None:
    """Peak signal-to-noise ratio of a picture against the clean one; None where they are equal."""
    psnr = float(metrics.psnr_db(original[None], image[None])[0])
    return psnr if psnr < float("inf") else None


def similarity(value: float | None) -> str:
    """Write a structural similarity, or that it is on its way."""
    return WORKING if value is None else fixed(value, 2)


def decibels(value: float | None) -> str:
    """Write a peak signal-to-noise ratio, a dash where there is none."""
    return NONE if value is None else fixed(value, 1)
