"""Weights of a layer as images: the pattern that each of its channels detects or writes."""

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import layers, make_unknown_layer_error
from engine.errors import ConfigError

Pictures = NDArray[np.float32]


def kernels(model: keras.Model, name: str) -> Pictures:
    """Return a layer's weights as images, without any scaling.

    Args:
        model: a built model of Engram.
        name: a convolution, plain or transposed; or a dense layer whose input or output is a whole image.

    Returns:
        (channels, inputs, height, width) float32: for each channel one image per input channel. Those of a transposed
        convolution are the patterns that it writes. (channels, 1, size, size), one image per unit, for a layer between
        images and vectors.

    Raises:
        ConfigError: there is no such layer, or its weights are no images.
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
    """Return the weights of a Keras layer as `kernels` does. Returns None if they are no images."""
    if kind == "Conv2D":
        return _weights(operation.kernel).transpose(3, 2, 0, 1)
    if kind == "Conv2DTranspose":
        return _weights(operation.kernel).transpose(2, 3, 0, 1)
    if kind == "Subspace":
        return _weights(operation.axes).T.reshape(operation.count, 1, operation.size, operation.size)
    if kind == "Dense":
        weights = _weights(operation.kernel)
        # From an image, or to one.
        for each in (weights.T, weights):
            side = math.isqrt(each.shape[1])
            if side * side == each.shape[1] and each.shape[1] > each.shape[0]:
                return each.reshape(len(each), 1, side, side)
    return None


def _weights(variable: Any) -> Pictures:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
