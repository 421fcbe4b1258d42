"""Keras layers as calls of PyTorch's fused functions, on features in channels-last memory.

Keras computes a layer on PyTorch in several passes: transpositions, a copy with padding, normalization, activation.
Here every layer is translated once, with its weights in PyTorch's own layout, and then costs one or two passes.

Features are (n, c, h, w) tensors in channels-last memory, so (n, h, w, c) arrays are views of them. "Same" padding of a
strided convolution is one pixel more at the end; PyTorch's is one more at the start. A network with such layers is
computed on mirrored images with mirrored kernels, where both are the same: no image needs a copy with a margin.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import keras
import torch
from keras import layers
from torch.nn import functional

from engine.models.residual import Mirrored

Tensor: TypeAlias = torch.Tensor
Function = Callable[..., Tensor]


class NotLowered(Exception):
    """A layer or an optimizer that only Keras can compute."""


class Weights:
    """Weights of a network in the layout of PyTorch's functions, by Keras variable.

    Args:
        mirrored: whether kernels are mirrored in both axes.
    """

    def __init__(self, mirrored: bool) -> None:
        self.mirrored = mirrored
        self.kernels: dict[int, tuple[Any, Tensor]] = {}

    def kernel(self, variable: Any) -> Tensor:
        """Return the trainable copy of a convolution kernel."""
        if id(variable) not in self.kernels:
            copy = self.lower(variable.value.detach()).requires_grad_(variable.trainable)
            self.kernels[id(variable)] = variable, copy
        return self.kernels[id(variable)][1]

    def find(self, variable: Any) -> Tensor:
        """Return the tensor that is trained in place of a Keras variable: its own, or the copy of a kernel."""
        found = self.kernels.get(id(variable))
        return found[1] if found else variable.value

    def lower(self, kernel: Tensor) -> Tensor:
        """Copy a kernel from Keras' layout: (h, w, in, out) -> (out, in, h, w) in channels-last memory."""
        turned = kernel.flip(0, 1) if self.mirrored else kernel
        return turned.permute(3, 2, 0, 1).clone(memory_format=torch.channels_last)

    def lift(self, kernel: Tensor) -> Tensor:
        """Return a kernel in Keras' layout: the inverse of `lower`."""
        turned = kernel.permute(2, 3, 1, 0)
        return turned.flip(0, 1) if self.mirrored else turned


class Graph:
    """A functional Keras model as a list of calls.

    Args:
        model: the model.
        weights: where its kernels are kept.
        turns: whether to mirror the images that come in, and those that go out.

    Raises:
        NotLowered: mirrored images would need a layer that only Keras can compute.
    """

    def __init__(self, model: Any, weights: Weights, turns: tuple[bool, bool] = (False, False)) -> None:
        self.turns, self.single = turns, not isinstance(model.output, list | tuple | dict)
        self.inputs = [id(tensor) for tensor in model.inputs]
        self.outputs = [id(tensor) for tensor in model.outputs]
        users: dict[int, int] = {}
        self.calls: list[tuple[Function, list[int], int]] = []
        nodes = list(iterate_nodes(model))
        for node in nodes:
            for tensor in node.input_tensors:
                users[id(tensor)] = users.get(id(tensor), 0) + 1
        for node in nodes:
            alone = [users[id(tensor)] == 1 and id(tensor) not in self.outputs for tensor in node.input_tensors]
            function = lower(node, weights, in_place=all(alone) and _output_is_free(node))
            self.calls.append((function, [id(tensor) for tensor in node.input_tensors], id(node.outputs[0])))

    def __call__(self, inputs: Any, training: bool = True) -> Any:
        """Compute the outputs from (n, h, w, c) images or (n, k) codes, as the Keras model does in training."""
        given = inputs if isinstance(inputs, list | tuple) else [inputs]
        found = {name: _enter(x, self.turns[0]) for name, x in zip(self.inputs, given, strict=True)}
        outputs = self.run(found)
        made = [_leave(x, self.turns[1]) for x in outputs]
        return made[0] if self.single else made

    def run(self, found: dict[int, Tensor]) -> list[Tensor]:
        """Compute the outputs from the inputs by their names; both are features."""
        for function, names, output in self.calls:
            found[output] = function(*[found[name] for name in names])
        return [found[name] for name in self.outputs]


