"""What every model of Engram is to those who train it and ask it."""

from typing import Any, ClassVar

import keras


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

    def begin_epoch(self, epoch: int) -> None:
        """Hear that training begins an epoch, counted from 0; what depends on it is a pure function of it."""

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to build the model again."""
        return {**super().get_config(), "size": self.size, "settings": self.settings}
