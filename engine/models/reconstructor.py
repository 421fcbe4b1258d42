"""Interface of every model of Engram."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from engine.job_context import JobContext
from engine.models import train_steps


@dataclass(frozen=True)
class AdaptContext:
    """Access to the training images before the first step of training.

    Args:
        count: number of images.
        seed: seed of the model's random numbers.
        draw: pass number, from 0 -> the images as training sees them, batch by batch, (k, size, size, 1) float32 in
            [0, 1]; with augmentation every pass has its own copies.
        context: asked between batches whether to stop.
        tell: called with a sentence on the current step.
    """

    count: int
    seed: int
    draw: Callable[[int], Iterator[NDArray[np.float32]]]
    context: JobContext
    tell: Callable[[str], None]


class Reconstructor(keras.Model):
    """A model from images to images, made of an `encoder` and a `decoder`.

    Args:
        size: side of the images.
        settings: the fields of the model's config.
    """

    training_loss: ClassVar[str | None] = "mse"  # None: its own compute_loss
    fused_step: Any = None

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.settings = size, dict(settings)

    def call(self, images: Any, training: bool = False) -> Any:
        """Reconstruct images: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return self.connect(self.encoder, self.decoder, images, training)

    def connect(self, encoder: Callable[..., Any], decoder: Callable[..., Any], images: Any, training: bool) -> Any:
        """Compute what `call` returns, with these functions in place of the encoder and the decoder."""
        return decoder(encoder(images, training=training), training=training)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train as Keras does, in the fused functions of the backend where it has them."""
        with train_steps.fused(self):
            return super().fit(*args, **kwargs)

    def train_step(self, *args: Any) -> Any:
        """Run one step of gradient descent on `compute_loss`, written for the backend in use."""
        return train_steps.train_step(self, *args)

    def reconstruct(self, images: Any) -> Any:
        """Reconstruct images in inference mode: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return self(images, training=False)

    def fast_variant(self) -> keras.Model:
        """Return a faster, slightly less accurate model with the same weights; the model itself if there is none."""
        return self

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 0; the effect is a pure function of the epoch."""

    def adapt(self, sight: AdaptContext) -> None:
        """Fit parts of the model to the training images before the first step of training.

        Args:
            sight: the images, cancellation and progress.

        Raises:
            Cancelled: the caller asked to stop; the weights are unchanged.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which Keras rebuilds the model."""
        return {**super().get_config(), "size": self.size, "settings": self.settings}