def iterate_nodes(model: Any) -> Iterator[Any]:
    """Yield the nodes of a functional model, inputs first, without the inputs themselves."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        yield from (node for node in model._nodes_by_depth[depth] if not node.is_input)


def needs_mirror(model: Any) -> bool:
    """Return whether a layer has one pixel of padding more at the end than at the start."""
    return any(
        isinstance(node.operation, layers.Conv2D | layers.Conv2DTranspose)
        and max(node.operation.strides) > 1
        and any(before != after for before, after in _padding(node))
        for node in iterate_nodes(model)
    )


def lower(node: Any, weights: Weights, in_place: bool) -> Function:
    """Return the function that computes one call of a layer; the layer itself if it is not in `_LOWERED`.

    Args:
        node: the call, within a functional model.
        weights: where kernels are kept.
        in_place: whether the function may overwrite its input.
    """
    make = _LOWERED.get(type(node.operation))
    if isinstance(node.operation, layers.LeakyReLU):
        return _leaky_relu(node.operation, in_place)
    if make is not None:
        return _cast(node.operation, make(node, weights))
    if weights.mirrored:
        raise NotLowered(type(node.operation).__name__)
    return _keras(node)


def _enter(x: Tensor, turned: bool) -> Tensor:
    if x.dim() != 4:
        return x
    return (x.flip(1, 2) if turned else x).permute(0, 3, 1, 2)


def _leave(x: Tensor, turned: bool) -> Tensor:
    if x.dim() != 4:
        return x
    x = x.permute(0, 2, 3, 1)
    return x.flip(1, 2) if turned else x


def _output_is_free(node: Any) -> bool:
    """Return whether the backward pass of the layer before does not need what it has returned."""
    return isinstance(
        node.parent_nodes[0].operation,
        layers.BatchNormalization | layers.Conv2D | layers.Conv2DTranspose | layers.GroupNormalization,
    )


def _cast(layer: Any, function: Function) -> Function:
    """Return a function of inputs in the type that the layer computes in."""
    wanted = getattr(torch, layer.compute_dtype)
    return lambda *given: function(*(x if x.dtype == wanted else x.to(wanted) for x in given))


def _keras(node: Any) -> Function:
    """Return a call of the Keras layer itself."""
    layer, names = node.operation, [id(tensor) for tensor in node.input_tensors]
    training = {"training": True} if getattr(layer, "_call_has_training_arg", False) else {}

    def call(*given: Tensor) -> Tensor:
        found = dict(zip(names, (_leave(x, False) for x in given), strict=True))
        arguments, named = node.arguments.fill_in(found)
        return _enter(layer(*arguments, **{**named, **training}), False)

    return call


def _network(node: Any, weights: Weights) -> Function:
    """Return a network inside a network."""
    graph = Graph(getattr(node.operation, "network", node.operation), weights)
    return lambda *given: graph.run(dict(zip(graph.inputs, given, strict=True)))[0]


def _padding(node: Any) -> list[tuple[int, int]]:
    """Return the pixels of padding before and after, for each axis of the larger side of a convolution."""
    layer = node.operation
    larger, smaller = (node.input_tensors[0].shape[1:3], node.outputs[0].shape[1:3])
    if isinstance(layer, layers.Conv2DTranspose):
        larger, smaller = smaller, larger
    if layer.padding != "same":
        return [(0, 0)] * 2
    sizes = zip(larger, smaller, layer.kernel_size, layer.strides, strict=True)
    totals = [max((count - 1) * stride + kernel - size, 0) for size, count, kernel, stride in sizes]
    return [(total // 2, total - total // 2) for total in totals]


def _check(layer: Any) -> None:
    plain = (
        getattr(layer, "groups", 1) == 1
        and set(layer.dilation_rate) == {1}
        and layer.activation is keras.activations.linear
    )
    if not plain or layer.data_format != "channels_last" or min(layer.kernel_size) < max(layer.strides):
        raise NotLowered(layer.name)


def _bias(layer: Any, like: Tensor) -> Tensor | None:
    return layer.bias.value.to(like.dtype) if layer.use_bias else None


def _conv(node: Any, weights: Weights) -> Function:
    layer = node.operation
    _check(layer)
    kernel, pads = weights.kernel(layer.kernel), _padding(node)
    even = all(before == after for before, after in pads)
    fits = even or (weights.mirrored and min(layer.strides) > 1)
    padding = [after for _, after in pads] if fits else [0, 0]
    # Width first, each axis from its start; mirrored, the start is the end.
    margin = [side for pair in pads[::-1] for side in (pair[::-1] if weights.mirrored else pair)]

    def call(x: Tensor) -> Tensor:
        x = x if fits else functional.pad(x, margin)
        return functional.conv2d(x, kernel.to(x.dtype), _bias(layer, x), layer.strides, padding)

    return call


class _ConvTranspose(torch.autograd.Function):
    """Transposed convolution with the gradients of the convolution that it transposes.

    They are the same bits as PyTorch's own, which take up to three times as long on a CPU.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, kernel: Tensor, bias: Tensor | None, sizes: Any) -> Tensor:
        """Compute the layer; sizes: stride, padding and additional padding of the output."""
        context.save_for_backward(x, kernel)
        context.sizes, context.biased = sizes, bias is not None
        return functional.conv_transpose2d(x, kernel, bias, *sizes)

    @staticmethod
    def backward(context: Any, change: Tensor) -> Any:
        """Compute the gradients of the input, the kernel and the bias."""
        (x, kernel), (stride, padding, _) = context.saved_tensors, context.sizes
        before = functional.conv2d(change, kernel, None, stride, padding) if context.needs_input_grad[0] else None
        settings = (stride, padding, (1, 1), False, (0, 0), 1, (False, True, False))
        _, of_kernel, _ = torch.ops.aten.convolution_backward(x, change, kernel, None, *settings)
        return before, of_kernel, change.sum((0, 2, 3)) if context.biased else None, None


