"""The change that a layer makes, in one sentence, by its kind."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from engine.analysis.layers import LayerInfo

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
