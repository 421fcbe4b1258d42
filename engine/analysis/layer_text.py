"""Descriptions of a model's layers in plain words: input, receptive field, and the change that each kind makes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from engine.analysis.detectability import live_tensors
from engine.analysis.layers import LayerInfo
from engine.analysis.tensor_sources import IMAGES

Shape = tuple[int, ...]
Change = Callable[[LayerInfo, Any, Sequence[Shape]], str]
BENDS = {
    "relu": "ReLU: sets negative values to zero (that information is lost).",
    "sigmoid": "Sigmoid: maps every value into 0 to 1.",
    "tanh": "Tanh: maps every value into −1 to 1.",
    "linear": "Identity: changes nothing.",
    "silu": "SiLU: passes large values on and damps negative ones toward zero.",
    "gelu": "GELU: passes large values on and damps negative ones toward zero.",
    "elu": "ELU: passes positive values on and maps negative ones into −1 to 0.",
    "softplus": "Softplus: makes every value positive by a smooth curve.",
}
SENTENCES = {
    "BatchNormalization": "Batch normalization: shifts and scales each channel by amounts fixed in training.",
    "GroupNormalization": (
        "Group normalization: normalizes groups of channels to zero mean and unit SD per image, then applies a "
        "learned scale and shift."
    ),
    "LayerNormalization": "Normalizes to zero mean and unit SD per image, then applies a learned scale and shift.",
    "Dropout": "Has no effect outside training.",
    "SpatialDropout2D": "Has no effect outside training.",
    "GaussianNoise": "Has no effect outside training.",
    "GaussianDropout": "Has no effect outside training.",
    "ReLU": BENDS["relu"],
    "ELU": BENDS["elu"],
    "PReLU": "Scales negative values by a learned factor and passes positive ones on.",
    "Rescaling": "Shifts and scales all values by fixed amounts.",
    "Add": "Adds its inputs element by element.",
    "Subtract": "Subtracts the second input from the first, element by element.",
    "Multiply": "Multiplies its inputs element by element.",
    "Average": "Averages its inputs element by element.",
    "Maximum": "Keeps the larger value, element by element.",
    "Minimum": "Keeps the smaller value, element by element.",
    "Fold": "Rearranges every 2 × 2 positions into four channels; the values stay the same.",
    "Unfold": "Rearranges every four channels into 2 × 2 positions; the values stay the same.",
    "Bounded": "Clips intensities to 0–1.",
    "AddedToInput": "Adds the predicted change to the image and clips to 0–1.",
    "Mirrored": "Averages the output for the image with the mirrored output for its mirror image.",
    "Sampling": "Samples the latent code from the posterior N(mean, SD²).",
    "GlobalAveragePooling2D": "Averages each channel over all positions.",
    "GlobalMaxPooling2D": "Keeps the largest value of each channel.",
}


def describe_change(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    """Describe the change that a layer makes.

    Args:
        layer: the layer.
        operation: the Keras layer or operation.
        given: the shapes of all its inputs for one image; empty if unknown.
    """
    if layer.kind in SENTENCES:
        return SENTENCES[layer.kind]
    said = (
        CHANGES[layer.kind](layer, operation, given)
        if layer.kind in CHANGES
        else f"Output: {describe_shape(layer.shape)}."
    )
    before = sum(map(numbers_in, given))
    if not given or layer.kind not in COUNTED:
        return said
    return f"{said[:-1]}: {ratio(before, numbers_in(layer.shape))}."


def _convolved(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    return (
        f"Convolution {format_size(layer.kernel)}, {_channels(layer, given)}{_step(layer)}{_nonlinearity(operation)}."
    )


def _depthwise(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    size = format_size(layer.kernel)
    return f"Depthwise convolution {size}, each channel separately{_step(layer)}{_nonlinearity(operation)}."


def _transposed_conv(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    size, channels = format_size(layer.kernel), _channels(layer, given)
    return f"Transposed convolution {size}, {channels}{_step(layer)}{_nonlinearity(operation)}."


def _weighed(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    of = f"all {pluralize(numbers_in(given[0]), 'value')}" if given else "all inputs"
    return f"Dense: each of {pluralize(layer.shape[-1], 'value')} is a weighted sum of {of}{_nonlinearity(operation)}."


def _relaid(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    return f"Reshapes its input to {describe_shape(layer.shape)}; the values stay the same."


def _pooled(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    what = "the maximum" if layer.kind.startswith("Max") else "the mean"
    return f"Keeps {what} of every {format_size(layer.kernel)} positions of each channel; the rest is lost."


def _enlarged(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    how = "repeating values" if operation.interpolation == "nearest" else f"{operation.interpolation} interpolation"
    return f"Enlarges each channel to {format_size(layer.shape[:2])} by {how}; adds no information."


def _joined(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    counts = " + ".join(str(shape[-1]) for shape in given)
    return f"Concatenates {counts} channels." if given else "Concatenates channels."


def _leaky(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    slope = float(operation.negative_slope)
    return f"Leaky ReLU: multiplies negative values by {slope:g} and passes the others on." if slope else BENDS["relu"]


def _activated(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    name = _function(operation)
    return BENDS.get(name, f"Applies {name or 'a function'} to every value.")


def _spanned(layer: LayerInfo, operation: Any, given: Sequence[Shape]) -> str:
    """Describe one of the three uses of a subspace: projection, reconstruction, and the rest."""
    directions = pluralize(int(operation.count), "direction")
    if len(layer.shape) == 1:
        return f"Projects the image onto {directions} and keeps the coordinates; the rest is lost."
    if given and len(given[0]) == 1:
        return f"Maps the coordinates along {directions} back to an image."
    return f"Removes the component along {directions} and keeps the rest."


def _function(operation: Any) -> str:
    return str(getattr(getattr(operation, "activation", None), "__name__", "")).replace("swish", "silu")


def _nonlinearity(operation: Any) -> str:
    """Describe a non-linearity inside a layer."""
    name = _function(operation)
    return f", then {name}" if name not in ("", "linear") else ""


def _channels(layer: LayerInfo, given: Sequence[Shape]) -> str:
    """Return the channels before and after a layer, such as '1 → 24 channels'."""
    after = pluralize(layer.shape[-1], "channel")
    return f"{given[0][-1]:,} → {after}" if given else after


def _step(layer: LayerInfo) -> str:
    """Return a stride above 1, such as ', stride 2'; empty for 1."""
    if max(layer.stride) == 1:
        return ""
    return f", stride {layer.stride[0] if len(set(layer.stride)) == 1 else format_size(layer.stride)}"


COUNTED = {"Conv2D", "Conv2DTranspose", "SeparableConv2D", "Dense"}
CHANGES: dict[str, Change] = {
    "Conv2D": _convolved,
    "SeparableConv2D": _convolved,
    "DepthwiseConv2D": _depthwise,
    "Conv2DTranspose": _transposed_conv,
    "Dense": _weighed,
    "Flatten": _relaid,
    "Reshape": _relaid,
    "MaxPooling2D": _pooled,
    "AveragePooling2D": _pooled,
    "UpSampling2D": _enlarged,
    "Concatenate": _joined,
    "LeakyReLU": _leaky,
    "Activation": _activated,
    "Subspace": _spanned,
}


def format_size(sides: Sequence[float]) -> str:
    """Format the sides of a window or a stride: '3 × 3'."""
    return " × ".join(f"{side:.3g}" for side in sides)


def numbers_in(shape: Sequence[int]) -> int:
    """Count the values in a layer's output for one image."""
    return math.prod(shape)


