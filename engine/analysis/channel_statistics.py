"""Statistics of every channel over a whole dataset, computed batch by batch."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.analysis import activations
from engine.messages import ShouldStop, never_stop

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
    model: Any,
    images: Any,
    names: Collection[str] | None = None,
    should_stop: ShouldStop = never_stop,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, ChannelStatistics] | None:
    """Compute the statistics of every channel of some layers.

    Args:
        model: a built model of Engram.
        images: see `activations.batches`; all of them are read, with bounded memory.
        names: names of the layers; all of them if None.
        should_stop: polled between layers.
        progress: receives the number of processed images and the total.

    Returns:
        name -> statistics, in network order. Returns None if stopped.

    Raises:
        ConfigError: the model has no layer of that name.
    """
    job = StatisticsJob(model, images, names)
    return job.get_result() if job.advance(should_stop, progress) else None


class StatisticsJob:
    """Computation of channel statistics that stops between two layers and continues there.

    Args:
        model: a built model of Engram.
        images: see `activations.batches`.
        names: names of the layers; all of them if None.
    """

    def __init__(self, model: Any, images: Any, names: Collection[str] | None = None) -> None:
        self._passages = activations.ActivationBatches(model, images, names)
        self._left: activations.Activations = {}
        self._gathered: dict[str, _RunningMoments] = {}

    @property
    def total(self) -> int:
        """Return the number of images."""
        return self._passages.total

    def advance(self, should_stop: ShouldStop = never_stop, progress: Callable[[int, int], None] | None = None) -> bool:
        """Continue the computation. Returns False if stopped before the last image."""
        while not should_stop():
            if not self._left:
                batch = self._passages.next(should_stop)
                if batch is None:
                    return self._passages.done == self.total
                self._left = batch[1]
            name = next(iter(self._left))
            activation = self._left.pop(name)
            self._gathered.setdefault(name, _RunningMoments(activation.shape[-1])).add(activation)
            if not self._left and progress:
                progress(self._passages.done, self.total)
        return False

    def get_result(self) -> dict[str, ChannelStatistics]:
        """Return the statistics over the images so far."""
        return {name: each.finished() for name, each in self._gathered.items()}


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
