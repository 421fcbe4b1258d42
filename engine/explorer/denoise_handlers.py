"""Handlers of requests about noise: one noisy image denoised by runs and filters, and errors at many noise levels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from engine import metrics, noise
from engine.arrays import Image, Images
from engine.config import DataConfig
from engine.denoising import baselines
from engine.denoising.level_cache import NoiseLevelCache
from engine.denoising.noisy_image import WHITE, NoiseShape
from engine.evaluation import scoring
from engine.explorer.context import region_mask
from engine.job_context import JobContext
from engine.messages import (
    ApplyFilter,
    ApplyFilterReply,
    Denoise,
    DenoiseCurve,
    DenoiseCurveReply,
    DenoiseDraft,
    DenoiseDraftReply,
    DenoisedReply,
    DenoiseReply,
    DraftReply,
    ExportDenoised,
    ExportDenoisedReply,
    ImagesRequest,
    NoiseLevelErrors,
    NoisyRequest,
    Reply,
    Request,
)
from engine.protocols import ImageModel


class DenoiseContext(Protocol):
    """The parts of an explorer that the denoise handlers use."""

    def job_context(self, request: Request) -> JobContext:
        """Return the cancellation of a request."""
        ...

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[Images, list[str]]:
        """Return the images of a request at a side, and their names."""
        ...

    def noise_shape(self, request: ImagesRequest, side: int) -> NoiseShape:
        """Return what white noise is like in the image of a request, prepared at a side."""
        ...

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """Return a model or baseline by its name, and the side of its images in pixels."""
        ...


@dataclass(frozen=True, eq=False)
class NoisyPair:
    """An image and its noisy copy, (1, side, side, 1) each."""

    originals: Images
    noisy: Images

    @cached_property
    def arrays(self) -> dict[str, Image]:
        """Return both as (side, side) arrays: the same objects at each call, so that each is saved once."""
        return {"original": _first(self.originals), "noisy": _first(self.noisy)}


@dataclass(frozen=True, eq=False)
class FilterModel:
    """A filter in the form of a model."""

    predict_on_batch: baselines.Denoiser


class DenoiseHandlers:
    """The handlers of requests about one noisy image.

    Noise is drawn from the seed of the request alone, so that the app draws the same image.
    """

    def __init__(self, warm: DenoiseContext) -> None:
        self._warm = warm
        self._ladders: dict[str, NoiseLevelCache] = {}
        self._filters: dict[str, FilterModel] = {}
        self._drafts: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def answers(self) -> dict[type[Request], Callable[[Any], Reply]]:
        """Return the handler of each request."""
        return {
            Denoise: self.denoise,
            DenoiseDraft: self.draft,
            DenoiseCurve: self.curve,
            ApplyFilter: self.filter,
            ExportDenoised: self.export,
        }

    def denoise(self, request: Denoise | ExportDenoised) -> DenoiseReply:
        """Denoise one image with several runs.

        A run that works on images of another side is given the image, and its noise, at that side.
        """
        originals, names = self._warm.load_images(request)
        first = _make_pair(request, originals)
        pairs, runs = {originals.shape[1]: first}, {}
        for name in request.runs:
            model, side = self._warm.reconstructor(name, request.data)
            if side not in pairs:
                pairs[side] = _make_pair(request, self._warm.load_images(request, side)[0])
            pair = pairs[side]
            denoised = scoring.reconstruct(model, pair.noisy)
            found = image_metrics(pair.originals, denoised)
            shape = self._noise_shape(request, side)
            runs[name] = DenoisedReply(**pair.arrays, denoised=_first(denoised), noise_shape=shape, **found)
        found = image_metrics(first.originals, first.noisy)
        shape = self._noise_shape(request, originals.shape[1])
        return DenoiseReply(name=names[0], **first.arrays, **found, noise_shape=shape, runs=runs)

    def draft(self, request: DenoiseDraft) -> DenoiseDraftReply:
        """Estimate quickly the image that each run denoises.

        Between two noise levels of a curve that was computed, the images at both levels give the estimate at once.
        """
        runs = {}
        for name in request.runs:
            model, side = self._warm.reconstructor(name, request.data)
            originals = self._warm.load_images(request, side)[0]
            made, exact = self._ladder(name, model, originals, request).between(request.sigma), False
            if made is None:
                quick = self._fast_model(model)
                noisy = noise.add_noise(originals, *_level(request, request.sigma))
                made, exact = scoring.reconstruct(quick, noisy), quick is model
            runs[name] = DraftReply(denoised=_first(made), exact=exact)
        return DenoiseDraftReply(runs=runs)

    def curve(self, request: DenoiseCurve) -> DenoiseCurveReply:
        """Compute the mean squared errors of the noisy input and of each run and filter at each noise level.

        The errors known so far are cached for drafts, and for the next attempt of a request that was canceled.

        Raises:
            Cancelled: the request was canceled.
        """
        context = self._warm.job_context(request)
        for name in ("", *request.runs, *request.filters):
            model, side = self._find_model(name, request)
            originals = self._warm.load_images(request, side)[0]
            if model is not None and name in request.runs:
                # Compile the model now, not when the noise level moves again.
                scoring.reconstruct(self._fast_model(model), originals)
            ladder = self._ladders[name] = self._ladder(name, model, originals, request)
            for sigma in request.sigmas:
                if not ladder.has(sigma):
                    context.check()
                ladder.rung(sigma)
        self._ladders = {name: self._ladders[name] for name in ("", *request.runs, *request.filters)}
        return DenoiseCurveReply(
            sigmas=request.sigmas,
            noisy_mse=tuple(self._ladders[""].rung(sigma).noisy_mse for sigma in request.sigmas),
            runs={name: _errors(self._ladders[name], request.sigmas) for name in (*request.runs, *request.filters)},
        )

    def filter(self, request: ApplyFilter) -> ApplyFilterReply:
        """Denoise one image with a classical filter."""
        method = self._get_denoiser(request.method, request)
        originals, _ = self._warm.load_images(request)
        denoised = method(noise.add_noise(originals, *_level(request, request.sigma)))
        found = image_metrics(originals, denoised)
        return ApplyFilterReply(method=request.method, denoised=_first(denoised), **found)

    def _noise_shape(self, request: Denoise | ExportDenoised, side: int) -> tuple[float, float]:
        """Return the shape of the noise in an image to which none is added."""
        found = WHITE if request.sigma else self._warm.noise_shape(request, side)
        return found.correlation, found.detail

    def export(self, request: ExportDenoised) -> ExportDenoisedReply:
        """Write a figure of an image and its results.

        Raises:
            EngramError: the file cannot be written.
        """
        from engine.figures import base, denoising, image_strips, style

        found = self.denoise(request)
        shown = [("original", found.original, found.original)]
        shown += [] if request.residual else [("noisy", found.noisy, found.original)]
        shown += [(name, each.denoised, each.original) for name, each in found.runs.items()]
        for name in request.filters:
            made = self._get_denoiser(name, request)(found.noisy[np.newaxis, ..., np.newaxis])
            shown.append((name, _first(made), found.original))
        sign = -1 if request.residual else 1
        cells = [
            denoising.MethodCell(
                request.titles.get(name, name),
                image,
                request.notes.get(name, ""),
                None if name == "original" else sign * (image - original),
                None if request.region is None else region_mask(request.region, image.shape),
            )
            for name, image, original in shown
        ]
        scale, lower = ("image − result", "removed") if request.residual else ("result − original", "difference")
        words = image_strips.FigureText(request.heading, request.lines, scale)
        figure = style.to_light(denoising.sheet(cells, words, lower))
        return ExportDenoisedReply(path=str(base.save(figure, Path(request.path))))

    def _get_denoiser(self, name: str, request: ApplyFilter | DenoiseCurve | ExportDenoised) -> baselines.Denoiser:
        linear = None
        if name == baselines.PCA:
            linear, _ = self._warm.reconstructor(f"pca:{request.components}", request.data)
        return baselines.get_denoiser(name, linear)

    def _find_model(self, name: str, request: DenoiseCurve) -> tuple[ImageModel | None, int]:
        """Return a run's model or a filter in the form of one, None for no denoising, and the side of its images."""
        if name in request.runs:
            return self._warm.reconstructor(name, request.data)
        if not name:
            return None, request.data.size
        denoise = self._get_denoiser(name, request)
        kept = self._filters.get(name)
        if kept is None or kept.predict_on_batch != denoise:
            kept = self._filters[name] = FilterModel(denoise)
        return kept, request.data.size

    def _ladder(self, name: str, model: ImageModel | None, originals: Images, request: NoisyRequest) -> NoiseLevelCache:
        """Return the noise level cache of a run on this image and noise; a new one if the kept one is of others."""
        of = model, originals, request.noise, request.seed
        kept = self._ladders.get(name)
        return kept if kept is not None and kept.is_of(*of) else NoiseLevelCache(*of)

    def _fast_model(self, model: ImageModel) -> Any:
        """Return the fast variant of a model for drafts; the model itself if it has none, as a baseline has none."""
        if not hasattr(model, "fast_variant"):
            return model
        quick = self._drafts.get(model) or model.fast_variant()
        if quick is not model:
            self._drafts[model] = quick
        return quick


def image_metrics(originals: Images, images: Images) -> dict[str, Any]:
    """Return the metrics of the first image against its original; equal images have no PSNR (None)."""
    psnr = float(metrics.psnr_db(originals[:1], images[:1])[0])
    return {
        "mse": float(metrics.mse(originals[:1], images[:1])[0]),
        "psnr_db": psnr if np.isfinite(psnr) else None,
        "ssim": float(metrics.ssim(originals[:1], images[:1])[0]),
    }


def _make_pair(request: Denoise | ExportDenoised, originals: Images) -> NoisyPair:
    return NoisyPair(originals, noise.add_noise(originals, *_level(request, request.sigma)))


def _first(images: Images) -> Image:
    return images[0, ..., 0]


def _level(request: NoisyRequest, sigma: float) -> tuple[str, float, int]:
    return request.noise, sigma, request.seed


def _errors(ladder: NoiseLevelCache, sigmas: Sequence[float]) -> NoiseLevelErrors:
    """Return the mean squared errors at each level: of the denoised image, and of the noisy one."""
    rungs = [ladder.rung(sigma) for sigma in sigmas]
    return NoiseLevelErrors(mse=tuple(rung.mse for rung in rungs), noisy_mse=tuple(rung.noisy_mse for rung in rungs))
