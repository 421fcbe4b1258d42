"""Which layers can be undone: whoever reads what they make knows all that they were given, and no more."""

from typing import Any

import keras
import numpy as np

LOSSLESS = {
    *("Dropout", "Flatten", "Fold", "GaussianDropout", "GaussianNoise", "Identity", "Reshape", "SpatialDropout2D"),
    "Unfold",
}
MONOTONIC = ("linear", "sigmoid", "tanh", "softplus", "elu", "softsign", "exponential")


def is_invertible(operation: Any) -> bool:
    """Whether a layer, when nothing is trained, loses nothing of the one thing that it is given.

    Batch normalisation scales every channel and can be undone where no gain is zero; a non-linearity where it rises
    everywhere. A layer of another kind, such as a convolution, is not judged by its weights: the answer is no.
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
