"""Clean scans with more and more noise through a method: its errors, and what it leaves of lesions, at each level."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import lesions, metrics, noise
from engine.denoising import break_even
from engine.lesions import LesionRegion
from engine.lesions.regions import Mask
from engine.messages import ShouldStop, never_stop

Images = NDArray[np.float32]
Table = NDArray[np.float64]
Denoiser = Callable[[Images], Images]
LEAST_CONTRAST = 0.05
BATCH = 64


@dataclass(frozen=True, eq=False)
class SweepLesion:
    """A lesion on one of the scans.

    Args:
        scan: which.
        name: the scan's file.
        mask: bool (height, width).
        site: its place, with rim.
    """

    scan: int
    name: str
    mask: Mask
    site: LesionRegion


@dataclass(frozen=True, eq=False)
class SweepSpec:
    """What every method is put through.

    Args:
        images: (n, height, width, 1) float32 in [0, 1], the clean scans.
        sigmas: levels of the noise, rising from 0.
        kind: of the noise.
        seed: of the noise; the scan in place i has seed + i.
        lesions: on these scans, in the order of their scans.
    """

    images: Images
    sigmas: tuple[float, ...]
    kind: str = "gaussian"
    seed: int = 0
    lesions: Sequence[SweepLesion] = ()

    def noisy(self, sigma: float, which: slice = slice(None)) -> Images:
        """The scans with noise, always the same: (k, height, width, 1), cut to [0, 1]."""
        places = range(len(self.images))[which]
        drawn = [noise.add_noise(self.images[i : i + 1], self.kind, sigma, self.seed + i) for i in places]
        return np.concatenate(drawn) if drawn else self.images[which]

    @cached_property
    def contrasts(self) -> Table:
        """Contrast of each lesion on the clean scan, (lesions,)."""
        planes = self.images[..., 0]
        found = [each.site.contrasts(each.site.crop(planes[each.scan], planes[each.scan]))[0] for each in self.lesions]
        return np.array(found, np.float64)

    @property
    def measurable(self) -> NDArray[np.bool_]:
        """Which lesions have enough contrast for a mean of ratios, (lesions,)."""
        return np.asarray(np.abs(self.contrasts) >= LEAST_CONTRAST)


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What came of one method; a row for each level.

    Args:
        sigmas: the levels.
        mse: (levels, scans), against the clean scans.
        ssim: the same; empty where it was not asked for.
        retention: (levels, lesions), contrast after over contrast on the clean scan.
        pattern: the same, of the pattern.
    """

    sigmas: tuple[float, ...]
    mse: Table
    ssim: Table
    retention: Table
    pattern: Table

    @property
    def psnr_db(self) -> Table:
        """(levels, scans)."""
        return metrics.mse_to_psnr_db(self.mse)


@dataclass(frozen=True)
class SweepSummary:
    """Mean squared errors against the clean scans, for each level of the noise above 0.

    Args:
        count: how many scans.
        sigmas: standard deviations of the noise before it is cut to [0, 1].
        noisy_mse: error of the noisy scans themselves.
        output_mse: error of what the method makes of them.
        clean_mse: error of what the method makes of the clean scans.
    """

    count: int
    sigmas: Sequence[float]
    noisy_mse: Sequence[float]
    output_mse: Sequence[float]
    clean_mse: float

    @property
    def break_even(self) -> float | None:
        """The noise under which the method does harm; see `engine.denoising.break_even`."""
        levels = (0.0, *self.sigmas)
        return break_even.break_even(levels, (0.0, *self.noisy_mse), (self.clean_mse, *self.output_mse))

    @property
    def expected(self) -> float:
        """What it would be if the output did not change with the noise and nothing were cut: sqrt(clean_mse)."""
        return math.sqrt(self.clean_mse)

    def content(self) -> dict[str, Any]:
        """Everything as plain numbers."""
        return {**vars(self), "break_even": self.break_even, "expected": self.expected}


def run_sweep(
    denoise: Denoiser,
    conditions: SweepSpec,
    should_stop: ShouldStop = never_stop,
    progress: Callable[[int, int], None] | None = None,
    with_ssim: bool = True,
) -> SweepResult | None:
    """Put scans with each level of noise through a method.

    Args:
        denoise: (k, height, width, 1) -> the same.
        conditions: scans, levels, lesions.
        should_stop: asked between batches of scans.
        progress: told how many scans are done and how many there are, all levels together.
        with_ssim: whether to measure structural similarity, too.

    Returns:
        The curve; None when stopped.
    """
    count, levels = len(conditions.images), []
    for number, sigma in enumerate(conditions.sigmas):
        parts = []
        for first in range(0, count, BATCH):
            if should_stop():
                return None
            part = slice(first, min(first + BATCH, count))
            clean, made = conditions.images[part], denoise(conditions.noisy(sigma, part))
            similar = metrics.ssim(clean, made) if with_ssim else np.zeros(0)
            parts.append((metrics.mse(clean, made), similar, *_measure_retention(conditions, first, made)))
            if progress:
                progress(number * count + part.stop, len(conditions.sigmas) * count)
        levels.append([np.concatenate(column) for column in zip(*parts, strict=True)])
    mse, ssim, retention, pattern = (np.stack(column) for column in zip(*levels, strict=True))
    return SweepResult(conditions.sigmas, mse, ssim, retention, pattern)


def summarize(curve: SweepResult, noisy: SweepResult) -> SweepSummary:
    """The mean errors of a method beside those of doing nothing; both curves begin at level 0."""
    before, after = noisy.mse.mean(axis=1), curve.mse.mean(axis=1)
    return SweepSummary(curve.mse.shape[1], curve.sigmas[1:], before[1:].tolist(), after[1:].tolist(), float(after[0]))


def _measure_retention(conditions: SweepSpec, first: int, made: Images) -> tuple[Table, Table]:
    """Retention and pattern of the lesions on the scans from place `first` on, in the order of the lesions."""
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
