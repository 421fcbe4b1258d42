"""What every model of Engram is to those who train it and ask it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from engine.messages import ShouldStop


@dataclass(frozen=True)
class AdaptContext:
    """What a model sees of its training images before it is trained.

    Args:
        count: how many images there are.
        seed: seed of whatever the model draws.
        draw: pass number, from 0 -> the images as training sees them, batch by batch, (k, size, size, 1) float32 in
            [0, 1]; with augmentation every pass has its own copies.
        should_stop: asked between batches.
        tell: takes a sentence on what is being done.
    """

    count: int
    seed: int
    draw: Callable[[int], Iterator[NDArray[np.float32]]]
    should_stop: ShouldStop
    tell: Callable[[str], None]


class Reconstructor(keras.Model):
    """A model from images to images, made of an `encoder` and a `decoder`.

    Args:
        size: side of the images.
        settings: the fields of the model's config.
    """

    training_loss: ClassVar[str | None] = "mse"  # None: its own compute_loss

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.settings = size, dict(settings)

    def call(self, images: Any, training: bool = False) -> Any:
        """Reconstruct images: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return self.decoder(self.encoder(images, training=training), training=training)

    def reconstruct(self, images: Any) -> Any:
        """Reconstruct images without training: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return self(images, training=False)

    def fast_variant(self) -> keras.Model:
        """A quicker model with the same weights, whose answers are a little further off; itself where there is none."""
        return self

    def begin_epoch(self, epoch: int) -> None:
        """Hear that training begins an epoch, counted from 0; what depends on it is a pure function of it."""

    def adapt(self, sight: AdaptContext) -> bool:
        """See the training images once, before the first step of training; its result is ordinary weights.

        Args:
            sight: the images, and the ways to the outside.

        Returns:
            False when stopped before the end, with the weights as they were.
        """
        return True

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to build the model again."""
        return {**super().get_config(), "size": self.size, "settings": self.settings}
