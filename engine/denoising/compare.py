"""Comparison of methods on one image with one noise: the images and metrics of each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import data, evaluation, lesions, metrics, noise
from engine.arrays import Mask
from engine.config import DenoiseConfig
from engine.data.named_slice import open_image
from engine.denoising import methods, noisy_image
from engine.denoising.methods import Method
from engine.denoising.noisy_image import NoiseEstimate, ResidualReport
from engine.formatting import format_fixed
from engine.job_context import UNATTENDED, JobContext
from engine.lesions import Retention
from engine.runs import Run

Picture = NDArray[np.float32]
ORIGINAL, NOISY = "original", methods.NOTHING


@dataclass(frozen=True)
class CompareRequest:
    """Request for a comparison.

    Args:
        run: run with the model.
        image: an image, a DICOM file or series, a NIfTI volume, or one slice of it as `open_image` takes it.
        settings: noise, sigma, seed, rim, least retention.
        index: slice of a volume; the middle one if None.
        region: lesion region in the form of `engine.lesions.parse_region`, in pixels of the preprocessed image; empty
            for none.
        against: baselines.
        volume: volume of a file of several, counted from 1; the default of `open_scan` if None.
        series: series of a folder, as in `open_scan`.
    """

    run: Run
    image: str
    settings: DenoiseConfig
    index: int | None = None
    region: str = ""
    against: Sequence[str] = ()
    volume: int | None = None
    series: str = ""


@dataclass(frozen=True, eq=False)
class MethodResult:
    """Result of one method.

    Args:
        method: the method; `methods.NOTHING` for the noisy image itself.
        picture: (size, size) float32 in [0, 1].
        psnr_db: PSNR against the noise-free image; infinite if the two are equal, NaN if it has one gray value only.
        ssim: SSIM against the noise-free image; NaN if it has one gray value only.
        kept: retained lesion contrast; None if no region was given.
        residual: what the method removed, of an image that is noisy already; None for others, and for no denoising.
    """

    method: Method
    picture: Picture
    psnr_db: float
    ssim: float
    kept: Retention | None
    residual: ResidualReport | None = None

    @property
    def note(self) -> str:
        """Return PSNR and lesion contrast retained as one line below the image."""
        decibels = "equal" if math.isinf(self.psnr_db) else f"{format_fixed(self.psnr_db, 1)} dB"
        if self.kept is None or not math.isfinite(self.kept.value):
            return decibels
        return f"{decibels} · contrast {100 * self.kept.value:.0f}%".replace("-", "−")

    def content(self, warning: str) -> dict[str, Any]:
        """Return the numbers without the image."""
        found: dict[str, Any] = {"title": self.method.title, "kind": self.method.kind}
        found |= {"psnr_db": self.psnr_db, "ssim": self.ssim, "warning": warning}
        if self.residual is not None:
            found["residual"] = vars(self.residual)
        if self.kept is not None:
            found["retention"], found["retention_interval"] = self.kept.value, list(self.kept.interval)
            found["pattern"], found["contrast"], found["reason"] = self.kept.pattern, self.kept.after, self.kept.reason
        return found


@dataclass(frozen=True, eq=False)
class CompareResult:
    """Result of a comparison.

    Args:
        scan: the opened file.
        index: index of the slice.
        original: (size, size) float32 in [0, 1], preprocessed for the run.
        mask: bool (size, size), the lesion; None if no region was given.
        made: name -> result, no denoising first, then the run, then the baselines.
        missing: baseline -> a sentence on its missing package.
        estimate: noise in an image that is noisy already; None if noise was added.
        range_warning: why the run was not trained for that noise; empty if it was.
    """

    scan: data.Scan
    index: int
    original: Picture
    mask: Mask | None
    made: Mapping[str, MethodResult]
    missing: Mapping[str, str]
    estimate: NoiseEstimate | None = None
    range_warning: str = ""

    def warning(self, name: str, least_retention: float) -> str:
        """Return the warning on a method: that it is worse than no denoising, or harms the lesion; empty otherwise."""
        mine, nothing = self.made[name], self.made[NOISY]
        said = []
        if name != NOISY and mine.psnr_db < nothing.psnr_db:
            given = "identical to the noise-free image" if math.isinf(nothing.psnr_db) else f"{nothing.psnr_db:.1f} dB"
            said.append(
                f"{mine.method.title} is worse than no denoising on this image (PSNR {mine.psnr_db:.1f} dB; noisy "
                f"input: {given})."
            )
        if mine.method.kind == "run":
            said += filter(None, [self.range_warning])
        if mine.residual is not None and mine.residual.verdict == "structure":
            said.append(mine.residual.describe(mine.method.title))
        if name != NOISY and mine.kept is not None and (harm := mine.kept.warning(mine.method.title, least_retention)):
            said.append(harm)
        return " ".join(said)


def compare_methods(order: CompareRequest, context: JobContext = UNATTENDED) -> CompareResult:
    """Add noise to an image, unless it is noisy already, and denoise it with a run and baselines.

    Raises:
        EngramError: image, run or region cannot be used.
        Cancelled: the caller asked to stop.
    """
    settings = order.settings
    settings_of_data = order.run.config.data
    scan, index = open_image(order.image, settings_of_data, order.index, order.volume, order.series)
    original = data.prepare(scan, settings_of_data, index)
    mask = lesions.parse_region(order.region, original.shape) if order.region else None
    linear = None
    if methods.wants_components(order.against):
        images = evaluation.load_dataset(order.run, context=context)
        linear = methods.components(images, [order.run], context)
    beside, missing = methods.from_filters(order.against, linear)
    chosen = methods.by_name([methods.identity_method(), methods.from_run(order.run), *beside])
    given, is_noisy = original[np.newaxis, ..., np.newaxis], settings.noise == "none"
    if not is_noisy:
        given = noise.add_noise(given, settings.noise, settings.sigma, settings.seed)
    made = {name: _apply(method, given, original, mask, settings.rim) for name, method in chosen.items()}
    if is_noisy:
        return _without_reference(CompareResult(scan, index, original, mask, made, missing), order.run)
    if scan.is_blank(index):
        made = {name: replace(each, psnr_db=math.nan, ssim=math.nan) for name, each in made.items()}
    return CompareResult(scan, index, original, mask, made, missing)


def _without_reference(found: CompareResult, run: Run) -> CompareResult:
    """Return the result for an image that is noisy already: what was removed in the place of errors."""
    shape = noisy_image.shape_of_scan(found.scan, run.config.data)
    estimate = noisy_image.estimate_noise(found.original, shape)
    made = {
        name: replace(
            each,
            psnr_db=math.nan,
            ssim=math.nan,
            residual=None if name == NOISY else noisy_image.report_residual(found.original, each.picture, shape),
        )
        for name, each in found.made.items()
    }
    return replace(
        found, made=made, estimate=estimate, range_warning=estimate.warn_of_range(run.name, run.config.noise)
    )


def _apply(method: Method, given: NDArray[np.float32], original: Picture, mask: Mask | None, rim: int) -> MethodResult:
    images = method.denoise(given)
    clean, picture = original[np.newaxis], images[..., 0]
    kept = None if mask is None else lesions.retention(original, picture[0], mask, rim)
    return MethodResult(
        method, picture[0], float(metrics.psnr_db(clean, picture)[0]), float(metrics.ssim(clean, picture)[0]), kept
    )
