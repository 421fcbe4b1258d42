"""Principal components of images: their fit, and a layer that projects into their subspace and back."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from engine.job_context import UNATTENDED, JobContext
from engine.pca import iterate_gram, iterate_subspace

CHUNK = 256  # images at a time
IN_MEMORY = 4096  # images whose axes come from their Gram matrix, many times faster than by iteration

Floats = NDArray[np.float32]


def principal(
    images: NDArray[np.uint8], count: int, rng: np.random.Generator, context: JobContext = UNATTENDED
) -> tuple[Floats, Floats]:
    """Compute the mean of images and the principal axes around it.

    Args:
        images: (n, pixels) in 0 to 255.
        count: number of axes.
        rng: source of the initialization.
        context: asked between chunks of images whether to stop.

    Returns:
        The mean (pixels,) in [0, 1] and the axes (pixels, count), orthonormal columns, largest variance first; those
        beyond the rank that n images or the pixels allow are arbitrary or zero.

    Raises:
        Cancelled: the caller asked to stop.
    """
    mean = images.mean(axis=0, dtype=np.float64).astype(np.float32) / np.float32(255)

    def read_blocks() -> Iterator[Floats]:
        for first in range(0, len(images), CHUNK):
            context.check()
            yield images[first : first + CHUNK] / np.float32(255) - mean

    if count < len(images) <= min(IN_MEMORY, images.shape[1]):
        axes = iterate_gram(np.concatenate(list(read_blocks())), count, rng)
    else:
        axes = iterate_subspace(read_blocks, images.shape, min(count, *images.shape), rng)
    return mean, np.pad(axes, ((0, 0), (0, count - axes.shape[1])))


@keras.saving.register_keras_serializable("engram")
class Subspace(layers.Layer):
    """An affine subspace of the images: a mean, and orthonormal axes. Fitted once, not trained.

    Args:
        size: side of the images.
        count: number of axes.
    """

    def __init__(self, size: int, count: int, **kwargs: Any) -> None:
        super().__init__(trainable=False, dtype="float32", **kwargs)
        self.size, self.count = size, count
        pixels = size * size
        self.mean = self.add_weight((pixels,), initializer="zeros", name="mean", trainable=False)
        start = keras.initializers.RandomNormal(stddev=1 / size)  # columns of about unit length, nearly orthogonal
        self.axes = self.add_weight((pixels, count), initializer=start, name="axes", trainable=False)
        self.built = True

    def assign(self, mean: Floats, axes: Floats) -> None:
        """Set the mean (pixels,) and the axes (pixels, count)."""
        self.mean.assign(mean)
        self.axes.assign(axes)

    def call(self, inputs: Any, way: str) -> Any:
        """Apply one of three maps, all float32.

        Args:
            inputs: images (n, size, size, 1), or coordinates (n, count) if `way` is 'out'.
            way: 'in': images to coordinates; 'out': coordinates to images; 'beside': projection of a change of images
                onto the orthogonal complement, so that adding it does not change their coordinates.

        Returns:
            (n, count) for 'in', else (n, size, size, 1).
        """
        if way == "out":
            flat = ops.matmul(inputs, ops.transpose(self.axes)) + self.mean
            return ops.reshape(flat, (-1, self.size, self.size, 1))
        flat = ops.reshape(ops.cast(inputs, "float32"), (-1, self.size * self.size))
        if way == "in":
            return ops.matmul(flat - self.mean, self.axes)
        along = ops.matmul(ops.matmul(flat, self.axes), ops.transpose(self.axes))
        return ops.reshape(flat - along, (-1, self.size, self.size, 1))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which Keras rebuilds the layer."""
        return {**super().get_config(), "size": self.size, "count": self.count}
