"""The weights of a layer as pictures: what each of its channels looks for, or lays down."""

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import layers
from engine.analysis.unknown_layer import make_unknown_layer_error
from engine.errors import ConfigError

Pictures = NDArray[np.float32]


def kernels(model: Any, name: str) -> Pictures:
    """Pictures of a layer's weights, none of them scaled.

    Args:
        model: a built model of Engram.
        name: a convolution, plain or transposed; or a layer of numbers that is given a whole image or makes one.

    Returns:
        (channels, inputs, height, width) float32: for each channel one picture for every channel that it is given. A
        transposed convolution's are what it lays down. (channels, 1, size, size), one picture a number, for a layer
        between images and numbers.

    Raises:
        ConfigError: there is no such layer, or it has no weights that are pictures.
    """
    walked = layers.trace_layers(model)
    for layer, operation in walked:
        if layer.name == name:
            found = kernel_images(layer.kind, operation)
            if found is None:
                raise ConfigError(
                    f"The weights of layer '{name}' cannot be shown as kernels.", "Choose a convolution layer."
                )
            return np.ascontiguousarray(found, np.float32)
    raise make_unknown_layer_error(name, (layer.name for layer, _ in walked))


def kernel_images(kind: str, operation: Any) -> Pictures | None:
    """The weights of one of Keras' layers as `kernels` returns them; None where they are no pictures."""
    if kind == "Conv2D":
        return _weights(operation.kernel).transpose(3, 2, 0, 1)
    if kind == "Conv2DTranspose":
        return _weights(operation.kernel).transpose(2, 3, 0, 1)
    if kind == "Subspace":
        return _weights(operation.axes).T.reshape(operation.count, 1, operation.size, operation.size)
    if kind == "Dense":
        weights = _weights(operation.kernel)
        for each in (weights.T, weights):  # from an image, or to one
            side = math.isqrt(each.shape[1])
            if side * side == each.shape[1] and each.shape[1] > each.shape[0]:
                return each.reshape(len(each), 1, side, side)
    return None


def _weights(variable: Any) -> Pictures:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
