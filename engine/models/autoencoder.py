"""The autoencoder of the study: images to a few numbers and back, trained on the mean squared error.

Hinton, Salakhutdinov: Reducing the dimensionality of data with neural networks. Science 313 (2006).
"""

from typing import Any

import keras
from keras import layers

from engine.config import AutoencoderConfig, RunConfig
from engine.models import blocks


@keras.saving.register_keras_serializable("engram")
class Autoencoder(keras.Model):
    """Encoder to `latent` numbers, decoder back to an image.

    Args:
        size: side of the images.
        settings: the fields of an `AutoencoderConfig`.
    """

    training_loss = "mse"

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.settings = size, dict(settings)
        config = AutoencoderConfig(**settings)
        images, features = blocks.down(config, size)
        latent = layers.Dense(config.latent, name="enc_latent")(features)
        self.encoder = keras.Model(images, latent, name="encoder")
        self.decoder = blocks.up(config, size, output="sigmoid")
        self.built = True

    def call(self, images: Any, training: bool = False) -> Any:
        """Reconstruct images: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return self.decoder(self.encoder(images, training=training), training=training)

    def encode(self, images: Any) -> Any:
        """Latent numbers of images: (n, size, size, 1) -> (n, latent)."""
        return self.encoder(images, training=False)

    def reconstruct(self, images: Any) -> Any:
        """Reconstruct images without training: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return self(images, training=False)

    def get_config(self) -> dict[str, Any]:
        """What Keras needs to build the model again."""
        return {**super().get_config(), "size": self.size, "settings": self.settings}


def build(config: RunConfig) -> Autoencoder:
    """Build the study's autoencoder for the config's image size."""
    return Autoencoder(config.data.size, config.model.model_dump(mode="json"), name="ae")
