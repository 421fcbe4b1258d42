"""An autoencoder with skip connections: each encoder feature map is added to the decoder's of the same size.

Mao, Shen, Yang: Image restoration using very deep convolutional encoder-decoder networks with symmetric skip
connections. NeurIPS (2016). There is no bottleneck: trained without noise it learns to copy its input, and then a low
error says nothing about what it has learned.
"""

from typing import Any

import keras
from keras import layers

from engine.config import RunConfig, SkipAutoencoderConfig
from engine.models import blocks
from engine.models.reconstructor import Reconstructor


@keras.saving.register_keras_serializable("engram")
class SkipAutoencoder(Reconstructor):
    """Encoder to the features of every block, decoder from them back to an image.

    Args:
        size: side of the images.
        settings: the fields of a `SkipAutoencoderConfig`.
    """

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(size, settings, **kwargs)
        config = SkipAutoencoderConfig(**settings)
        images, levels = blocks.encoder_levels(config, size)
        self.encoder = keras.Model(images, levels, name="encoder")
        self.decoder = _decoder(config, levels)
        self.built = True


def _decoder(config: SkipAutoencoderConfig, levels: list[Any]) -> keras.Model:
    """Build the mirror image of the encoder; each block's output is added to the encoder's features of the next."""
    features = [keras.Input(level.shape[1:], name=f"level{number}") for number, level in enumerate(levels, 1)]
    x = features[-1]
    for number, skip in enumerate(features[-2::-1], 1):
        x = blocks.upsample_block(x, skip.shape[-1], config, number)
        x = blocks.normalization(x, config, f"dec_norm{number}")
        x = layers.Add(name=f"dec_skip{number}")([x, skip])
        x = blocks.activation(x, config, f"dec_act{number}")
    return keras.Model(features, blocks.output_conv(x, config, "sigmoid"), name="decoder")


def build(config: RunConfig) -> SkipAutoencoder:
    """Build the skip autoencoder for the config's image size."""
    return SkipAutoencoder(config.data.size, config.model.model_dump(mode="json"), name="skip-ae")
