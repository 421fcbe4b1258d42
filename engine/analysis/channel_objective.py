"""Objective for gradient ascent on one channel of a layer: its mean over the image, or one of its units."""

from dataclasses import dataclass
from typing import Any

import keras

from engine.analysis import layers
from engine.analysis.unknown_layer import make_unknown_layer_error
from engine.errors import ConfigError


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

    def check(self, model: Any) -> None:
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

    def evaluate(self, model: Any, images: Any) -> Any:
        """Compute the objective for every image, as a tensor of the backend: (n, size, size, 1) -> (n,)."""
        activation = layers.activation_tensors(model, images, [self.layer])[self.layer][..., self.number]
        if len(activation.shape) == 1:
            return activation
        if self.unit is not None:
            return activation[:, self.unit[0], self.unit[1]]
        return keras.ops.mean(activation, axis=tuple(range(1, len(activation.shape))))
