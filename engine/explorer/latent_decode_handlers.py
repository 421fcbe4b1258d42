"""Handlers of the requests for images decoded from latent codes: interpolations, means, samples, posterior SD."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.explorer.context import ResumableJobs
from engine.explorer.latent_cache import Handler, LatentDataCache
from engine.latent import calibration, interpolation, reports
from engine.latent.latent_data import PIXEL, LatentData, flat
from engine.messages import (
    CalibrateSpread,
    CalibrateSpreadReply,
    DecodeMean,
    DecodeMeanReply,
    Interpolate,
    InterpolateReply,
    MixtureReport,
    PosteriorSpread,
    PosteriorSpreadReply,
    Request,
    SampleLatent,
    SampleLatentReply,
    SampleReport,
    TraverseDimension,
    TraverseDimensionReply,
)

NO_PRIOR = "An autoencoder has no prior over latent codes: sample from the mixture instead."
NO_POSTERIOR = "Only a VAE has a posterior distribution. Choose a VAE run."


class DecodeHandlers:
    """Handlers of the requests for images decoded from latent codes."""

    def __init__(self, cache: LatentDataCache) -> None:
        self._cache = cache

    def handlers(self) -> dict[type[Request], Handler]:
        """Return the handler of each kind of request."""
        return {
            Interpolate: self.interpolate,
            TraverseDimension: self.traverse_dimension,
            DecodeMean: self.decode_mean,
            SampleLatent: self.sample_latent,
        }

    def interpolate(self, request: Interpolate) -> InterpolateReply:
        """Return the decoded images between two images, and the cross-fade of their pixels."""
        latent = self._load(request)
        latents, images = latent.select([_check_place(latent, place) for place in (request.first, request.second)])
        path = interpolation.spherical if request.path == "spherical" else interpolation.linear
        points = path(latents[0], latents[1], request.steps)
        share = np.linspace(0, 1, request.steps, dtype=np.float32)
        return InterpolateReply(
            run=request.run,
            path=request.path,
            shares=share.tolist(),
            lengths=np.linalg.norm(points, axis=1).tolist(),
            images=latent.space.decode(points)[..., 0],
            faded=(1 - share)[:, None, None] * images[0, ..., 0] + share[:, None, None] * images[1, ..., 0],
        )

    def traverse_dimension(self, request: TraverseDimension) -> TraverseDimensionReply:
        """Return an image decoded at several values of one latent dimension, all others unchanged."""
        latent = self._load(request)
        if request.dimension >= latent.space.size:
            raise ConfigError(
                f"There is no latent dimension {request.dimension}.",
                f"Choose a dimension from 0 to {latent.space.size - 1}.",
            )
        query = self._cache.load_query(request, latent)
        code, dimension = latent.space.encode(query.image).means[0], request.dimension
        values = traversal_values(latent, dimension, request.steps, request.reach)
        images = latent.space.decode(interpolation.vary_dimension(code, dimension, values))
        own = latent.space.decode(code[None])
        return TraverseDimensionReply(
            run=request.run,
            name=query.name,
            dimension=dimension,
            values=values.tolist(),
            own=float(code[dimension]),
            images=images[..., 0],
            reconstruction=own[..., 0],
            change=np.abs(images - own).mean(axis=(1, 2, 3)).tolist(),
        )

    def decode_mean(self, request: DecodeMean) -> DecodeMeanReply:
        """Return the decoded mean latent code of some images, and their pixel-wise mean."""
        latent = self._load(request)
        latents, images = latent.select([_check_place(latent, place) for place in request.places])
        return DecodeMeanReply(
            run=request.run,
            count=len(latents),
            average=latent.space.decode(latents.mean(axis=0, keepdims=True))[..., 0],
            pixel_mean=images.mean(axis=0, keepdims=True)[..., 0],
        )

    def sample_latent(self, request: SampleLatent) -> SampleLatentReply:
        """Return generated images, and the nearest training image of each."""
        latent = self._load(request)
        latents, mixture = sample_latents(latent, request.source, request.count, request.seed)
        images = latent.space.decode(latents)
        near = reports.neighbors_report(latent, PIXEL, latent.nearest(PIXEL, flat(images), 1))
        samples = [SampleReport(**dict(each.nearest[0]), ratio=each.ratio, memorised=each.memorised) for each in near]
        return SampleLatentReply(
            run=request.run,
            source=request.source,
            seed=request.seed,
            images=images[..., 0],
            samples=tuple(samples),
            limit=near[0].limit,
            typical=near[0].typical,
            memorised=sum(each.memorised for each in near),
            mixture=mixture,
        )

    def _load(self, request: Any) -> LatentData:
        """Return the latent data of a request. Raises ConfigError if its model cannot decode a latent code."""
        latent = self._cache.load(request)
        latent.space.need_decoder()
        return latent


class PosteriorHandlers:
    """Handlers of the requests about the SD of decoded posterior samples."""

    def __init__(self, cache: LatentDataCache) -> None:
        self._cache = cache
        self._jobs = ResumableJobs(max_jobs=1)

    def handlers(self) -> dict[type[Request], Handler]:
        """Return the handler of each kind of request."""
        return {PosteriorSpread: self.posterior_spread, CalibrateSpread: self.calibrate}

    def posterior_spread(self, request: PosteriorSpread) -> PosteriorSpreadReply:
        """Return the mean and SD of one image's decoded samples, and the calibration of its own pixels."""
        latent = self._load(request)
        query = self._cache.load_query(request, latent)
        found = calibration.spread(latent.space, latent.space.encode(query.image), request.samples)
        counter, scale = calibration.CoverageCounter(), latent.read_intervals()
        counter.add(query.image, found)
        return PosteriorSpreadReply(
            run=request.run,
            name=query.name,
            original=query.image[0, ..., 0],
            mean=found.mean[0, ..., 0],
            spread=found.deviation[0, ..., 0],
            half_width=scale.half_width(found.deviation)[0, ..., 0] if scale else None,
            calibration=reports.calibration_report(counter),
        )

    def calibrate(self, request: CalibrateSpread) -> CalibrateSpreadReply:
        """Return the calibration over a split, and store the intervals; a request that was preempted is continued."""
        latent = self._load(request)
        rows = evenly_spaced(len(latent.images.splits[request.split]), request.count)
        key = *latent.key, request.model_copy(update={"number": 0, "panel": ""})
        split = latent.images.splits[request.split]
        predict = calibration.predict_posterior(latent.space, request.samples)
        found = self._jobs.run(key, lambda _: calibration.measure(predict, split, rows.tolist()), latent.context)
        if request.split == "validation":
            latent.write_intervals(found.scale)
        return CalibrateSpreadReply(
            run=request.run,
            split=request.split,
            scans=len(rows),
            samples=request.samples,
            calibrated=reports.calibration_report(found.calibrated, found.summary()),
            **dict(reports.calibration_report(found.plain)),
        )

    def _load(self, request: Any) -> LatentData:
        """Return the latent data of a request. Raises ConfigError if its model is not variational."""
        latent = self._cache.load(request)
        latent.space.need_posterior("posterior", NO_POSTERIOR)
        return latent


