"""Answers about noise: one image, the noisy one, and what each run makes of it; and the error at many noise levels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from engine import metrics, noise
from engine.config import DataConfig
from engine.denoising import baselines
from engine.denoising.level_cache import NoiseLevelCache
from engine.evaluation import scoring
from engine.messages import ApplyFilter, Denoise, DenoiseCurve, DenoiseDraft, ImagesRequest, NoisyRequest, Request

Images = NDArray[np.float32]


class DenoiseContext(Protocol):
    """What an explorer holds ready."""

    should_stop: Callable[[], bool]

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[Images, list[str]]:
        """The images of a request at a side, and their names."""
        ...

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """What makes pictures under a name, and the side of its images."""
        ...

    def save_array(self, array: NDArray[Any]) -> str:
        """Put an array into a file; its path."""
        ...


@dataclass(frozen=True, eq=False)
class NoisyPair:
    """An image and its noisy copy, (1, side, side, 1) each, and the files that hold them."""

    originals: Images
    noisy: Images
    files: dict[str, str]


class DenoiseHandlers:
    """Answers requests about one noisy image.

    Noise is drawn from the request's seed alone, so that whoever draws it again gets the same picture.
    """

    def __init__(self, warm: DenoiseContext) -> None:
        self._warm = warm
        self._ladders: dict[str, NoiseLevelCache] = {}
        self._drafts: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return {Denoise: self.denoise, DenoiseDraft: self.draft, DenoiseCurve: self.curve, ApplyFilter: self.filter}

    def denoise(self, request: Denoise) -> dict[str, Any]:
        """The picture, the noisy one and its numbers, and the same with what was made of it for each run.

        A run that works on images of another side is given the picture, and its noise, at that side.
        """
        originals, names = self._warm.load_images(request)
        pairs = {originals.shape[1]: self._pair(request, originals)}
        first = pairs[originals.shape[1]]
        answer: dict[str, Any] = {
            "name": names[0],
            **first.files,
            **image_metrics(first.originals, first.noisy),
            "runs": {},
        }
        for name in request.runs:
            model, side = self._warm.reconstructor(name, request.data)
            if side not in pairs:
                pairs[side] = self._pair(request, self._warm.load_images(request, side)[0])
            pair = pairs[side]
            denoised = scoring.reconstruct(model, pair.noisy)
            files = {**pair.files, "denoised": self._file(denoised)}
            answer["runs"][name] = files | image_metrics(pair.originals, denoised)
        return answer

    def draft(self, request: DenoiseDraft) -> dict[str, Any]:
        """The file of each run's picture, and whether it is the one that `denoise` answers with, or nearly that.

        Where a curve has been to the levels on both sides, their pictures tell about what lies between, at once.
        """
        answer: dict[str, Any] = {"runs": {}}
        for name in request.runs:
            model, side = self._warm.reconstructor(name, request.data)
            originals = self._warm.load_images(request, side)[0]
            made, exact = self._ladder(name, model, originals, request).between(request.sigma), False
            if made is None:
                quick = self._fast_model(model)
                noisy = noise.add_noise(originals, *_level(request, request.sigma))
                made, exact = scoring.reconstruct(quick, noisy), quick is model
            answer["runs"][name] = {"denoised": self._file(made), "exact": exact}
        return answer

    def curve(self, request: DenoiseCurve) -> dict[str, Any] | None:
        """The mean squared errors of doing nothing and of each run at each level; None when it has to give way.

        What is known by then is kept for when the request has its turn again, and for drafts.
        """
        for name in ("", *request.runs):
            model, side = self._warm.reconstructor(name, request.data) if name else (None, request.data.size)
            originals = self._warm.load_images(request, side)[0]
            if model is not None:
                scoring.reconstruct(
                    self._fast_model(model), originals
                )  # compiles it now, not when the level moves again
            ladder = self._ladders[name] = self._ladder(name, model, originals, request)
            for sigma in request.sigmas:
                if not ladder.has(sigma) and self._warm.should_stop():
                    return None
                ladder.rung(sigma)
        self._ladders = {name: self._ladders[name] for name in ("", *request.runs)}
        return {
            "sigmas": list(request.sigmas),
            "noisy_mse": [self._ladders[""].rung(sigma).noisy_mse for sigma in request.sigmas],
            "runs": {name: _errors(self._ladders[name], request.sigmas) for name in request.runs},
        }

    def filter(self, request: ApplyFilter) -> dict[str, Any]:
        """What a classical method makes of the noisy picture, and its numbers."""
        linear = None
        if request.method == baselines.PCA:
            linear, _ = self._warm.reconstructor(f"pca:{request.components}", request.data)
        method = baselines.get_denoiser(request.method, linear)
        originals, _ = self._warm.load_images(request)
        denoised = method(noise.add_noise(originals, *_level(request, request.sigma)))
        return {"method": request.method, "denoised": self._file(denoised), **image_metrics(originals, denoised)}

    def _ladder(self, name: str, model: Any, originals: Images, request: NoisyRequest) -> NoiseLevelCache:
        """The ladder of a run on this image and noise: the one kept for it, where it is still that of these."""
        of = model, originals, request.noise, request.seed
        kept = self._ladders.get(name)
        return kept if kept is not None and kept.is_of(*of) else NoiseLevelCache(*of)

    def _fast_model(self, model: Any) -> Any:
        """What makes drafts in the place of a model; itself where it has no quicker way, as a yardstick has none."""
        if not hasattr(model, "fast_variant"):
            return model
        quick = self._drafts.get(model) or model.fast_variant()
        if quick is not model:
            self._drafts[model] = quick
        return quick

    def _pair(self, request: Denoise, originals: Images) -> "NoisyPair":
        noisy = noise.add_noise(originals, *_level(request, request.sigma))
        return NoisyPair(originals, noisy, {"original": self._file(originals), "noisy": self._file(noisy)})

    def _file(self, images: Images) -> str:
        return self._warm.save_array(images[0, ..., 0])


def image_metrics(originals: Images, images: Images) -> dict[str, float | None]:
    """Numbers of the first image against its original; the ratio of equal pictures has no number."""
    psnr = float(metrics.psnr_db(originals[:1], images[:1])[0])
    return {
        "mse": float(metrics.mse(originals[:1], images[:1])[0]),
        "psnr_db": psnr if np.isfinite(psnr) else None,
        "ssim": float(metrics.ssim(originals[:1], images[:1])[0]),
    }


def _level(request: NoisyRequest, sigma: float) -> tuple[str, float, int]:
    return request.noise, sigma, request.seed


def _errors(ladder: NoiseLevelCache, sigmas: Sequence[float]) -> dict[str, list[float]]:
    """Mean squared errors at each level, of what was made of the noisy image and of that itself."""
    rungs = [ladder.rung(sigma) for sigma in sigmas]
    return {"mse": [rung.mse for rung in rungs], "noisy_mse": [rung.noisy_mse for rung in rungs]}
