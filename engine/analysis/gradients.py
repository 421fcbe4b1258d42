"""Gradients with respect to images, on the three backends."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from engine.arrays import Images

Objective = Callable[[Any], Any]
VectorJacobianProduct = Callable[[Sequence[Any]], Any]


def gradient(objective: Objective, images: Images) -> tuple[float, Images]:
    """Compute value and gradient of a function of images.

    Args:
        objective: takes a tensor of the backend, (n, height, width, 1), and returns one number as a tensor. A sum over
            images gives every image its own gradient.
        images: float32 (n, height, width, 1).

    Returns:
        The number, and d number / d images, float32, shape as `images`; zeros if the number does not depend on them.
    """
    value, found = _GRADIENTS[keras.backend.backend()](objective, images)
    if found is None:
        return float(value), np.zeros_like(images)
    return float(value), np.asarray(keras.ops.convert_to_numpy(found), np.float32)


def _of_tensorflow(objective: Objective, images: Images) -> tuple[Any, Any]:
    import tensorflow

    given = tensorflow.convert_to_tensor(images)
    with tensorflow.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(given)
        value = objective(given)
    return value, tape.gradient(value, given)


def _of_torch(objective: Objective, images: Images) -> tuple[Any, Any]:
    import torch

    given = keras.ops.convert_to_tensor(images).detach().requires_grad_(True)
    with torch.enable_grad():
        value = objective(given)
    found = torch.autograd.grad(value, given, allow_unused=True)[0] if value.requires_grad else None
    return value.detach(), found


def _of_jax(objective: Objective, images: Images) -> tuple[Any, Any]:
    import jax

    return jax.value_and_grad(objective)(keras.ops.convert_to_tensor(images))


_GRADIENTS = {"tensorflow": _of_tensorflow, "torch": _of_torch, "jax": _of_jax}


def make_vjp(function: Callable[[Any], tuple[Any, ...]], images: Images) -> Callable[[Sequence[Any]], Images]:
    """Evaluate a function of images once, and return its vector-Jacobian product (VJP).

    Several weights at the same images share the forward pass.

    Args:
        function: takes a tensor of the backend, (n, height, width, 1), and returns a tuple of float32 tensors.
        images: float32 (n, height, width, 1).

    Returns:
        A function that takes one float32 array per output, in its shape, and returns J^T w, float32, shape as `images`:
        the gradient of the sum of all outputs, each times its weights; zeros if no output depends on the images.
    """
    vjp = _VJPS[keras.backend.backend()](function, images)

    def apply_vjp(weights: Sequence[Any]) -> Images:
        found = vjp([keras.ops.convert_to_tensor(each) for each in weights])
        return np.zeros_like(images) if found is None else np.asarray(keras.ops.convert_to_numpy(found), np.float32)

    return apply_vjp


def _vjp_of_tensorflow(function: Objective, images: Images) -> VectorJacobianProduct:
    import tensorflow

    given = tensorflow.convert_to_tensor(images)
    with tensorflow.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(given)
        outputs = function(given)
    return lambda weights: tape.gradient(outputs, given, output_gradients=tuple(weights))


def _vjp_of_torch(function: Objective, images: Images) -> VectorJacobianProduct:
    import torch

    given = keras.ops.convert_to_tensor(images).detach().requires_grad_(True)
    with torch.enable_grad():
        outputs = function(given)

    def vjp(weights: Sequence[Any]) -> Any:
        pairs = [(output, weight) for output, weight in zip(outputs, weights, strict=True) if output.requires_grad]
        if not pairs:
            return None
        reached, led = zip(*pairs, strict=True)
        return torch.autograd.grad(reached, given, led, retain_graph=True, allow_unused=True)[0]

    return vjp


def _vjp_of_jax(function: Objective, images: Images) -> VectorJacobianProduct:
    import jax

    vjp = jax.vjp(function, keras.ops.convert_to_tensor(images))[1]
    return lambda weights: vjp(tuple(weights))[0]


_VJPS = {"tensorflow": _vjp_of_tensorflow, "torch": _vjp_of_torch, "jax": _vjp_of_jax}
