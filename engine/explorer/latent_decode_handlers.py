"""Answers that are pictures decoded from latents: ways between scans, averages, samples."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import ConfigError
from engine.explorer.latent_cache import LatentDataCache
from engine.latent import interpolation, reports
from engine.latent.latent_data import PIXEL, LatentData, flat
from engine.messages import DecodeMean, Interpolate, Request, SampleLatent, TraverseDimension

NO_PRIOR = "An autoencoder has no prior over latent codes: sample from the mixture instead."


class LatentDecodeHandlers:
    """Answers requests for pictures decoded from latents."""

    def __init__(self, shelf: LatentDataCache) -> None:
        self._shelf = shelf

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any]]]:
        """What can be asked, and who answers it."""
        return {
            Interpolate: self.interpolate,
            TraverseDimension: self.walk,
            DecodeMean: self.average,
            SampleLatent: self.sample,
        }

    def interpolate(self, request: Interpolate) -> dict[str, Any]:
        """The pictures between two scans, beside the mere fading of one into the other."""
        atlas = self._decodable(request)
        latents, images = atlas.select([_checked(atlas, place) for place in (request.first, request.second)])
        way = interpolation.spherical if request.path == "spherical" else interpolation.linear
        points = way(latents[0], latents[1], request.steps)
        share = np.linspace(0, 1, request.steps, dtype=np.float32)
        faded = (1 - share)[:, None, None] * images[0, ..., 0] + share[:, None, None] * images[1, ..., 0]
        return {
            "run": request.run,
            "path": request.path,
            "shares": share.tolist(),
            "lengths": np.linalg.norm(points, axis=1).tolist(),
            "images": self._pictures(atlas.space.decode(points)),
            "faded": self._shelf.warm.save_array(faded),
        }

    def walk(self, request: TraverseDimension) -> dict[str, Any]:
        """The pictures along one latent number, all others left as they are in one image."""
        atlas = self._decodable(request)
        if request.dimension >= atlas.space.size:
            raise ConfigError(
                f"There is no latent dimension {request.dimension}.",
                f"Choose a dimension from 0 to {atlas.space.size - 1}.",
            )
        subject = self._shelf.subject(request, atlas)
        code, number = atlas.space.encode(subject.image).means[0], request.dimension
        values = traversal_values(atlas, number, request.steps, request.reach)
        images = atlas.space.decode(interpolation.vary_dimension(code, number, values))
        own = atlas.space.decode(code[None])
        return {
            "run": request.run,
            "name": subject.name,
            "dimension": number,
            "values": values.tolist(),
            "own": float(code[number]),
            "images": self._pictures(images),
            "reconstruction": self._pictures(own),
            "change": np.abs(images - own).mean(axis=(1, 2, 3)).tolist(),
        }

    def average(self, request: DecodeMean) -> dict[str, Any]:
        """The decoded mean of some scans' latents, beside the mean of their pixels."""
        atlas = self._decodable(request)
        latents, images = atlas.select([_checked(atlas, place) for place in request.places])
        return {
            "run": request.run,
            "count": len(latents),
            "average": self._pictures(atlas.space.decode(latents.mean(axis=0, keepdims=True))),
            "pixel_mean": self._pictures(images.mean(axis=0, keepdims=True)),
        }

    def sample(self, request: SampleLatent) -> dict[str, Any]:
        """Pictures of drawn latents, and the nearest training scan of each."""
        atlas = self._decodable(request)
        latents, facts = sample_latents(atlas, request.source, request.count, request.seed)
        images = atlas.space.decode(latents)
        near = reports.neighbors_report(atlas, PIXEL, atlas.nearest(PIXEL, flat(images), 1))
        return {
            "run": request.run,
            "source": request.source,
            "seed": request.seed,
            "images": self._pictures(images),
            "samples": [
                {**each["nearest"][0], "ratio": each["ratio"], "memorised": each["memorised"]} for each in near
            ],
            "limit": near[0]["limit"],
            "typical": near[0]["typical"],
            "memorised": sum(each["memorised"] for each in near),
            "mixture": facts,
        }

    def _decodable(self, request: Any) -> LatentData:
        atlas = self._shelf.atlas(request)
        atlas.space.need_decoder()
        return atlas

    def _pictures(self, images: NDArray[np.float32]) -> str:
        return self._shelf.warm.save_array(images[..., 0])


def traversal_values(atlas: LatentData, dimension: int, steps: int, deviations: float | None) -> NDArray[np.float64]:
    """Values of a latent number to go through: (steps,), as `messages.WalkDimension` says."""
    found = atlas.dimensions()
    low, high = found.low[dimension], found.high[dimension]
    if deviations is not None:
        middle, spread = found.mean[dimension], found.spread[dimension]
        low, high = middle - deviations * spread, middle + deviations * spread
    return np.linspace(low, high, steps)


def sample_latents(
    atlas: LatentData, source: str, count: int, seed: int
) -> tuple[NDArray[np.float32], dict[str, Any] | None]:
    """Latents (count, k) of the prior or of the mixture, and what is known of the mixture.

    Raises:
        ConfigError: the model has no prior.
        DataError: there are too few training scans for a mixture.
    """
    if source == "prior":
        atlas.space.need_posterior("prior", NO_PRIOR)
        return np.random.default_rng(seed).standard_normal((count, atlas.space.size), np.float32), None
    mixture = atlas.mixture()
    return mixture.sample(count, seed), mixture.to_dict()


def _checked(atlas: LatentData, place: tuple[str, int]) -> tuple[str, int]:
    split, index = place
    if split not in atlas.images.splits:
        raise ConfigError(f"There is no split '{split}'.", f"Choose among {', '.join(atlas.images.splits)}.")
    if not 0 <= index < len(atlas.images.splits[split]):
        raise ConfigError(
            f"There is no image {index} in {split}.", f"The split has {len(atlas.images.splits[split])} images."
        )
    return split, index
