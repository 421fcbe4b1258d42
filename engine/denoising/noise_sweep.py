"""Noise sweep: a method's errors and retained lesion contrast on images with increasing noise."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import lesions, metrics, noise
from engine.arrays import Images, Mask
from engine.denoising import break_even
from engine.job_context import UNATTENDED, JobContext
from engine.lesions import LesionRegion

Table = NDArray[np.float64]
Denoiser = Callable[[Images], Images]
LEAST_CONTRAST = 0.05
BATCH = 64


@dataclass(frozen=True, eq=False)
class SweepLesion:
    """A lesion on one of the images.

    Args:
        scan: index of the image.
        name: file of the image.
        mask: bool (height, width).
        site: its region, with rim.
    """

    scan: int
    name: str
    mask: Mask
    site: LesionRegion


@dataclass(frozen=True, eq=False)
class SweepSpec:
    """Conditions that are the same for every method.

    Args:
        images: (n, height, width, 1) float32 in [0, 1], noise-free.
        sigmas: noise levels, rising from 0.
        kind: kind of the noise.
        seed: seed of the noise; image i has seed + i.
        lesions: lesions on these images, in the order of the images.
    """

    images: Images
    sigmas: tuple[float, ...]
    kind: str = "gaussian"
    seed: int = 0
    lesions: Sequence[SweepLesion] = ()

    def noisy(self, sigma: float, which: slice = slice(None)) -> Images:
        """Return the images with noise, always the same: (k, height, width, 1), clipped to [0, 1]."""
        places = range(len(self.images))[which]
        drawn = [noise.add_noise(self.images[i : i + 1], self.kind, sigma, self.seed + i) for i in places]
        return np.concatenate(drawn) if drawn else self.images[which]

    @cached_property
    def contrasts(self) -> Table:
        """Return the contrast of each lesion in the noise-free image, (lesions,)."""
        planes = self.images[..., 0]
        found = [each.site.contrasts(each.site.crop(planes[each.scan], planes[each.scan]))[0] for each in self.lesions]
        return np.array(found, np.float64)

    @property
    def measurable(self) -> NDArray[np.bool_]:
        """Return whether each lesion has enough contrast for a mean of ratios, (lesions,)."""
        return np.asarray(np.abs(self.contrasts) >= LEAST_CONTRAST)


@dataclass(frozen=True, eq=False)
class SweepResult:
    """Result of one method; a row for each level.

    Args:
        sigmas: the noise levels.
        mse: (levels, images), against the noise-free images.
        ssim: the same; empty if not requested.
        retention: (levels, lesions), contrast after over contrast in the noise-free image.
        pattern: the same, for the pattern.
    """

    sigmas: tuple[float, ...]
    mse: Table
    ssim: Table
    retention: Table
    pattern: Table

    @property
    def psnr_db(self) -> Table:
        """Return the PSNR in dB, (levels, images)."""
        return metrics.mse_to_psnr_db(self.mse)


@dataclass(frozen=True)
class SweepSummary:
    """Mean squared errors against the noise-free images, for each noise level above 0.

    Args:
        count: number of images.
        sigmas: standard deviations of the noise before clipping to [0, 1].
        noisy_mse: error of the noisy images themselves.
        output_mse: error of the method's outputs.
        clean_mse: error of the method's outputs for noise-free images.
    """

    count: int
    sigmas: Sequence[float]
    noisy_mse: Sequence[float]
    output_mse: Sequence[float]
    clean_mse: float

    @property
    def break_even(self) -> float | None:
        """Return the break-even noise level; see `engine.denoising.break_even`."""
        levels = (0.0, *self.sigmas)
        return break_even.break_even(levels, (0.0, *self.noisy_mse), (self.clean_mse, *self.output_mse))

    @property
    def expected(self) -> float:
        """Return the break-even level without clipping for an output that ignores the noise: sqrt(clean_mse)."""
        return math.sqrt(self.clean_mse)

    def content(self) -> dict[str, Any]:
        """Return everything as plain numbers."""
        return {**vars(self), "break_even": self.break_even, "expected": self.expected}


def run_sweep(
    denoise: Denoiser,
    conditions: SweepSpec,
    context: JobContext = UNATTENDED,
    with_ssim: bool = True,
) -> SweepResult:
    """Run a method on images at each noise level.

    Args:
        denoise: (k, height, width, 1) -> the same.
        conditions: images, levels, lesions.
        context: asked between batches whether to stop; receives the images done and in all, over all levels.
        with_ssim: whether to measure SSIM too.

    Raises:
        Cancelled: the caller asked to stop.
    """
    count, levels = len(conditions.images), []
    for number, sigma in enumerate(conditions.sigmas):
        parts = []
        for first in range(0, count, BATCH):
            context.check()
            part = slice(first, min(first + BATCH, count))
            clean, made = conditions.images[part], denoise(conditions.noisy(sigma, part))
            similar = metrics.ssim(clean, made) if with_ssim else np.zeros(0)
            parts.append((metrics.mse(clean, made), similar, *_measure_retention(conditions, first, made)))
            context.report(number * count + part.stop, len(conditions.sigmas) * count)
        levels.append([np.concatenate(column) for column in zip(*parts, strict=True)])
    mse, ssim, retention, pattern = (np.stack(column) for column in zip(*levels, strict=True))
    return SweepResult(conditions.sigmas, mse, ssim, retention, pattern)


def summarize(curve: SweepResult, noisy: SweepResult) -> SweepSummary:
    """Return the mean errors of a method and of no denoising; both curves begin at level 0."""
    before, after = noisy.mse.mean(axis=1), curve.mse.mean(axis=1)
    return SweepSummary(curve.mse.shape[1], curve.sigmas[1:], before[1:].tolist(), after[1:].tolist(), float(after[0]))


def _measure_retention(conditions: SweepSpec, first: int, made: Images) -> tuple[Table, Table]:
    """Measure retention and pattern of the lesions in the images from index `first` on, in the order of the lesions."""
    found = []
    for lesion in conditions.lesions:
        if 0 <= lesion.scan - first < len(made):
            cut = lesion.site.crop(conditions.images[lesion.scan, ..., 0], made[lesion.scan - first, ..., 0])
            before, after = lesion.site.contrasts(cut)
            found.append(
                (after / before if abs(before) >= lesions.LEAST_CONTRAST else math.nan, lesion.site.pattern(cut))
            )
    table = np.array(found, np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
