"""The layers of a model in the order in which an image passes through them, whatever the model is built of.

The list is found by putting an image through the model and noting who is called: that works alike for a chain, a U-Net
with several ways from input to output, models inside models, layers inside layers, and a `call` written by hand.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Heard = Callable[[Any, Any], None]


@dataclass(frozen=True)
class Layer:
    """One layer, and what it makes of one image.

    Args:
        name: unique in its model; what is called a second time is listed again as 'name#2'.
        kind: its class in Keras, such as 'Conv2D' or 'LeakyReLU'.
        part: the sub-model that it belongs to, such as 'encoder' or 'decoder'; empty outside of them.
        shape: shape of its activation for one image: (height, width, channels), or (numbers,).
        parameters: how many weights it holds itself; 0 where it is listed again.
    """

    name: str
    kind: str
    part: str
    shape: tuple[int, ...]
    parameters: int


def listed(model: Any) -> list[Layer]:
    """List the layers of a model in network order: convolution, normalisation and activation each by its own name.

    A layer made of layers follows its parts. Models inside the model and inputs are no layers, and what is not called
    when an image is reconstructed (such as a sampling that only training does) is left out.

    Args:
        model: a built model of Engram: it has a `size` and takes images (n, size, size, 1).

    Returns:
        One entry for each activation; the last is the model's output: pictures, or logits for a variational model.
    """
    return [entry for entry, _ in walk(model)]


def walk(model: Any) -> list[tuple[Layer, Any]]:
    """List the layers of a model with the Keras objects behind them, for those who look into kernels and strides.

    Args:
        model: as in `listed`.

    Returns:
        (layer, Keras' layer or operation) in network order.
    """
    found: list[tuple[Layer, Any]] = []
    times: Counter[str] = Counter()
    parts = _parts(model)

    def hear(operation: Any, activation: Any) -> None:
        again = any(known is operation for _, known in found)
        times[operation.name] += 1
        count = times[operation.name]
        entry = Layer(
            name=operation.name if count == 1 else f"{operation.name}#{count}",
            kind=type(operation).__name__,
            part=parts.get(id(operation), ""),
            shape=tuple(activation.shape[1:]),
            parameters=0 if again else _own_parameters(operation),
        )
        found.append((entry, operation))

    run(model, np.zeros((1, model.size, model.size, 1), np.float32), hear)
    return found


def run(model: Any, images: NDArray[np.float32], hear: Heard) -> Any:
    """Put images through a model without training, and hear of every activation as it arises.

    Args:
        model: as in `listed`.
        images: (n, size, size, 1) float32 in [0, 1].
        hear: told Keras' layer and its activation, a tensor of the backend, (n, ...); in the order of `listed`.

    Returns:
        What the model's call returns.
    """
    with _without_gradients(), ExitStack() as stack:
        for operation in _operations(model):
            stack.enter_context(_overheard(operation, hear))
        return model(keras.ops.convert_to_tensor(images), training=False)


@contextmanager
def _overheard(operation: Any, hear: Heard) -> Iterator[None]:
    """Stand before an operation's own `call` for a while."""
    call = operation.call

    def heard(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        for activation in keras.tree.flatten(outputs):
            hear(operation, activation)
        return outputs

    vars(operation)["call"] = heard
    try:
        yield
    finally:
        del vars(operation)["call"]


def _operations(model: Any) -> list[Any]:
    """Everything below a model that computes: its layers, theirs, and the bare operations of functional models."""
    found: dict[int, Any] = {}
    for layer in model._flatten_layers():
        inner = getattr(layer, "operations", [])
        found |= {
            id(each): each for each in [layer, *inner] if not isinstance(each, keras.Model | keras.layers.InputLayer)
        }
    return list(found.values())


def _parts(model: Any) -> dict[int, str]:
    """The name of the sub-model, one level down, that each operation belongs to, by the operation's identity."""
    inside = [layer for layer in model._flatten_layers(include_self=False, recursive=False)]
    return {id(each): part.name for part in inside if isinstance(part, keras.Model) for each in _operations(part)}


def _own_parameters(operation: Any) -> int:
    """How many weights a layer holds itself, those of the layers inside it left out."""
    if not isinstance(operation, keras.layers.Layer):
        return 0
    inner = {id(weight) for layer in operation._flatten_layers(include_self=False) for weight in layer.weights}
    return sum(int(np.prod(weight.shape)) for weight in operation.weights if id(weight) not in inner)


def _without_gradients() -> AbstractContextManager[Any]:
    """PyTorch alone keeps every activation for a gradient unless told that there will be none."""
    if keras.backend.backend() == "torch":
        return importlib.import_module("torch").no_grad()
    return nullcontext()
