"""Interfaces of images and models: what a function needs of them, whichever class they have."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Images

Indices = slice | Sequence[int] | NDArray[np.integer]


class ImageSequence(Protocol):
    """Images that are read by index, such as a split of a dataset."""

    def __len__(self) -> int: ...

    def read(self, which: Indices, /) -> Images:
        """Return images.

        Args:
            which: their indices, or a slice.

        Returns:
            float32 (k, height, width, 1) in [0, 1].
        """
        ...


class ImageModel(Protocol):
    """A model of Engram, or a baseline with its interface."""

    def predict_on_batch(self, images: Images, /) -> Any:
        """Compute the outputs for one batch.

        Args:
            images: float32 (k, height, width, 1) in [0, 1].

        Returns:
            The reconstructions, like `images`; for a variational model 'mean' and 'log_var', (k, latent), and
            'logits', like `images`, by name.
        """
        ...


class EngramModel(ImageModel, Protocol):
    """A built model of Engram.

    Args:
        name: kind of the model, such as 'ae'.
        size: side of its images, px.
        encoder: Keras model from images to a latent code, or to the features that the decoder receives.
        decoder: Keras model from there to images, or to logits for a variational model.
    """

    name: str
    size: int
    encoder: Any
    decoder: Any

    def __call__(self, images: Any, training: bool = False) -> Any:
        """Return the outputs for a tensor of images."""
        ...

    def fast_variant(self) -> ImageModel:
        """Return a faster, slightly less accurate model with the same weights; the model itself if there is none."""
        ...


class VariationalModel(EngramModel, Protocol):
    """A variational model of Engram.

    Args:
        beta: weight of the KL divergence in the loss.
    """

    beta: float

    def posterior(self, images: Images, /) -> tuple[Any, Any]:
        """Return mean and log variance of the latent codes of images, two (k, latent)."""
        ...
