"""The results of the Denoise panel: denoised images, errors at all noise levels, and warnings. Pure data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import metrics
from engine.config import NoiseConfig
from engine.denoising.break_even import break_even
from engine.denoising.noisy_image import (
    NO_REFERENCE,
    WHITE,
    NoiseShape,
    ResidualReport,
    estimate_noise,
    report_residual,
)
from engine.lesions import Retention
from engine.messages import ApplyFilterReply, DenoiseDraftReply, DenoiseReply, NoiseLevelErrors
from gui.formatting import format_fixed
from gui.panels.denoise.case import Noise

ORIGINAL, NOISY = "original", "noisy"
NONE, WORKING = "—", "…"
Picture = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DenoisedImage:
    """An image (height, width), the noise-free and the noisy one at its size, and its metrics.

    The SSIM of a draft is not known yet; `exact` says whether the full reply will have the same image. `residual` is
    what a method removed from an image that is noisy already, of which there is neither PSNR nor SSIM.
    """

    key: str
    title: str
    original: Picture
    noisy: Picture
    image: Picture
    psnr_db: float | None
    ssim: float | None = None
    exact: bool = True
    residual: ResidualReport | None = None
    noise_shape: NoiseShape = WHITE

    @property
    def difference(self) -> Picture:
        """Return the image minus the noise-free reference; without one, the noisy image minus this one."""
        return self.original - self.image if self.residual else self.image - self.original

    @property
    def difference_title(self) -> str:
        return f"removed by {self.title}" if self.residual else f"{self.title} − original"

    @property
    def short_difference_title(self) -> str:
        """Return the title of the difference below or beside the image that it belongs to."""
        return "Removed" if self.residual else "Difference"

    @property
    def noisy_db(self) -> float | None:
        """Return the PSNR of the noisy input. Returns None if no noise was added."""
        return ratio_db(self.original, self.noisy)

    @property
    def caption(self) -> str:
        """Return both metrics as a short text, with a mark for a draft."""
        if self.residual is not None:
            return f"SD {format_fixed(self.residual.sd, 3)} removed · {self.residual.verdict.replace('-', ' ')}"
        known = f"{decibels(self.psnr_db)} dB"
        return f"{known} · {similarity(self.ssim)}" if self.exact else f"preview · {known}"


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """Mean squared errors at each noise level: of the noisy input, and of each run with its own noisy input."""

    sigmas: Sequence[float]
    noisy_mse: Sequence[float]
    runs: Mapping[str, NoiseLevelErrors]

    def break_even(self, run: str) -> float | None:
        """Return the break-even noise level of a run on this image; None if no level has one."""
        found = self.runs[run]
        return break_even(self.sigmas, found.noisy_mse, found.mse)


def make_noisy_images(reply: DenoiseReply, titles: Mapping[str, str]) -> dict[str, DenoisedImage]:
    """Return an image that is noisy already, and the result of each run with what it removed."""
    image, shape = reply.original, NoiseShape(*reply.noise_shape)
    made = {ORIGINAL: DenoisedImage(ORIGINAL, "Image (noisy)", image, image, image, None, noise_shape=shape)}
    for run, title in titles.items():
        found = reply.runs[run]
        made[run] = without_reference(run, title, found.original, found.denoised, NoiseShape(*found.noise_shape))
    return made


def without_reference(key: str, title: str, image: Picture, result: Picture, shape: NoiseShape) -> DenoisedImage:
    """Return the result of a method for an image that is noisy already, with what it removed."""
    residual = report_residual(image, result, shape)
    return DenoisedImage(key, title, image, image, result, None, residual=residual, noise_shape=shape)


def make_images(reply: DenoiseReply, titles: Mapping[str, str]) -> dict[str, DenoisedImage]:
    """Return the original, the noisy image and the image of each run; `titles` are those of the runs."""
    original, noisy = reply.original, reply.noisy
    made = {
        ORIGINAL: DenoisedImage(ORIGINAL, "Original", original, noisy, original, None, 1.0),
        NOISY: DenoisedImage(NOISY, "Noisy input", original, noisy, noisy, reply.psnr_db, reply.ssim),
    }
    for run, title in titles.items():
        found = reply.runs[run]
        made[run] = DenoisedImage(run, title, found.original, found.noisy, found.denoised, found.psnr_db, found.ssim)
    return made


def make_drafts(
    reply: DenoiseDraftReply, before: Mapping[str, DenoisedImage], noise: Noise
) -> dict[str, DenoisedImage]:
    """Return drafts of those previous images that a draft changes."""
    made = {NOISY: noisy_one(before[ORIGINAL], noise)}
    for run, found in reply.runs.items():
        original, title = before[run].original, before[run].title
        noisy, psnr = noise.apply_to(original), ratio_db(original, found.denoised)
        made[run] = DenoisedImage(run, title, original, noisy, found.denoised, psnr, exact=found.exact)
    return made


def noisy_one(original: DenoisedImage, noise: Noise) -> DenoisedImage:
    """Draw the noisy image, the same that the explorer draws."""
    clean, noisy = original.image, noise.apply_to(original.image)
    return DenoisedImage(NOISY, "Noisy input", clean, noisy, noisy, ratio_db(clean, noisy))


def make_filtered(reply: ApplyFilterReply, title: str, noisy: DenoisedImage) -> DenoisedImage:
    """Return the image of a classical filter."""
    return DenoisedImage(reply.method, title, noisy.original, noisy.image, reply.denoised, reply.psnr_db, reply.ssim)


def ratio_db(original: Picture, image: Picture) -> float | None:
    """Return the PSNR of an image against the noise-free reference; None if they are equal."""
    psnr = float(metrics.psnr_db(original[None], image[None])[0])
    return psnr if psnr < float("inf") else None


def similarity(value: float | None) -> str:
    """Return an SSIM as text, an ellipsis while it is pending."""
    return WORKING if value is None else format_fixed(value, 2)


def decibels(value: float | None) -> str:
    """Return a PSNR as text, a dash if there is none."""
    return NONE if value is None else format_fixed(value, 1)


def lesion_warnings(made: Sequence[DenoisedImage], kept: Mapping[str, Retention], share: float) -> list[str]:
    """Return a sentence for each image that retains less lesion contrast than a share, or an unknown amount."""
    sentences = [kept[each.key].warning(each.title, share) for each in made if each.key in kept]
    return list(dict.fromkeys(filter(None, sentences)))


def harm_warnings(made: Sequence[DenoisedImage], noise: Noise, curve: ErrorCurve | None) -> list[str]:
    """Return a sentence for each image with a lower PSNR than the noisy input."""
    return [describe_harm(each, noise, curve) for each in made if is_harmful(each)]


def best_text(made: Sequence[DenoisedImage], noisy: DenoisedImage | None) -> str:
    """Return which of the shown methods has the highest PSNR; empty if none is better than the noisy input."""
    known = [each for each in made if each.psnr_db is not None]
    best = max(known, key=lambda each: each.psnr_db or 0.0, default=None)
    if best is None or noisy is None or is_harmful(best):
        return "No method here beats the noisy input." if known and noisy is not None and noisy.psnr_db else ""
    return f"Highest PSNR here: {best.title}, {decibels(best.psnr_db)} dB."


def describe_noisy(image: DenoisedImage, made: Sequence[DenoisedImage]) -> list[str]:
    """Return what can be said of a noisy image and its results without a noise-free reference, but for warnings."""
    estimate = estimate_noise(image.image, image.noise_shape).describe(image.image.shape[0])
    found = [each.residual for each in made]
    said = [
        report.describe(each.title)
        for each, report in zip(made, found, strict=True)
        if report is not None and report.verdict != "structure"
    ]
    return [estimate, *said, NO_REFERENCE]


def noisy_warnings(made: Sequence[DenoisedImage], trained_on: Mapping[str, NoiseConfig]) -> list[str]:
    """Return a warning for each run that was trained for other noise, and for each method that removes structure."""
    said = []
    for each in made:
        if each.key in trained_on:
            said.append(estimate_noise(each.original, each.noise_shape).warn_of_range(each.title, trained_on[each.key]))
        if each.residual is not None and each.residual.verdict == "structure":
            said.append(each.residual.describe(each.title))
    return list(filter(None, said))


def is_harmful(made: DenoisedImage) -> bool:
    """Return whether the PSNR is lower than that of the noisy input (no denoising)."""
    noisy_db = made.noisy_db
    return made.psnr_db is not None and (noisy_db is None or made.psnr_db < noisy_db)


def describe_harm(made: DenoisedImage, noise: Noise, curve: ErrorCurve | None) -> str:
    """Return how much lower the PSNR is than that of the noisy input, and below which noise level."""
    if made.noisy_db is None:
        return (
            f"No noise was added, so {made.title} can only degrade the image (PSNR {decibels(made.psnr_db)} dB). "
            "Use the original."
        )
    numbers = f"{decibels(made.psnr_db)} vs {decibels(made.noisy_db)} dB"
    what = f"At {noise.text}, {made.title} has a lower PSNR than the noisy input on this image: {numbers}."
    if curve is None or made.key not in curve.runs:
        return what
    limit = curve.break_even(made.key)
    if limit is None:
        return f"{what} It never beats the noisy input at the levels tested (up to {curve.sigmas[-1]:g})."
    if not limit:
        return what
    below = f"Below a noise level of {limit:.3f} it is worse than no denoising on this image."
    return f"{what} {below} Above it, check the lesion contrast too."


def help_text(title: str, run: str, curve: ErrorCurve) -> str:
    """Return a sentence with the break-even noise level of a run."""
    limit = curve.break_even(run)
    if limit is None:
        return f"{title}: lower PSNR than the noisy input at every level tested (up to {curve.sigmas[-1]:g})"
    if not limit:
        return (
            f"{title}: PSNR never below the noisy input at the levels tested (this image; says nothing about lesions)"
        )
    return f"★ {title}: break-even at noise level {limit:.3f}. Below it, the noisy input has the higher PSNR."
