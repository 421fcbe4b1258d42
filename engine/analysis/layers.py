"""Layers of a model in the order in which an image passes through them, whatever the model consists of.

An image runs through the model, and every call is recorded. That works alike for a chain, a U-Net with several paths
from input to output, models inside models, layers inside layers, and a custom `call`.
"""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import make_unknown_layer_error, receptive_fields
from engine.analysis.receptive_fields import ReceptiveField
from engine.analysis.tensor_sources import IMAGES, TensorSources
from engine.errors import ConfigError
from engine.job_context import UNATTENDED, Cancelled, JobContext

NONLINEAR = {"Activation", "ELU", "LeakyReLU", "PReLU", "ReLU"}
NORMS = {"BatchNormalization", "GroupNormalization", "LayerNormalization"}


@dataclass(frozen=True)
class LayerInfo:
    """One layer, and its output for one image.

    Args:
        name: unique in its model; a second call of the same layer is listed as 'name#2'.
        kind: its class in Keras, such as 'Conv2D' or 'LeakyReLU'.
        part: the sub-model that contains it, such as 'encoder' or 'decoder'; empty outside of them.
        shape: shape of its activation for one image: (height, width, channels), or (values,).
        parameters: number of its own weights; 0 for a repeated call.
        kernel: (height, width) of its window; empty for layers without one.
        stride: (down, across) of the window; in a transposed convolution of its output.
        receives: names of its input layers, 'images' for the model's input; empty if unknown.
        field: receptive fields of its units.
    """

    name: str
    kind: str
    part: str
    shape: tuple[int, ...]
    parameters: int
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    receives: tuple[str, ...] = ()
    field: ReceptiveField = dataclasses.field(default=receptive_fields.image_field(1, 1), compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One activation at the time of the call.

    Args:
        name: see `LayerInfo`.
        operation: Keras' layer or operation.
        given: the input tensors.
        activation: the output, a tensor of the backend, (n, ...).
    """

    name: str
    operation: Any
    given: Sequence[Any]
    activation: Any


OnCall = Callable[[LayerCall], None]
# A trace costs as much as one image.
_LISTED: WeakKeyDictionary[Any, list[LayerInfo]] = WeakKeyDictionary()


def list_layers(model: keras.Model) -> list[LayerInfo]:
    """List the layers of a model in network order: convolution, normalization and activation each by its own name.

    A composite layer follows its parts. Models inside the model and inputs are no layers, and layers that a
    reconstruction does not call (such as a sampling that only training uses) are left out. Each model is traced once;
    then its list is cached.

    Args:
        model: a built model of Engram: it has a `size` and takes images (n, size, size, 1).

    Returns:
        One entry for each activation; the last is the model's output: images, or logits for a variational model.

    Example:
        for layer in list_layers(engine.load_model(run)):
            print(layer.name, layer.shape)
    """
    if model not in _LISTED:
        trace_layers(model)
    return list(_LISTED[model])


def trace_layers(model: keras.Model) -> list[tuple[LayerInfo, Any]]:
    """List the layers of a model with the Keras objects behind them, for access to kernels and strides.

    Args:
        model: see `list_layers`.

    Returns:
        (layer, Keras' layer or operation) in network order.
    """
    found: list[tuple[LayerInfo, Any]] = []
    parts = _parts(model)
    images = keras.ops.convert_to_tensor(np.random.default_rng(0).random((1, model.size, model.size, 1), np.float32))
    origins = TensorSources(images)

    def on_call(call: LayerCall) -> None:
        operation, shape = call.operation, tuple(call.activation.shape[1:])
        again = any(known is operation for _, known in found)
        receives, seen = origins.sources_of(call.given)
        entry = LayerInfo(
            name=call.name,
            kind=type(operation).__name__,
            part=parts.get(id(operation), ""),
            shape=shape,
            parameters=0 if again else _own_parameters(operation),
            kernel=receptive_fields.kernel_of(operation),
            stride=receptive_fields.stride_of(operation),
            receives=receives,
            field=receptive_fields.layer_field(operation, seen, shape, origins.image),
        )
        origins.add(call.activation, entry.name, entry.field)
        found.append((entry, operation))

    with no_grad(), trace_calls(model, on_call):
        model(images, training=False)
    _LISTED[model] = [layer for layer, _ in found]
    return found


def forward(
    model: keras.Model,
    images: NDArray[np.float32],
    on_activation: Callable[[LayerCall], bool],
    context: JobContext = UNATTENDED,
) -> None:
    """Run images through a model without training, and pass on every activation as it is computed.

    Args:
        model: see `list_layers`.
        images: (n, size, size, 1) float32 in [0, 1], n at least 1.
        on_activation: receives every call, in the order of `list_layers`; after it has returned True nothing more is
            computed.
        context: checked before every call.

    Raises:
        Cancelled: the caller asked to stop.
    """
    stopped = False

    def intercepted(call: LayerCall) -> None:
        nonlocal stopped
        stopped = context.should_stop()
        if stopped or on_activation(call):
            raise _StopTracing

    with no_grad():
        _until_enough(model, keras.ops.convert_to_tensor(images), intercepted)
    if stopped:
        raise Cancelled


def activation_tensors(model: keras.Model, images: Any, names: Sequence[str]) -> dict[str, Any]:
    """Compute activations as tensors of the backend, through which a gradient can flow; later layers are not computed.

    Args:
        model: see `list_layers`.
        images: a tensor (n, size, size, 1).
        names: names of the layers; 'images' is the tensor itself.

    Returns:
        name -> (n, ...).

    Raises:
        ConfigError: the model has no layer of that name.
    """
    found: dict[str, Any] = {IMAGES: images} if IMAGES in names else {}
    left = set(names) - {IMAGES}

    def on_call(call: LayerCall) -> None:
        if call.name in left:
            found[call.name] = call.activation
            left.discard(call.name)
        if not left:
            raise _StopTracing

    if left:
        _until_enough(model, images, on_call)
    if left:
        raise make_unknown_layer_error(min(left), (layer.name for layer in list_layers(model)))
    return found


def nonlinearity_pair(known: Sequence[LayerInfo], name: str) -> tuple[str, str]:
    """Return the layers before and after the non-linearity that belongs to a layer.

    Args:
        known: the model's layers.
        name: a non-linearity, or a convolution or normalization followed by one.

    Returns:
        The name of the non-linearity's input, and its own name: ('enc_norm1', 'enc_act1') for each of `enc_conv1`,
        `enc_norm1` and `enc_act1`.

    Raises:
        ConfigError: there is no such layer, or no non-linearity follows it before the next convolution.
    """
    by_name = {layer.name: layer for layer in known}
    if name not in by_name:
        raise make_unknown_layer_error(name, by_name)
    layer: LayerInfo | None = by_name[name]
    while layer is not None:
        if layer.kind in NONLINEAR and layer.receives:
            return layer.receives[0], layer.name
        followers = (each for each in known if layer is not None and layer.name in each.receives)
        layer = next((each for each in followers if each.kind in NONLINEAR | NORMS), None)
    raise ConfigError(f"Layer '{name}' has no activation function.", "Choose an activation, or the layer before one.")


class _StopTracing(BaseException):
    """Signal that no further activation is needed; no Exception, since Keras rewrites those."""


def _until_enough(model: keras.Model, images: Any, on_activation: OnCall) -> None:
    """Run a tensor of images through a model until its end, or until the receiver raises `_StopTracing`."""
    try:
        with trace_calls(model, on_activation):
            model(images, training=False)
    except _StopTracing:
        pass


@contextmanager
def trace_calls(model: keras.Model, on_call: OnCall) -> Iterator[None]:
    """Pass every activation of a model to a callback while the context is open; gradients are left to the caller."""
    times: Counter[str] = Counter()

    def on_operation(operation: Any, given: Sequence[Any], activation: Any) -> None:
        times[operation.name] += 1
        count = times[operation.name]
        on_call(LayerCall(operation.name if count == 1 else f"{operation.name}#{count}", operation, given, activation))

    with ExitStack() as stack:
        for operation in _operations(model):
            stack.enter_context(_intercept(operation, on_operation))
        yield


@contextmanager
def _intercept(operation: Any, on_output: Callable[[Any, Sequence[Any], Any], None]) -> Iterator[None]:
    """Wrap an operation's own `call` while the context is open."""
    call = operation.call

    def intercepted(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        given = [each for each in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(each)]
        for activation in keras.tree.flatten(outputs):
            on_output(operation, given, activation)
        return outputs

    vars(operation)["call"] = intercepted
    try:
        yield
    finally:
        del vars(operation)["call"]


def _operations(model: keras.Model) -> list[Any]:
    """Return everything in a model that computes: layers, nested layers, and bare operations of functional models."""
    found: dict[int, Any] = {}
    for layer in model._flatten_layers():
        inner = getattr(layer, "operations", [])
        found |= {
            id(each): each for each in [layer, *inner] if not isinstance(each, keras.Model | keras.layers.InputLayer)
        }
    return list(found.values())


def _parts(model: keras.Model) -> dict[int, str]:
    """Return the name of the sub-model, one level down, that contains each operation, by the operation's identity."""
    inside = [layer for layer in model._flatten_layers(include_self=False, recursive=False)]
    return {id(each): part.name for part in inside if isinstance(part, keras.Model) for each in _operations(part)}


def _own_parameters(operation: Any) -> int:
    """Count the weights of a layer itself, without those of the layers inside it."""
    if not isinstance(operation, keras.layers.Layer):
        return 0
    inner = {id(weight) for layer in operation._flatten_layers(include_self=False) for weight in layer.weights}
    return sum(int(np.prod(weight.shape)) for weight in operation.weights if id(weight) not in inner)


def no_grad() -> AbstractContextManager[Any]:
    """Return a context without gradients: PyTorch otherwise keeps every activation for one."""
    if keras.backend.backend() == "torch":
        import torch

        return torch.no_grad()
    return nullcontext()
