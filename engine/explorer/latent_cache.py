"""The latent data that an explorer caches, and what the handlers of requests about latent spaces share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine import runs
from engine.arrays import Images
from engine.errors import ConfigError
from engine.evaluation import references
from engine.explorer.context import ExplorerContext
from engine.latent.latent_data import LatentData
from engine.lru_cache import LRUCache
from engine.messages import ImagesRequest, Reply

CACHE_SIZE = 2

Handler = Callable[[Any], Reply]


@dataclass(frozen=True, eq=False)
class QueryImage:
    """One image of a request.

    Args:
        image: (1, side, side, 1) float32 in [0, 1].
        name: its name.
        key: the hash of its pixels if it is a training image, else None.
    """

    image: Images
    name: str
    key: str | None


class LatentDataCache:
    """The latent data of the runs and datasets that were requested last.

    Args:
        context: the explorer.
    """

    def __init__(self, context: ExplorerContext) -> None:
        self._context = context
        self._cache: LRUCache[tuple[Any, ...], LatentData] = LRUCache(CACHE_SIZE)

    def load(self, request: Any) -> LatentData:
        """Return the latent data of a request's run and data; it reports the progress of this request.

        Raises:
            ConfigError: the request names a baseline, not a run.
        """
        context = self._context
        if references.parse_reference(request.run) is not None:
            raise ConfigError("A baseline has no latent space to explore.", "Choose a run.")
        model, side = context.reconstructor(request.run, request.data)
        run, images = runs.open_run(request.run), context.dataset(request.data.model_copy(update={"size": side}))
        key = run.path, runs.model_checksum(run), images.fingerprint
        latent = self._cache.get_or_create(key, lambda: LatentData(run, model, images))
        latent.context = context.job_context(request)
        return latent

    def load_query(self, request: ImagesRequest, latent: LatentData) -> QueryImage:
        """Return the first image of a request, prepared for the model.

        Raises:
            ConfigError: the request names no image.
        """
        if request.scan is None and not request.indices:
            raise ConfigError("No image was selected.", "Choose one.")
        images, names = self._context.load_images(request, latent.images.config.size)
        is_training = request.scan is None and request.split == "train"
        return QueryImage(images[:1], names[0], latent.images.train.keys[request.indices[0]] if is_training else None)
