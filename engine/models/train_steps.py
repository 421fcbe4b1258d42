"""One training step for each backend: forward pass, loss, gradient, update, metrics.

The loss itself stays in the model's `compute_loss`, the same on every backend; this module has only the differences:
how the gradient is recorded, and where the state is kept. The results equal those of Keras' own `train_step`.
On PyTorch `engine.models.torch_step` takes its place where that knows all layers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras


def train_step(model: Any, *args: Any) -> Any:
    """Train a model on one batch.

    Args:
        model: a compiled model with `compute_loss(x, y, y_pred)`.
        args: `(data,)` on TensorFlow and PyTorch, `(state, data)` on JAX, where the state is threaded through.

    Returns:
        The metrics by name; on JAX also the new state.
    """
    return _STEPS[keras.backend.backend()](model, *args)


@contextmanager
def fused(model: Any) -> Iterator[None]:
    """Train a model in its backend's fused functions; its variables are up to date again at the end."""
    if keras.backend.backend() != "torch":
        yield
        return
    from engine.models import torch_step

    model.fused_step = step = torch_step.lower(model)
    try:
        yield
    finally:
        model.fused_step = None
        if step:
            step.write_back()


def _tensorflow(model: Any, data: Any) -> Any:
    import tensorflow

    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    with tensorflow.GradientTape() as tape:
        outputs = model.connect(model.encoder, model.decoder, x, training=True)
        loss = model.compute_loss(x=x, y=y, y_pred=outputs)
        model._loss_tracker.update_state(loss, sample_weight=keras.ops.shape(x)[0])
        scaled = model.optimizer.scale_loss(loss)
    weights = model.trainable_weights
    model.optimizer.apply(tape.gradient(scaled, weights), weights)
    return model.compute_metrics(x, y, outputs, None)


def _torch(model: Any, data: Any) -> Any:
    import torch

    if model.fused_step:
        return model.fused_step(data)
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
    model.zero_grad()
    outputs = model(x, training=True)
    loss = model.compute_loss(x=x, y=y, y_pred=outputs)
    model._loss_tracker.update_state(loss, sample_weight=keras.ops.shape(x)[0])
    model.optimizer.scale_loss(loss).backward()
    weights = model.trainable_weights[:]
    with torch.no_grad():
        model.optimizer.apply([weight.value.grad for weight in weights], weights)
    return model.compute_metrics(x, y, outputs, None)


def _jax(model: Any, state: Any, data: Any) -> Any:
    import jax

    trainable, others, optimizer, metrics = state
    x, y, _ = keras.utils.unpack_x_y_sample_weight(data)

    def scaled_loss(trainable: Any, others: Any, metrics: Any) -> Any:
        outputs, others = model.stateless_call(trainable, others, x, training=True)
        loss, (_, others, metrics) = model.stateless_compute_loss(
            trainable, others, metrics, x=x, y=y, y_pred=outputs, training=True
        )
        with keras.StatelessScope(state_mapping=list(zip(model.optimizer.variables, optimizer, strict=True))):
            scaled = model.optimizer.scale_loss(loss)
        return scaled, (loss, outputs, others, metrics)

    gradient = jax.value_and_grad(scaled_loss, has_aux=True)
    (_, (loss, outputs, others, metrics)), gradients = gradient(trainable, others, metrics)
    trainable, optimizer = model.optimizer.stateless_apply(optimizer, gradients, trainable)
    logs, metrics = model._update_metrics_variables(metrics, loss, x, y, outputs, None)
    return logs, (trainable, others, optimizer, metrics)


_STEPS: dict[str, Callable[..., Any]] = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}
