"""Models with their layers listed, and the activations of the last images, so that the next layer is there at once."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import activations, layers, make_unknown_layer_error
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


BUDGET_BYTES = 512 * 2**20
Activation = NDArray[np.float32]
Activations = dict[str, Activation]


class ActivationCache:
    """A cache that computes what it does not hold, and evicts the least recently used images.

    Args:
        budget_bytes: how much memory all cached activations may take; a larger result is returned, but not cached.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._activations: LRUCache[tuple[Any, bytes], Activations] = LRUCache(
            max_bytes=budget_bytes, count_bytes=_count_bytes
        )

    @property
    def size(self) -> int:
        """Return the size of the cached activations, in bytes."""
        return self._activations.size

    def get(self, opened: InspectedModel, images: Images, name: str) -> Activation:
        """Return the activations of a layer.

        Args:
            opened: the model.
            images: (n, size, size, 1) float32 in [0, 1], n at least 1.
            name: one of its layers.

        Returns:
            (n, height, width, channels) or (n, numbers), float32; read-only by convention.
        """
        key = opened.model, hashlib.sha1(images.tobytes(), usedforsecurity=False).digest()
        known = self._activations.get(key) or {}
        if name not in known:
            known = _computed(opened, images, self._wanted(opened.layers, name, len(images), first=not known))
            if _count_bytes(known) <= self._budget:
                self._activations.put(key, known)
        return known[name]

    def _wanted(self, known: Sequence[LayerInfo], name: str, images: int, first: bool) -> list[str]:
        """Return the layers nearest to one that fit into the budget; for new images none after it."""
        at = next(index for index, layer in enumerate(known) if layer.name == name)
        last = at if first else len(known) - 1
        nearest = sorted(range(last + 1), key=lambda index: abs(index - at))
        sizes = np.cumsum([4 * images * int(np.prod(known[index].shape)) for index in nearest])
        return [known[index].name for index in nearest[: max(1, int(np.searchsorted(sizes, self._budget, "right")))]]


def _count_bytes(found: Activations) -> int:
    return sum(array.nbytes for array in found.values())


def _computed(opened: InspectedModel, images: Images, names: Collection[str]) -> Activations:
    """Compute layers in one pass that ends at the last of them, in batches if there are many images."""
    count = activations.batch_size_for(opened.layers, names)
    parts = [_forward(opened.model, images[at : at + count], names) for at in range(0, len(images), count)]
    return {
        name: np.concatenate([part[name] for part in parts]) if len(parts) > 1 else parts[0][name] for name in names
    }


def _forward(model: keras.Model, images: Images, names: Collection[str]) -> Activations:
    with layers.no_grad():
        found = layers.activation_tensors(model, keras.ops.convert_to_tensor(images), list(names))
    return {name: np.asarray(keras.ops.convert_to_numpy(each)).astype(np.float32) for name, each in found.items()}
