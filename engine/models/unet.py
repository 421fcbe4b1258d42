"""The U-Net: pooling down, transposed convolutions up, skip connections at each resolution.

Ronneberger, Fischer, Brox: U-Net: convolutional networks for biomedical image segmentation. MICCAI (2015), here with
padded convolutions and one gray image as output. `residual` lets it predict what to add to its input, as Zhang et al.,
Beyond a Gaussian denoiser, IEEE Trans. Image Processing 26 (2017), do. `mirrored` averages over the image and its
mirror image. There is no bottleneck: trained without noise it learns to copy its input, and then a low error says
nothing about what it has learned.
"""

import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from engine.config import RunConfig, UNetConfig
from engine.models import blocks
from engine.models.blocks import average_over_flips
from engine.models.reconstructor import Reconstructor


@keras.saving.register_keras_serializable("engram")
class AddedToInput(layers.Layer):
    """Layer that adds a predicted change to images and clips to [0, 1]: two (n, size, size, 1) arrays -> one."""

    def call(self, images: Any, change: Any) -> Any:
        """Add and clip, in float32."""
        return ops.clip(ops.cast(images, "float32") + ops.cast(change, "float32"), 0.0, 1.0)


@keras.saving.register_keras_serializable("engram")
class UNet(Reconstructor):
    """Encoder to features at every resolution, decoder from them to an image, or to a change of the input.

    Args:
        size: side of the images.
        settings: the fields of a `UNetConfig`.
    """

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(size, settings, **kwargs)
        config = UNetConfig(**settings)
        self.encoder = _encoder(config, size)
        self.decoder = _decoder(config, self.encoder.outputs)
        self.added = AddedToInput(name="output", dtype="float32") if config.residual else None
        self.mirrored = config.mirrored
        self.built = True

    def connect(self, encoder: Callable[..., Any], decoder: Callable[..., Any], images: Any, training: bool) -> Any:
        """Reconstruct images: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        if self.mirrored and not training:
            return self._postprocess(images, average_over_flips(self._forward, images))
        return self._postprocess(images, decoder(encoder(images, training=training), training=training))

    def fast_variant(self) -> Any:
        """Return a model with one pass instead of two if outputs are averaged over flips, else the model itself.

        The pass is compiled as a whole if TensorFlow can: a single image then takes two thirds of the time.
        """
        if not self.mirrored:
            return self
        images = keras.Input((self.size, self.size, 1), name="images")
        once = keras.Model(images, self._postprocess(images, self._forward(images)), name="draft")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Keras warns if it cannot compile, and continues without
            once.compile(jit_compile=keras.backend.backend() == "tensorflow" or "auto")
        return once

    def _forward(self, images: Any) -> Any:
        return self.decoder(self.encoder(images, training=False), training=False)

    def _postprocess(self, images: Any, made: Any) -> Any:
        return self.added(images, made) if self.added else made


def _encoder(config: UNetConfig, size: int) -> keras.Model:
    images = keras.Input((size, size, 1), name="images")
    levels: list[Any] = []
    x = images
    for number, filters in enumerate(config.filters, 1):
        if levels:
            x = layers.MaxPooling2D(2, name=f"enc_pool{number}")(x)
        x = blocks.conv_block(x, filters, config, "enc", f"{number}")
        levels.append(blocks.extra_convs(x, config, "enc", number))
        x = levels[-1]
    return keras.Model(images, levels, name="encoder")


def _decoder(config: UNetConfig, levels: list[Any]) -> keras.Model:
    features = [keras.Input(level.shape[1:], name=f"level{number}") for number, level in enumerate(levels, 1)]
    x = features[-1]
    for number, skip in enumerate(features[-2::-1], 1):
        filters = skip.shape[-1]
        x = layers.Conv2DTranspose(filters, 2, 2, name=f"dec_up{number}")(x)
        x = layers.Concatenate(name=f"dec_skip{number}")([skip, x])
        x = blocks.extra_convs(blocks.conv_block(x, filters, config, "dec", f"{number}"), config, "dec", number)
    start = "zeros" if config.residual else "glorot_uniform"  # a residual network starts as the identity
    x = layers.Conv2D(1, 1, kernel_initializer=start, name="dec_last", dtype="float32")(x)
    if not config.residual:
        x = layers.Activation("sigmoid", name="dec_output", dtype="float32")(x)
    return keras.Model(features, x, name="decoder")


def build(config: RunConfig) -> UNet:
    """Build the U-Net for the config's image size."""
    return UNet(config.data.size, config.model.model_dump(mode="json"), name="unet")
