"""Models with their layers listed. Listing costs as much as an image, so it is done once per model."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from engine.analysis import layers, make_unknown_layer_error
from engine.analysis.layers import LayerInfo
from engine.arrays import Images
from engine.errors import ConfigError
from engine.explorer.context import ExplorerContext
from engine.lru_cache import LRUCache
from engine.protocols import EngramModel
from engine.runs import Run

CACHE_SIZE = 8


@dataclass(frozen=True, eq=False)
class InspectedModel:
    """A run's model and its layers; `traced_layers` holds each layer with its Keras layer or operation."""

    run: Run
    model: EngramModel
    traced_layers: Sequence[tuple[LayerInfo, Any]]

    @cached_property
    def layers(self) -> list[LayerInfo]:
        """Return the layers in network order."""
        return [layer for layer, _ in self.traced_layers]

    @property
    def side(self) -> int:
        """Return the side of the model's images, px."""
        return self.run.config.data.size

    def layer(self, name: str) -> LayerInfo:
        """Return the layer of a name.

        Raises:
            ConfigError: there is no such layer.
        """
        found = next((layer for layer in self.layers if layer.name == name), None)
        if found is None:
            raise make_unknown_layer_error(name, (layer.name for layer in self.layers))
        return found

    def check(self, name: str, images: Images) -> None:
        """Check that there is a layer of that name, and an image.

        Raises:
            ConfigError: there is no such layer, or no image.
        """
        self.layer(name)
        if not len(images):
            raise ConfigError("No image was selected.", "Choose one or more.")


class InspectedModels:
    """The models that were inspected last.

    Args:
        warm: the loaded models.
    """

    def __init__(self, warm: ExplorerContext) -> None:
        self._warm = warm
        self._known: LRUCache[str, InspectedModel] = LRUCache(CACHE_SIZE)

    def open(self, name: str) -> InspectedModel:
        """Return the model of a run, by the run's name or folder.

        Raises:
            EngramError: there is no such run, or it has no model.
        """
        model, run = self._warm.model(name)
        key = str(run.path)
        known = self._known.get(key)
        if known is None or known.model is not model:
            known = InspectedModel(run, model, layers.trace_layers(model))
            self._known.put(key, known)
        return known