def _conv_transpose(node: Any, weights: Weights) -> Function:
    layer = node.operation
    _check(layer)
    kernel, pads = weights.kernel(layer.kernel), _padding(node)
    height, width = node.outputs[0].shape[1:3]
    even = all(before == after for before, after in pads)
    fits = even or weights.mirrored
    padding = [after for _, after in pads] if fits else [0, 0]
    extra = [after - before for before, after in pads] if fits else [0, 0]
    top, left = (before for before, _ in pads)

    def call(x: Tensor) -> Tensor:
        weight = kernel.to(x.dtype)
        y = _ConvTranspose.apply(x, weight, _bias(layer, x), (layer.strides, padding, extra))
        return y if fits else y[:, :, top : top + height, left : left + width]

    return call


def _batch_norm(node: Any, weights: Weights) -> Function:
    layer = node.operation
    if not (layer.scale and layer.center) or layer.axis not in (-1, len(node.outputs[0].shape) - 1):
        raise NotLowered(layer.name)

    def call(x: Tensor) -> Tensor:
        mean, variance = torch.zeros_like(layer.moving_mean.value), torch.zeros_like(layer.moving_variance.value)
        scale, offset, fast = layer.gamma.value, layer.beta.value, torch.backends.cudnn.enabled
        y = torch.batch_norm(x, scale, offset, mean, variance, True, 1.0, layer.epsilon, fast)
        count = x.numel() // x.shape[1]
        # PyTorch divides by n - 1, Keras by n.
        biased = variance * ((count - 1) / count) if count > 1 else torch.zeros_like(variance)
        with torch.no_grad():
            for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
                moving.value.mul_(layer.momentum).add_(new, alpha=1.0 - layer.momentum)
        return y

    return call


def _group_norm(node: Any, weights: Weights) -> Function:
    layer = node.operation
    if not (layer.scale and layer.center) or layer.axis not in (-1, len(node.outputs[0].shape) - 1):
        raise NotLowered(layer.name)
    return lambda x: functional.group_norm(
        x, layer.groups, layer.gamma.value.to(x.dtype), layer.beta.value.to(x.dtype), layer.epsilon
    )


def _leaky_relu(layer: Any, in_place: bool) -> Function:
    return _cast(layer, lambda x: functional.leaky_relu(x, layer.negative_slope, in_place))


def _activation(node: Any, weights: Weights) -> Function:
    name = node.operation.activation.__name__
    if name not in _ACTIVATIONS:
        raise NotLowered(name)
    return _ACTIVATIONS[name]


def _dense(node: Any, weights: Weights) -> Function:
    layer = node.operation
    if layer.activation is not keras.activations.linear or not layer.use_bias or len(node.outputs[0].shape) != 2:
        raise NotLowered(layer.name)
    return lambda x: torch.addmm(layer.bias.value.to(x.dtype), x, layer.kernel.value.to(x.dtype))


def _flatten(node: Any, weights: Weights) -> Function:
    return lambda x: _leave(x, weights.mirrored).flatten(1)


def _reshape(node: Any, weights: Weights) -> Function:
    shape = node.outputs[0].shape[1:]
    return lambda x: _enter(_leave(x, weights.mirrored).reshape(-1, *shape), weights.mirrored)


def _concatenate(node: Any, weights: Weights) -> Function:
    if node.operation.axis not in (-1, len(node.outputs[0].shape) - 1):
        raise NotLowered(node.operation.name)
    return lambda *given: torch.cat(given, dim=1)


def _max_pool(node: Any, weights: Weights) -> Function:
    layer, shape = node.operation, node.input_tensors[0].shape[1:3]
    parts = zip(shape, layer.pool_size, layer.strides, strict=True)
    if any(pool != stride or side % stride for side, pool, stride in parts):
        raise NotLowered(layer.name)
    return lambda x: functional.max_pool2d(x, layer.pool_size)


_ACTIVATIONS: dict[str, Function] = {
    "relu": functional.relu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "sigmoid": torch.sigmoid,
    "linear": lambda x: x,
}
_nothing = keras.Input(())
_LOWERED: dict[type, Callable[[Any, Weights], Function]] = {
    layers.Conv2D: _conv,
    layers.Conv2DTranspose: _conv_transpose,
    layers.BatchNormalization: _batch_norm,
    layers.GroupNormalization: _group_norm,
    layers.Activation: _activation,
    layers.Dense: _dense,
    layers.Flatten: _flatten,
    layers.Reshape: _reshape,
    layers.Add: lambda node, weights: lambda first, second: first + second,
    layers.Concatenate: _concatenate,
    layers.MaxPooling2D: _max_pool,
    Mirrored: _network,
    type(keras.Model(_nothing, _nothing)): _network,
}
