"""What is known of every channel: statistics over a whole dataset, computed batch by batch, and weights as images."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis import activations, layers, make_unknown_layer_error
from engine.errors import ConfigError
from engine.job_context import UNATTENDED, JobContext, Steps, run_steps
from engine.protocols import EngramModel, ImageSequence

# A channel that changes by less, as a share of its layer's largest value, counts as constant.
CONSTANT = 1e-6
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChannelStatistics:
    """Statistics of one layer's channels over a dataset; every array has one entry per channel.

    Args:
        images: number of images.
        mean: mean over all images and positions.
        std: standard deviation over all images and positions.
        energy: mean of the squares.
        zero_fraction: fraction of the values that are exactly 0. A leaky non-linearity has none.
        min: smallest value.
        max: largest value.
        dead: whether the channel is constant over all positions and images.
    """

    images: int
    mean: Numbers
    std: Numbers
    energy: Numbers
    zero_fraction: Numbers
    min: Numbers
    max: Numbers
    dead: NDArray[np.bool_]


def statistics(
    model: EngramModel,
    images: NDArray[np.float32] | ImageSequence,
    names: Collection[str] | None = None,
    context: JobContext = UNATTENDED,
) -> dict[str, ChannelStatistics]:
    """Compute the statistics of every channel of some layers.

    Args:
        model: a built model of Engram.
        images: see `activations.batches`; all of them are read, with bounded memory.
        names: names of the layers; all of them if None.
        context: checked between layers; receives the number of processed images and the total.

    Returns:
        name -> statistics, in network order.

    Raises:
        ConfigError: the model has no layer of that name.
        Cancelled: the caller asked to stop.
    """
    return run_steps(compute_statistics_in_steps(model, images, names, context), context)


def compute_statistics_in_steps(
    model: EngramModel,
    images: NDArray[np.float32] | ImageSequence,
    names: Collection[str] | None = None,
    context: JobContext = UNATTENDED,
) -> Steps[dict[str, ChannelStatistics]]:
    """Compute what `statistics` returns; every layer of a batch is a step, and a pass that is interrupted is repeated.

    Args:
        model: a built model of Engram.
        images: see `activations.batches`.
        names: names of the layers; all of them if None.
        context: checked between the layers of a pass.
    """
    gathered: dict[str, _RunningMoments] = {}
    for batch in activations.interruptible_batches(model, images, names, context):
        if batch is None:
            yield None
            continue
        first, left = batch
        while left:
            name = next(iter(left))
            activation = left.pop(name)
            gathered.setdefault(name, _RunningMoments(activation.shape[-1])).add(activation)
            yield None if left else (first + len(activation), len(images))
    return {name: each.finished() for name, each in gathered.items()}


class _RunningMoments:
    """Running sums of one layer; means and squares are merged by the formula of Chan, Golub and LeVeque (1983)."""

    def __init__(self, channels: int) -> None:
        self.images = self.count = 0
        self.mean, self.squares, self.zero_fraction = np.zeros(channels), np.zeros(channels), np.zeros(channels)
        self.min, self.max = np.full(channels, np.inf), np.full(channels, -np.inf)

    def add(self, activation: NDArray[np.float32]) -> None:
        values = activation.reshape(-1, activation.shape[-1]).astype(np.float64)
        total = self.count + len(values)
        mean = values.mean(axis=0)
        apart = mean - self.mean
        self.squares += np.square(values - mean).sum(axis=0) + apart**2 * self.count * len(values) / total
        self.mean += apart * len(values) / total
        self.zero_fraction += np.count_nonzero(values == 0.0, axis=0)
        self.min = np.minimum(self.min, values.min(axis=0))
        self.max = np.maximum(self.max, values.max(axis=0))
        self.images, self.count = self.images + len(activation), total

    def finished(self) -> ChannelStatistics:
        variance = self.squares / self.count
        largest = float(np.maximum(np.abs(self.min), np.abs(self.max)).max())
        return ChannelStatistics(
            images=self.images,
            mean=self.mean,
            std=np.sqrt(variance),
            energy=variance + self.mean**2,
            zero_fraction=self.zero_fraction / self.count,
            min=self.min,
            max=self.max,
            dead=self.max - self.min <= CONSTANT * largest,
        )


Pictures = NDArray[np.float32]


def kernels(model: keras.Model, name: str) -> Pictures:
    """Return a layer's weights as images, without any scaling.

    Args:
        model: a built model of Engram.
        name: a convolution, plain or transposed; or a dense layer whose input or output is a whole image.

    Returns:
        (channels, inputs, height, width) float32: for each channel one image per input channel. Those of a transposed
        convolution are the patterns that it writes. (channels, 1, size, size), one image per unit, for a layer between
        images and vectors.

    Raises:
        ConfigError: there is no such layer, or its weights are no images.
    """
    walked = layers.trace_layers(model)
    for layer, operation in walked:
        if layer.name == name:
            found = kernel_images(layer.kind, operation)
            if found is None:
                raise ConfigError(
                    f"The weights of layer '{name}' cannot be shown as kernels.", "Choose a convolution layer."
                )
            return np.ascontiguousarray(found, np.float32)
    raise make_unknown_layer_error(name, (layer.name for layer, _ in walked))


def kernel_images(kind: str, operation: Any) -> Pictures | None:
    """Return the weights of a Keras layer as `kernels` does. Returns None if they are no images."""
    if kind == "Conv2D":
        return _weights(operation.kernel).transpose(3, 2, 0, 1)
    if kind == "Conv2DTranspose":
        return _weights(operation.kernel).transpose(2, 3, 0, 1)
    if kind == "Subspace":
        return _weights(operation.axes).T.reshape(operation.count, 1, operation.size, operation.size)
    if kind == "Dense":
        weights = _weights(operation.kernel)
        # From an image, or to one.
        for each in (weights.T, weights):
            side = math.isqrt(each.shape[1])
            if side * side == each.shape[1] and each.shape[1] > each.shape[0]:
                return each.reshape(len(each), 1, side, side)
    return None


def _weights(variable: Any) -> Pictures:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
