"""What a layer changes, in one sentence, by its kind."""

from collections.abc import Callable, Sequence
from typing import Any

from engine.explore.layers import Layer
from engine.explore.shapes import by, counted, made, numbers_in, ratio

Shape = tuple[int, ...]
Change = Callable[[Layer, Any, Sequence[Shape]], str]
BENDS = {
    "relu": "Sets what is negative to zero: that much is lost.",
    "sigmoid": "Squeezes every value into 0 to 1.",
    "tanh": "Squeezes every value into −1 to 1.",
    "linear": "Changes nothing.",
    "silu": "Passes large values on and damps negative ones towards zero.",
    "gelu": "Passes large values on and damps negative ones towards zero.",
    "elu": "Passes positive values on and squeezes negative ones into −1 to 0.",
    "softplus": "Makes every value positive, bending it softly towards zero.",
}
SENTENCES = {
    "BatchNormalization": "Shifts and scales each channel by amounts that training has fixed; places are not mixed.",
    "GroupNormalization": "Takes mean and spread of groups of channels, over all of the image, off and scales anew.",
    "LayerNormalization": "Takes mean and spread off and scales anew, by this image's own values.",
    "Dropout": "Does nothing outside of training.",
    "SpatialDropout2D": "Does nothing outside of training.",
    "GaussianNoise": "Does nothing outside of training.",
    "GaussianDropout": "Does nothing outside of training.",
    "ReLU": BENDS["relu"],
    "ELU": BENDS["elu"],
    "PReLU": "Scales negative values by a learned factor and passes positive ones on.",
    "Rescaling": "Shifts and scales all values by fixed amounts.",
    "Add": "Adds what it is given, place by place and channel by channel.",
    "Subtract": "Takes the second off the first, place by place and channel by channel.",
    "Multiply": "Multiplies what it is given, place by place and channel by channel.",
    "Average": "Averages what it is given, place by place and channel by channel.",
    "Maximum": "Keeps the larger value at each place of each channel.",
    "Minimum": "Keeps the smaller value at each place of each channel.",
    "Fold": "Turns every 2 × 2 places into four channels: the same numbers laid out anew.",
    "Unfold": "Turns every four channels into 2 × 2 places: the same numbers laid out anew.",
    "Bounded": "Cuts gray values off below 0 and above 1.",
    "AddedToInput": "Adds the change that was predicted to the image, and cuts off below 0 and above 1.",
    "Mirrored": "Averages the answer to the picture with the turned-back answer to its mirror image.",
    "Sampling": "Draws numbers round a mean with a spread.",
    "GlobalAveragePooling2D": "Averages each channel over all places.",
    "GlobalMaxPooling2D": "Keeps the largest value of each channel.",
}


def change_of(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    """What a layer changes.

    Args:
        layer: the layer.
        operation: Keras' layer or operation behind it.
        given: the shapes of all that it is given for one image; empty where that is not known.
    """
    if layer.kind in SENTENCES:
        return SENTENCES[layer.kind]
    said = CHANGES[layer.kind](layer, operation, given) if layer.kind in CHANGES else f"Makes {made(layer.shape)}."
    before = sum(map(numbers_in, given))
    if not given or layer.kind not in COUNTED:
        return said
    return f"{said[:-1]}: {ratio(before, numbers_in(layer.shape))}."


def _convolved(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    of = f" {counted(given[0][-1], 'channel')}" if given else ""
    window = f" over {by(layer.kernel)} places" if max(layer.kernel) > 1 else " at each place"
    step = f", at every {_nth(layer.stride)} place" if max(layer.stride) > 1 else ""
    into = counted(layer.shape[-1], "new one") if given else made(layer.shape)
    return f"Mixes{of}{window} into {into}{step}{_bent(operation)}."


def _depthwise(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    step = f", at every {_nth(layer.stride)} place" if max(layer.stride) > 1 else ""
    return f"Filters each channel by itself over {by(layer.kernel)} places{step}{_bent(operation)}."


def _laid_down(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    of = f" of {counted(given[0][-1], 'channel')}" if given else ""
    larger = f", {by(layer.stride)} times as large" if max(layer.stride) > 1 else ""
    channels = counted(layer.shape[-1], "new channel")
    return f"Lays each place{of} down as {by(layer.kernel)} places of {channels}{larger}{_bent(operation)}."


def _weighed(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    of = f" all {counted(numbers_in(given[0]), 'number')}" if given else " all that it is given"
    return f"Each of its {counted(layer.shape[-1], 'number')} is a weighted sum of{of}{_bent(operation)}."


def _relaid(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    return f"Lays the same numbers out anew, as {made(layer.shape)}."


def _pooled(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    what = "the largest" if layer.kind.startswith("Max") else "the mean"
    return f"Keeps {what} of every {by(layer.kernel)} places of each channel; the rest is lost."


def _enlarged(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    how = "repeating places" if operation.interpolation == "nearest" else "going evenly from place to place"
    return f"Enlarges each channel to {by(layer.shape[:2])} by {how}; nothing new is made."


def _joined(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    told = " + ".join(str(shape[-1]) for shape in given)
    return (
        f"Puts {told or 'all'} channels side by side; nothing is mixed yet." if given else "Puts channels side by side."
    )


def _leaky(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    slope = float(operation.negative_slope)
    return f"Scales what is negative by {slope:g} and passes the rest on." if slope else BENDS["relu"]


def _activated(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    name = _function(operation)
    return BENDS.get(name, f"Puts every value through {name or 'a function'}.")


def _spanned(layer: Layer, operation: Any, given: Sequence[Shape]) -> str:
    """A subspace has three ways: in, out, and beside."""
    directions = counted(int(operation.count), "direction")
    if len(layer.shape) == 1:
        return f"Keeps the picture's coordinates along {directions}; what lies beside them is lost."
    if given and len(given[0]) == 1:
        return f"Draws the picture that has these coordinates along {directions}."
    return f"Takes off what lies along {directions} and keeps what lies beside them."


def _function(operation: Any) -> str:
    return str(getattr(getattr(operation, "activation", None), "__name__", "")).replace("swish", "silu")


def _bent(operation: Any) -> str:
    """A non-linearity that a layer has within itself."""
    name = _function(operation)
    return f", then through {name}" if name not in ("", "linear") else ""


def _nth(stride: Sequence[int]) -> str:
    return {2: "second", 3: "third", 4: "fourth"}.get(max(stride), f"{max(stride)}th")


COUNTED = {"Conv2D", "Conv2DTranspose", "SeparableConv2D", "Dense"}
CHANGES: dict[str, Change] = {
    "Conv2D": _convolved,
    "SeparableConv2D": _convolved,
    "DepthwiseConv2D": _depthwise,
    "Conv2DTranspose": _laid_down,
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
