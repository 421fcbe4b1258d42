"""The layers of a model in the order in which an image passes through them, whatever the model is built of.

The list is found by putting an image through the model and noting who is called: that works alike for a chain, a U-Net
with several ways from input to output, models inside models, layers inside layers, and a `call` written by hand.
"""

import dataclasses
import importlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import receptive_fields
from engine.analysis.receptive_fields import ReceptiveField
from engine.analysis.tensor_sources import IMAGES, TensorSources
from engine.analysis.unknown_layer import make_unknown_layer_error
from engine.errors import ConfigError
from engine.messages import ShouldStop, never_stop

NONLINEAR = {"Activation", "ELU", "LeakyReLU", "PReLU", "ReLU"}
NORMS = {"BatchNormalization", "GroupNormalization", "LayerNormalization"}


@dataclass(frozen=True)
class LayerInfo:
    """One layer, and what it makes of one image.

    Args:
        name: unique in its model; what is called a second time is listed again as 'name#2'.
        kind: its class in Keras, such as 'Conv2D' or 'LeakyReLU'.
        part: the sub-model that it belongs to, such as 'encoder' or 'decoder'; empty outside of them.
        shape: shape of its activation for one image: (height, width, channels), or (numbers,).
        parameters: how many weights it holds itself; 0 where it is listed again.
        kernel: (height, width) of the window that it looks through; empty for layers without one.
        stride: (down, across): how far that window moves; in a transposed convolution how far its results do.
        receives: names of the layers that it is given, 'images' for the model's input; empty where that is not known.
        field: which pixels of the image its units see.
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
    """One activation as it arises.

    Args:
        name: as in `LayerInfo`.
        operation: Keras' layer or operation.
        given: the tensors that it was given.
        activation: what it made of them, a tensor of the backend, (n, ...).
    """

    name: str
    operation: Any
    given: Sequence[Any]
    activation: Any


OnCall = Callable[[LayerCall], None]
_LISTED: WeakKeyDictionary[Any, list[LayerInfo]] = WeakKeyDictionary()  # a list costs as much as an image


def list_layers(model: Any) -> list[LayerInfo]:
    """List the layers of a model in network order: convolution, normalisation and activation each by its own name.

    A layer made of layers follows its parts. Models inside the model and inputs are no layers, and what is not called
    when an image is reconstructed (such as a sampling that only training does) is left out. A model is walked through
    once; its list is known from then on.

    Args:
        model: a built model of Engram: it has a `size` and takes images (n, size, size, 1).

    Returns:
        One entry for each activation; the last is the model's output: pictures, or logits for a variational model.
    """
    if model not in _LISTED:
        trace_layers(model)
    return list(_LISTED[model])


def trace_layers(model: Any) -> list[tuple[LayerInfo, Any]]:
    """List the layers of a model with the Keras objects behind them, for those who look into kernels and strides.

    Args:
        model: as in `list_layers`.

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
    model: Any, images: NDArray[np.float32], hear: Callable[[LayerCall], bool], should_stop: ShouldStop = never_stop
) -> bool:
    """Put images through a model without training, and hear of every activation as it arises.

    Args:
        model: as in `list_layers`.
        images: (n, size, size, 1) float32 in [0, 1], n at least 1.
        hear: told of every call, in the order of `list_layers`; after it has said that this was enough nothing is
            computed.
        should_stop: asked before every call.

    Returns:
        Whether all was heard; False when stopped on the way.
    """
    stopped = False

    def heard(call: LayerCall) -> None:
        nonlocal stopped
        stopped = should_stop()
        if stopped or hear(call):
            raise _StopTracing

    with no_grad():
        _until_enough(model, keras.ops.convert_to_tensor(images), heard)
    return not stopped


def activation_tensors(model: Any, images: Any, names: Sequence[str]) -> dict[str, Any]:
    """Activations as tensors of the backend, through which a gradient can go; layers behind the last are not computed.

    Args:
        model: as in `list_layers`.
        images: a tensor (n, size, size, 1).
        names: the layers wanted; 'images' is the tensor itself.

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
    """The layers before and behind the non-linearity that belongs to a layer.

    Args:
        known: the model's layers.
        name: a non-linearity, or a convolution or normalisation with one behind it.

    Returns:
        The name of what the non-linearity is given, and its own: ('enc_norm1', 'enc_act1') for each of `enc_conv1`,
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
    """All that was wanted has been heard; no Exception, since Keras dresses those up."""


def _until_enough(model: Any, images: Any, hear: OnCall) -> None:
    """Put a tensor of images through a model until its end, or until the one who hears of it has had enough."""
    try:
        with trace_calls(model, hear):
            model(images, training=False)
    except _StopTracing:
        pass


@contextmanager
def trace_calls(model: Any, on_call: OnCall) -> Iterator[None]:
    """Hear of every activation of a model for a while, with whatever gradients its caller wants."""
    times: Counter[str] = Counter()

    def on_operation(operation: Any, given: Sequence[Any], activation: Any) -> None:
        times[operation.name] += 1
        count = times[operation.name]
        on_call(LayerCall(operation.name if count == 1 else f"{operation.name}#{count}", operation, given, activation))

    with ExitStack() as stack:
        for operation in _operations(model):
            stack.enter_context(_overheard(operation, on_operation))
        yield


@contextmanager
def _overheard(operation: Any, told: Callable[[Any, Sequence[Any], Any], None]) -> Iterator[None]:
    """Stand before an operation's own `call` for a while."""
    call = operation.call

    def heard(*args: Any, **kwargs: Any) -> Any:
        outputs = call(*args, **kwargs)
        given = [each for each in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(each)]
        for activation in keras.tree.flatten(outputs):
            told(operation, given, activation)
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


def no_grad() -> AbstractContextManager[Any]:
    """PyTorch alone keeps every activation for a gradient unless told that there will be none."""
    if keras.backend.backend() == "torch":
        return importlib.import_module("torch").no_grad()
    return nullcontext()
