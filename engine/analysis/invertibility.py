"""Invertible layers, whose output determines their input."""

from typing import Any

import keras
import numpy as np

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
