"""Top-activating images of a channel, with the position of the strongest unit in each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis import activations, layers
from engine.analysis.layers import LayerInfo
from engine.errors import ConfigError
from engine.job_context import UNATTENDED, JobContext, Steps, run_steps
from engine.protocols import EngramModel, ImageSequence


@dataclass(frozen=True)
class TopActivation:
    """One top-activating image of a channel.

    Args:
        index: index of the image in the dataset.
        value: the channel's largest activation in it.
        row: row of the unit that has it; 0 in a layer without positions.
        column: column of that unit.
        box: (x, y, width, height) in pixels, the receptive field of that unit.
    """

    index: int
    value: float
    row: int
    column: int
    box: tuple[int, int, int, int]

    def patch(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Crop the unit's receptive field from its image: (size, size) or (size, size, 1) -> (height, width)."""
        x, y, width, height = self.box
        return image.reshape(image.shape[:2])[y : y + height, x : x + width]


@dataclass(frozen=True, eq=False)
class _TopK:
    """Largest activations of every channel: value, image and position, (images, channels) each, one per image."""

    values: NDArray[np.float32]
    indices: NDArray[np.int64]
    places: NDArray[np.int64]

    def best(self, count: int) -> "_TopK":
        """Return the largest of every channel; of equal ones the earlier image."""
        order = np.argsort(-self.values, axis=0, kind="stable")[:count]
        return self._each(lambda array: np.take_along_axis(array, order, axis=0))

    def joined(self, other: "_TopK") -> "_TopK":
        return _TopK(
            np.concatenate([self.values, other.values]),
            np.concatenate([self.indices, other.indices]),
            np.concatenate([self.places, other.places]),
        )

    def _each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> "_TopK":
        return _TopK(change(self.values), change(self.indices), change(self.places))


def top_activations(
    model: EngramModel,
    images: NDArray[np.float32] | ImageSequence,
    name: str,
    count: int = 9,
    context: JobContext = UNATTENDED,
) -> list[list[TopActivation]]:
    """Find the top-activating images of each channel of a layer, with at most one position in each.

    Args:
        model: a built model of Engram.
        images: see `activations.batches`; memory is bounded.
        name: the layer.
        count: number of images per channel.
        context: checked between layers; receives the number of processed images and the total.

    Returns:
        For every channel its top-activating images, the strongest first.

    Raises:
        ConfigError: the model has no such layer, or there is no image.
        Cancelled: the caller asked to stop.
    """
    return run_steps(find_top_activations_in_steps(model, images, name, count, context), context)


def find_top_activations_in_steps(
    model: EngramModel,
    images: NDArray[np.float32] | ImageSequence,
    name: str,
    count: int,
    context: JobContext = UNATTENDED,
) -> Steps[list[list[TopActivation]]]:
    """Find what `top_activations` returns; every batch is a step, and a pass that is interrupted is repeated.

    Args:
        model: a built model of Engram.
        images: see `activations.batches`.
        name: the layer.
        count: number of images per channel.
        context: checked between the layers of a pass.
    """
    if not len(images):
        raise ConfigError("There is no image in this split.", "Choose a split that has images.")
    best: _TopK | None = None
    for batch in activations.interruptible_batches(model, images, [name], context):
        if batch is None:
            yield None
            continue
        first, found = batch
        peaks = _peaks(found[name], first)
        best = (best.joined(peaks) if best else peaks).best(count)
        yield first + len(found[name]), len(images)
    assert best is not None
    layer = next(each for each in layers.list_layers(model) if each.name == name)
    return [_to_top_activations(layer, best, channel) for channel in range(best.values.shape[1])]


def _peaks(activation: NDArray[np.float32], first: int) -> _TopK:
    flat = activation.reshape(len(activation), -1, activation.shape[-1])
    places = flat.argmax(axis=1)
    values = np.take_along_axis(flat, places[:, np.newaxis], axis=1)[:, 0]
    indices = np.broadcast_to(np.arange(first, first + len(flat))[:, np.newaxis], places.shape)
    return _TopK(values, indices.astype(np.int64), places.astype(np.int64))


def _to_top_activations(layer: LayerInfo, best: _TopK, channel: int) -> list[TopActivation]:
    width = layer.shape[1] if len(layer.shape) == 3 else 1
    columns: Sequence[NDArray[Any]] = [each[:, channel] for each in (best.values, best.indices, best.places)]
    found = []
    for value, index, place in zip(*columns, strict=True):
        row, column = divmod(int(place), width)
        found.append(TopActivation(int(index), float(value), row, column, layer.field.box(row, column)))
    return found
