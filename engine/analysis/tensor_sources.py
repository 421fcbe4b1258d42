"""Which layer a tensor came from, while an image is on its way through a model."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from engine.analysis import receptive_fields
from engine.analysis.receptive_fields import ReceptiveField

IMAGES = "images"  # the name of the model's input among its layers
CLOSE = 0.02  # what rounding to a shorter kind of number may change, as a share of the largest value


class TensorSources:
    """Remembers every tensor of one passage, with the name of its layer and what its units see of the image.

    A tensor is known again by being the same object, or, where something on the way made a copy (in another precision,
    say), by its values: they are those of one random image, so no two layers share them by chance.

    Args:
        images: the model's input, (1, height, width, 1).
    """

    def __init__(self, images: Any) -> None:
        self.image = receptive_fields.image_field(int(images.shape[1]), int(images.shape[2]))
        self._known: list[tuple[Any, str, ReceptiveField]] = []
        self.add(images, IMAGES, self.image)

    def add(self, tensor: Any, name: str, field: ReceptiveField) -> None:
        """Remember what a layer has made."""
        self._known.append((tensor, name, field))

    def sources_of(self, given: Sequence[Any]) -> tuple[tuple[str, ...], list[ReceptiveField]]:
        """The names of the layers that made some tensors, and their fields; both empty when one is a stranger."""
        found = [self._find(tensor) for tensor in given]
        if not found or any(each is None for each in found):
            return (), []
        known = [each for each in found if each is not None]
        return tuple(name for name, _ in known), [field for _, field in known]

    def _find(self, tensor: Any) -> tuple[str, ReceptiveField] | None:
        for known, name, field in reversed(self._known):
            if known is tensor:
                return name, field
        alike = (entry for entry in reversed(self._known) if entry[0].shape == tensor.shape)
        values = _array(tensor)
        for known, name, field in alike:
            other = _array(known)
            if np.abs(other - values).max(initial=0.0) <= CLOSE * np.abs(other).max(initial=0.0):
                return name, field
        return None


def _array(tensor: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")))
