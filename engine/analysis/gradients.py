"""Gradients with respect to images, on the three backends."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from engine.arrays import Images

Objective = Callable[[Any], Any]


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
