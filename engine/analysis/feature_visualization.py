"""Feature visualization of a channel: activation maximization and saliency.

Activation maximization changes a gray image step by step to raise the value of a channel. Erhan et al.: Visualizing
higher-layer features of a deep network (2009). Unconstrained, such images become high-frequency noise. So each step
shifts the image a little (jitter), blurs its gradient, less and less towards the end, and keeps the image in [0, 1] and
within a distance of its start: Olah, Mordvintsev, Schubert, Feature visualization, Distill (2017), who compare such
methods. The result is one of many possible images, and no image that the model has seen.

Saliency is the gradient of a channel's value with respect to the pixels of an image. Simonyan, Vedaldi, Zisserman: Deep
inside convolutional networks. arXiv:1312.6034 (2013). Smilkov et al.: SmoothGrad, arXiv:1706.03825 (2017): the mean
gradient over noisy copies, which is less noisy. A gradient gives the effect of a small change to this image, not the
pixels that caused the value.
"""

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import scipy
from numpy.typing import NDArray

from engine.analysis import layers, make_unknown_layer_error
from engine.analysis.gradients import gradient
from engine.errors import ConfigError
from engine.job_context import UNATTENDED, JobContext, Steps, run_steps

GRAY = 0.5
# Amplitude of the noise at the start, so that not all pixels are equal.
START_NOISE = 0.01
# Standard deviation of the noise on the copies, in intensities.
COPY_NOISE = 0.1


@dataclass(frozen=True)
class GradientAscentSettings:
    """Settings of the gradient ascent.

    Args:
        steps: number of steps.
        step: root mean square of one step's change, intensities.
        jitter: largest shift of the image before the first step, px; falls to 0 at the last.
        blur: width of the Gaussian over the gradient at the first step, px; falls to 0 at the last.
        bound: largest root mean square distance from the gray start, intensities.
        seed: seed of the start and the shifts.
    """

    steps: int = 48
    step: float = 0.03
    jitter: int = 2
    blur: float = 1.5
    bound: float = 0.25
    seed: int = 0


@dataclass(frozen=True, eq=False)
class PreferredInput:
    """Result of an activation maximization.

    Args:
        image: (size, size) float32 in [0, 1].
        start: the channel's value for the gray start.
        value: its value for the image.
        values: the objective before each step: the channel's value, before its non-linearity if it has one.
    """

    image: NDArray[np.float32]
    start: float
    value: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class ChannelObjective:
    """Objective of a channel, or of one unit of it.

    Args:
        layer: name of the layer.
        number: index of the channel, from 0.
        unit: (row, column) of one unit; the mean over all of them if None. A layer without positions has no units.
    """

    layer: str
    number: int
    unit: tuple[int, int] | None = None

    def check(self, model: keras.Model) -> None:
        """Check that a model has the channel.

        Raises:
            ConfigError: there is no such layer, channel or unit.
        """
        shapes = {layer.name: layer.shape for layer in layers.list_layers(model)}
        if self.layer not in shapes:
            raise make_unknown_layer_error(self.layer, shapes)
        shape = shapes[self.layer]
        if not 0 <= self.number < shape[-1]:
            last = shape[-1] - 1
            raise ConfigError(
                f"Layer '{self.layer}' has no channel {self.number}.", f"Channels are numbered from 0 to {last}."
            )
        inside = len(shape) == 3 and self.unit and 0 <= self.unit[0] < shape[0] and 0 <= self.unit[1] < shape[1]
        if self.unit is not None and not inside:
            raise ConfigError(
                f"Layer '{self.layer}' has no unit {self.unit}.", "Choose a row and column inside the layer."
            )

    def evaluate(self, model: keras.Model, images: Any) -> Any:
        """Compute the objective for every image, as a tensor of the backend: (n, size, size, 1) -> (n,)."""
        activation = layers.activation_tensors(model, images, [self.layer])[self.layer][..., self.number]
        if len(activation.shape) == 1:
            return activation
        if self.unit is not None:
            return activation[:, self.unit[0], self.unit[1]]
        return keras.ops.mean(activation, axis=tuple(range(1, len(activation.shape))))