def traversal_values(latent: LatentData, dimension: int, steps: int, reach: float | None) -> NDArray[np.float64]:
    """Return the values of a latent traversal, (steps,); `reach` is explained in `TraverseDimension`."""
    found = latent.dimensions()
    low, high = found.low[dimension], found.high[dimension]
    if reach is not None:
        middle, spread = found.mean[dimension], found.spread[dimension]
        low, high = middle - reach * spread, middle + reach * spread
    return np.linspace(low, high, steps)


def sample_latents(
    latent: LatentData, source: str, count: int, seed: int
) -> tuple[NDArray[np.float32], MixtureReport | None]:
    """Draw latent codes (count, k) from the prior or from the mixture; return a report on the mixture with them.

    Raises:
        ConfigError: the model has no prior.
        DataError: there are too few training images for a mixture.
    """
    if source == "prior":
        latent.space.need_posterior("prior", NO_PRIOR)
        return np.random.default_rng(seed).standard_normal((count, latent.space.size), np.float32), None
    mixture = latent.mixture()
    return mixture.sample(count, seed), MixtureReport(**mixture.to_dict())


def evenly_spaced(available: int, count: int) -> NDArray[np.int64]:
    """Return rows of a split, evenly spaced over it: (min(available, count),)."""
    return np.unique(np.linspace(0, available - 1, min(available, count)).round().astype(np.int64))


def _check_place(latent: LatentData, place: tuple[str, int]) -> tuple[str, int]:
    split, index = place
    if split not in latent.images.splits:
        raise ConfigError(f"There is no split '{split}'.", f"Choose among {', '.join(latent.images.splits)}.")
    if not 0 <= index < len(latent.images.splits[split]):
        raise ConfigError(
            f"There is no image {index} in {split}.", f"The split has {len(latent.images.splits[split])} images."
        )
    return split, index