def pluralize(count: int, what: str) -> str:
    """Format a count with its noun: '1 channel', '8,192 values'."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def describe_shape(shape: Sequence[int]) -> str:
    """Describe a shape: '64 channels of 32 × 32', '512 values'."""
    if len(shape) == 1:
        return pluralize(shape[0], "value")
    return f"{pluralize(shape[-1], 'channel')} of {format_size(shape[:-1])}"


def ratio(before: int, after: int) -> str:
    """Describe the change of a count: '4× fewer values than its input', 'as many values as its input'."""
    if before == after:
        return "as many values as its input"
    more, less = max(before, after), min(before, after)
    times = f"{more / less:.3g}×"
    return f"{times} fewer values than its input" if after < before else f"{times} as many values as its input"


MOST_NAMED = 3


def describe_layers(walked: Sequence[tuple[LayerInfo, Any]]) -> dict[str, tuple[str, ...]]:
    """Describe every layer.

    Args:
        walked: `layers.trace_layers` of a model.

    Returns:
        name -> sentences: its input; its receptive field; the change that it makes; and, if there is more to say, its
        position on the path to the output.
    """
    known = [layer for layer, _ in walked]
    side = len(known[0].field.rows) if known else 0
    view = _Model(known, _image_of(walked) or (side, side, 1), _parts_of_layers(walked))
    return {layer.name: _sentences(view, index, operation) for index, (layer, operation) in enumerate(walked)}


@dataclass(frozen=True, eq=False)
class _Model:
    """All layers, the shape of the image, and the names of layers inside another layer."""

    known: Sequence[LayerInfo]
    image: tuple[int, ...]
    inner: frozenset[str]

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {IMAGES: self.image} | {layer.name: layer.shape for layer in self.known}


def _sentences(view: _Model, index: int, operation: Any) -> tuple[str, ...]:
    layer = view.known[index]
    given = [view.shapes[name] for name in layer.receives]
    place = _describe_path(view, index)
    return (
        _describe_inputs(view, layer),
        _seen(layer, view.image),
        describe_change(layer, operation, given),
        *([place] if place else []),
    )


def _describe_inputs(view: _Model, layer: LayerInfo) -> str:
    again = f"Shares its weights with {layer.name.split('#')[0]}. " if "#" in layer.name else ""
    if not layer.receives:
        return f"{again}Its input comes from an operation that is not a layer, so the source is not known."
    inputs = [_named(name, view.shapes[name]) for name in layer.receives[:MOST_NAMED]]
    if len(layer.receives) > MOST_NAMED:
        inputs.append(f"{len(layer.receives) - MOST_NAMED} more")
    return f"{again}Input: {' and '.join(inputs)}."


def _named(name: str, shape: tuple[int, ...]) -> str:
    return f"the image, {describe_shape(shape)}" if name == IMAGES else f"{name}, {describe_shape(shape)}"


def _seen(layer: LayerInfo, image: tuple[int, ...]) -> str:
    field = layer.field
    if not field.known:
        return "Receptive field not known; taken as the whole image."
    height, width = image[0], image[1]
    whole = all((spans == (0, end - 1)).all() for spans, end in ((field.rows, height), (field.columns, width)))
    if whole:
        return "Receptive field: the whole image."
    tall, wide = field.size
    if (tall, wide) == (1, 1):
        return "Receptive field: 1 px."
    share = f"{100 * tall * wide / (height * width):.2g}%"
    step = "" if 0.0 in field.step else f", step {format_size(field.step)} px"
    return f"Receptive field {format_size((tall, wide))} px ({share} of the image){step}."


def _describe_path(view: _Model, index: int) -> str:
    """Describe what else reaches the output, and whether everything passes this layer."""
    layer, last = view.known[index], len(view.known) - 1
    if index == last:
        return "Output layer" + ("." if layer.shape == view.image else f", {describe_shape(layer.shape)}.")
    ahead = live_tensors(view.known, index)
    if layer.name in view.inner:
        return ""
    if layer.name not in ahead:
        return "Not used for the reconstruction: the output does not depend on this layer."
    others = [name for name in ahead if name != layer.name]
    if others:
        few = ", ".join("the image" if name == IMAGES else name for name in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        verb = "reaches" if len(others) == 1 else "reach"
        return f"Skip connection: {few}{more} also {verb} the output without passing this layer."
    return _bottleneck_note(view, index)


def _bottleneck_note(view: _Model, index: int) -> str:
    """Describe the bottleneck: all of the output passes this layer, in fewer values than anywhere else."""
    alone = [at for at in range(len(view.known)) if live_tensors(view.known, at) == [view.known[at].name]]
    sizes = [numbers_in(view.known[at].shape) for at in alone]
    here, pixels = numbers_in(view.known[index].shape), numbers_in(view.image)
    if here >= pixels or index != alone[sizes.index(min(sizes))]:
        return ""
    return (
        f"Bottleneck: everything in the output passes through these {pluralize(here, 'value')} "
        f"({100 * here / pixels:.2g}% of {pluralize(pixels, 'pixel')})."
    )


def _image_of(walked: Sequence[tuple[LayerInfo, Any]]) -> tuple[int, ...] | None:
    """Return the shape of the image, from the receptive fields of all layers."""
    ends = [(int(layer.field.rows[:, 1].max()) + 1, int(layer.field.columns[:, 1].max()) + 1) for layer, _ in walked]
    return (max(rows for rows, _ in ends), max(columns for _, columns in ends), 1) if ends else None


def _parts_of_layers(walked: Sequence[tuple[LayerInfo, Any]]) -> frozenset[str]:
    """Return the names of layers inside another layer, whose own calls do not tell how it uses them."""
    inner: set[int] = set()
    for _, operation in walked:
        if isinstance(operation, keras.layers.Layer):
            for each in operation._flatten_layers(include_self=False):
                inner |= {id(each), *(id(part) for part in getattr(each, "operations", []))}
    return frozenset(layer.name for layer, operation in walked if id(operation) in inner)