def preferred(
    model: keras.Model,
    channel: ChannelObjective,
    ascent: GradientAscentSettings | None = None,
    context: JobContext = UNATTENDED,
) -> PreferredInput:
    """Find the input that maximizes a channel; the same settings find the same image.

    Args:
        model: a built model of Engram.
        channel: the channel, or one unit of it.
        ascent: settings of the gradient ascent.
        context: checked before each step of the ascent; receives their number.

    Raises:
        ConfigError: the model has no such channel.
        Cancelled: the caller asked to stop.
    """
    return run_steps(maximize_activation_in_steps(model, channel, ascent), context)


def maximize_activation_in_steps(
    model: keras.Model, channel: ChannelObjective, ascent: GradientAscentSettings | None = None
) -> Steps[PreferredInput]:
    """Find what `preferred` returns, with its arguments; yield after every step of the ascent."""
    channel.check(model)
    how = ascent or GradientAscentSettings()
    rng = np.random.default_rng(how.seed)
    grain = rng.standard_normal((1, model.size, model.size, 1))
    gray = image = (GRAY + START_NOISE * grain).astype(np.float32)
    climbed = _ascend(model, channel)
    values: list[float] = []
    while len(values) < how.steps:
        # From 1 to 0.
        left = 1 - len(values) / how.steps
        reach = round(how.jitter * left)
        down, across = (int(each) for each in rng.integers(-reach, reach + 1, 2))
        value, slope = _valued(model, climbed, np.roll(image, (down, across), axis=(1, 2)))
        values.append(value)
        image = _stepped(image, np.roll(slope, (-down, -across), axis=(1, 2)), how, left)
        yield len(values), how.steps
    start, value = (_valued(model, channel, each)[0] for each in (gray, image))
    # The channel has no better input than gray.
    if value < start:
        image, value = gray, start
    return PreferredInput(image[0, ..., 0], start, value, tuple(values))


def _ascend(model: keras.Model, channel: ChannelObjective) -> ChannelObjective:
    """Return the objective: before a non-linearity, since behind it an inactive channel has no gradient."""
    known = layers.list_layers(model)
    layer = next(each for each in known if each.name == channel.layer)
    before = next((each for each in known if each.name in layer.receives), None)
    if layer.kind in layers.NONLINEAR and before is not None and before.shape == layer.shape:
        return replace(channel, layer=before.name)
    return channel


def _valued(
    model: keras.Model, channel: ChannelObjective, image: NDArray[np.float32]
) -> tuple[float, NDArray[np.float32]]:
    """Compute the channel's value for one image, and its gradient."""
    return gradient(lambda given: keras.ops.sum(channel.evaluate(model, given)), image)


def _stepped(
    image: NDArray[np.float32], slope: NDArray[np.float32], how: GradientAscentSettings, left: float
) -> NDArray[np.float32]:
    """Take one step along the blurred gradient, then project back into the bounds; `left` goes from 1 to 0."""
    along = scipy.ndimage.gaussian_filter(slope, (0, how.blur * left, how.blur * left, 0), mode="nearest")
    length = float(np.sqrt(np.mean(np.square(along))))
    if length == 0.0:
        return image
    apart = image + how.step * along / length - GRAY
    distance = float(np.sqrt(np.mean(np.square(apart))))
    return np.clip(GRAY + apart * min(1.0, how.bound / distance), 0.0, 1.0).astype(np.float32)


def saliency(
    model: keras.Model, images: NDArray[np.float32], channel: ChannelObjective, copies: int = 0, seed: int = 0
) -> NDArray[np.float32]:
    """Compute the change of a channel's value with each pixel.

    Args:
        model: a built model of Engram.
        images: (n, size, size, 1) float32 in [0, 1].
        channel: the channel, or one unit of it.
        copies: number of noisy copies whose gradients are averaged; 0 for the plain gradient.
        seed: seed of that noise.

    Returns:
        (n, size, size) float32, signed: activation per unit of intensity.

    Raises:
        ConfigError: the model has no such channel.
    """
    channel.check(model)

    def total(given: Any) -> Any:
        return keras.ops.sum(channel.evaluate(model, given))

    if not copies:
        return gradient(total, images)[1][..., 0]
    rng = np.random.default_rng(seed)
    found = np.zeros(images.shape[:3], np.float64)
    for _ in range(copies):
        noise = rng.standard_normal(images.shape, np.float32) * np.float32(COPY_NOISE)
        found += gradient(total, images + noise)[1][..., 0]
    return (found / copies).astype(np.float32)
