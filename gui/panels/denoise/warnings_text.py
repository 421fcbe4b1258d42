"""Warnings about a denoised image: what is wrong, how much, and what not to do."""

from collections.abc import Mapping, Sequence

from engine.lesions import Retention
from gui.panels.denoise.case import Noise
from gui.panels.denoise.results_data import DenoisedImage, ErrorCurve, decibels


def lesion_warnings(made: Sequence[DenoisedImage], kept: Mapping[str, Retention], share: float) -> list[str]:
    """Return a sentence for each image that retains less lesion contrast than a share, or an unknown amount."""
    sentences = [kept[each.key].warning(each.title, share) for each in made if each.key in kept]
    return list(dict.fromkeys(filter(None, sentences)))


def harm_warnings(made: Sequence[DenoisedImage], noise: Noise, curve: ErrorCurve | None) -> list[str]:
    """Return a sentence for each image with a lower PSNR than the noisy input."""
    return [describe_harm(each, noise, curve) for each in made if is_harmful(each)]


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
