"""The autoencoder of the reference study: images to a latent code and back, trained on the mean squared error.

Hinton, Salakhutdinov: Reducing the dimensionality of data with neural networks. Science 313 (2006).
"""

from typing import Any

import keras
from keras import layers

from engine.config import AutoencoderConfig, RunConfig
from engine.models import blocks
from engine.models.reconstructor import Reconstructor


@keras.saving.register_keras_serializable("engram")
class Autoencoder(Reconstructor):
    """Encoder to a latent code, decoder back to an image.

    Args:
        size: side of the images.
        settings: the fields of an `AutoencoderConfig`.
    """

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(size, settings, **kwargs)
        config = AutoencoderConfig(**settings)
        images, features = blocks.encoder_stack(config, size)
        latent = layers.Dense(config.latent, name="enc_latent")(features)
        self.encoder = keras.Model(images, latent, name="encoder")
        self.decoder = blocks.decoder_stack(config, size, output="sigmoid")
        self.built = True

    def encode(self, images: Any) -> Any:
        """Return the latent codes of images: (n, size, size, 1) -> (n, latent)."""
        return self.encoder(images, training=False)


def build(config: RunConfig) -> Autoencoder:
    """Build the reference study's autoencoder for the config's image size."""
    return Autoencoder(config.data.size, config.model.model_dump(mode="json"), name="ae")
