"""Sources of tensors: the layer that computed each one, and whether that layer can be inverted."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from engine.analysis import receptive_fields
from engine.analysis.receptive_fields import ReceptiveField

# Name of the model's input among its layers.
IMAGES = "images"
# Largest change by rounding to a lower precision, as a share of the largest value.
CLOSE = 0.02


class TensorSources:
    """Record of every tensor of one pass, with its layer and receptive field.

    A tensor is recognized as the same object, or, if an operation copied it (for example to another precision), by its
    values: they come from one random image, so no two layers share them by chance.

    Args:
        images: the model's input, (1, height, width, 1).
    """

    def __init__(self, images: Any) -> None:
        self.image = receptive_fields.image_field(int(images.shape[1]), int(images.shape[2]))
        self._known: list[tuple[Any, str, ReceptiveField]] = []
        self.add(images, IMAGES, self.image)

    def add(self, tensor: Any, name: str, field: ReceptiveField) -> None:
        """Record the output of a layer."""
        self._known.append((tensor, name, field))

    def sources_of(self, given: Sequence[Any]) -> tuple[tuple[str, ...], list[ReceptiveField]]:
        """Return the names of the layers that computed some tensors, and their fields; both empty if one is unknown."""
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


LOSSLESS = {
    *("Unfold", "Dropout", "Flatten", "GaussianDropout", "GaussianNoise", "Identity", "Reshape"),
    *("Fold", "SpatialDropout2D"),
}
MONOTONIC = ("linear", "sigmoid", "tanh", "softplus", "elu", "softsign", "exponential")


def is_invertible(operation: Any) -> bool:
    """Return whether a layer, outside training, loses no information of its single input.

    Batch normalization scales every channel and is invertible if no gain is zero; a non-linearity if it increases
    strictly.
    For a layer of another kind, such as a convolution, the weights are not examined: the result is False.
    """
    kind = type(operation).__name__
    if kind in LOSSLESS:
        return True
    if kind == "BatchNormalization":
        return operation.gamma is None or bool(np.all(_values(operation.gamma) != 0.0))
    if kind == "LeakyReLU":
        return bool(operation.negative_slope > 0)
    if kind == "Rescaling":
        return bool(np.all(np.asarray(operation.scale) != 0.0))
    if kind in ("Activation", "ELU"):
        return kind == "ELU" or getattr(operation.activation, "__name__", "") in MONOTONIC
    return False


def _values(variable: Any) -> Any:
    return np.asarray(keras.ops.convert_to_numpy(variable))
