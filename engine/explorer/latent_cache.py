"""The atlases that an explorer holds, and what the answers about latent spaces share."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from engine import runs
from engine.config import DataConfig
from engine.data import Cancelled, Dataset
from engine.errors import ConfigError
from engine.evaluation import references
from engine.latent.latent_data import LatentData
from engine.latent.space import Images
from engine.messages import Emit, ImagesRequest, Request, RequestProgress, ShouldStop

KEPT = 2


class LatentContext(Protocol):
    """What an explorer holds ready."""

    emit: Emit
    should_stop: ShouldStop

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[Images, list[str]]:
        """The images of a request at a side, and their names."""
        ...

    def dataset(self, config: DataConfig) -> Dataset:
        """A data set."""
        ...

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """What makes pictures under a name, and the side of its images."""
        ...

    def save_array(self, array: NDArray[Any]) -> str:
        """Put an array into a file; its path."""
        ...


@dataclass(frozen=True, eq=False)
class QueryImage:
    """One image of a request: (1, side, side, 1), its name, and its pixels' hash where it is a training scan."""

    image: Images
    name: str
    key: str | None


class LatentDataCache:
    """Keeps the atlases asked for last."""

    def __init__(self, warm: LatentContext) -> None:
        self.warm = warm
        self._atlases: OrderedDict[tuple[Any, ...], LatentData] = OrderedDict()

    def atlas(self, request: Any) -> LatentData:
        """The atlas of a request's run and data, which tells this request's progress.

        Raises:
            ConfigError: a yardstick is named in the place of a run.
        """
        if references.parse_reference(request.run) is not None:
            raise ConfigError("A baseline has no latent space to explore.", "Choose a run.")
        model, side = self.warm.reconstructor(request.run, request.data)
        run, images = runs.open_run(request.run), self.warm.dataset(request.data.model_copy(update={"size": side}))
        key = run.path, runs.model_checksum(run), images.fingerprint
        if key not in self._atlases:
            self._atlases[key] = LatentData(run, model, images, self.warm.should_stop)
        self._atlases.move_to_end(key)
        while len(self._atlases) > KEPT:
            self._atlases.popitem(last=False)
        atlas = self._atlases[key]
        atlas.progress = lambda done, total: self.warm.emit(
            RequestProgress(number=request.number, panel=request.panel, done=done, total=total)
        )
        return atlas

    def subject(self, request: ImagesRequest, atlas: LatentData) -> QueryImage:
        """The first image of a request, as the atlas' model sees it.

        Raises:
            ConfigError: the request names no image.
        """
        if request.scan is None and not request.indices:
            raise ConfigError("No image was selected.", "Choose one.")
        images, names = self.warm.load_images(request, atlas.images.config.size)
        own = atlas.images.train.keys[request.indices[0]] if request.scan is None and request.split == "train" else None
        return QueryImage(images[:1], names[0], own)


Answering = Callable[[Any], dict[str, Any] | None]


def preemptible(answers: dict[type[Request], Callable[[Any], dict[str, Any]]]) -> dict[type[Request], Answering]:
    """The same answers, None where they were stopped."""

    def waiting(answer: Callable[[Any], dict[str, Any]]) -> Answering:
        def carry_out(request: Any) -> dict[str, Any] | None:
            try:
                return answer(request)
            except Cancelled:
                return None

        return carry_out

    return {kind: waiting(answer) for kind, answer in answers.items()}
