"""Engram's autoencoder: the best linear map, and a network that learns the residual of the linear map.

The encoder is linear: coordinates in the subspace of the principal components of augmented training images. The decoder
inverts it and adds the output of a U-Net, projected onto the orthogonal complement of the subspace, so that encoding a
reconstruction returns its latent code exactly. At first the network adds nothing: training begins at the linear map.

Baldi, Hornik: Neural networks and principal component analysis. Neural Networks 2 (1989): the best linear autoencoder.
Ronneberger et al.: U-Net. MICCAI (2015).
He et al.: Identity mappings in deep residual networks. ECCV (2016): the blocks.
Schwab, Antholzer, Haltmeier: Deep null space learning for inverse problems. Inverse Problems 35 (2019): the addition.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from engine.config import ResidualConfig, RunConfig
from engine.models import blocks, subspace
from engine.models.blocks import average_over_flips
from engine.models.reconstructor import AdaptContext, Reconstructor
from engine.models.subspace import Subspace

BYTES_MOST = 2**30  # of augmented copies for the PCA
CONTRAST = 4.0  # brings intensities to about unit variance for the network


@keras.saving.register_keras_serializable("engram")
class ResidualAutoencoder(Reconstructor):
    """Linear encoder to a latent code; linear decoder followed by a residual U-Net."""

    def __init__(self, size: int, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(size, settings, **kwargs)
        config = ResidualConfig(**settings)
        space = Subspace(size, config.latent, name="subspace")
        images, latent = keras.Input((size, size, 1), name="images"), keras.Input((config.latent,), name="latent")
        self.encoder = keras.Model(images, space(images, way="in"), name="encoder")
        self.decoder = keras.Model(latent, _decoded(latent, space, config), name="decoder")
        self.space, self.built = space, True

    def encode(self, images: Any) -> Any:
        """Return the latent codes of images: (n, size, size, 1) -> (n, latent)."""
        return self.encoder(images, training=False)

    def adapt(self, sight: AdaptContext) -> None:
        """Fit the subspace to augmented copies of the training images, in as many passes as configured."""
        copies = self._sample_augmented(sight)
        sight.tell(f"Fitting PCA: {self.space.count:,} components to {len(copies):,} images.")
        rng = np.random.default_rng(sight.seed)
        self.space.assign(*subspace.principal(copies, self.space.count, rng, sight.context))

    def _sample_augmented(self, sight: AdaptContext) -> NDArray[np.uint8]:
        """Return the passes over the images, (passes * n, pixels) in 0 to 255."""
        pixels = self.size**2
        fitting = BYTES_MOST // (sight.count * pixels)
        passes = max(1, min(self.settings["linear_passes"], fitting))
        copies = np.empty((passes * sight.count, pixels), np.uint8)
        row = 0
        for number in range(passes):
            sight.tell(f"Fitting PCA: pass {number + 1} of {passes} over the augmented training images.")
            for batch in sight.draw(number):
                sight.context.check()
                copies[row : row + len(batch)] = np.rint(batch.reshape(len(batch), pixels) * 255)
                row += len(batch)
        return copies


def _decoded(latent: Any, space: Subspace, config: ResidualConfig) -> Any:
    """Decode latent codes: (n, latent) -> (n, size, size, 1), in [0, 1] outside of training."""
    linear = space(latent, way="out")
    network = _network(space.size, config)
    added = Mirrored(network, name="mirrored")(linear) if config.mirrored else network(linear)
    if config.consistent:
        added = space(added, way="beside")
    return Bounded(name="bounded")(layers.Add(name="sum", dtype="float32")([linear, added]))


def _network(size: int, config: ResidualConfig) -> keras.Model:
    """Build the network that adds to a linear reconstruction: (n, size, size, 1) -> (n, size, size, 1)."""
    linear = keras.Input((size, size, 1), name="linear")
    x = Fold(name="fold")(layers.Rescaling(CONTRAST, -1.0, name="contrast")(linear))
    x = Unfold(name="unfold")(_refinement(x, config))
    added = layers.Rescaling(1 / CONTRAST, name="brightness", dtype="float32")(x)
    return keras.Model(linear, added, name="refiner")


def _refinement(x: Any, config: ResidualConfig) -> Any:
    """Apply a U-Net to the folded image, shape kept; its last layer starts at zero."""
    channels, skips = x.shape[-1], []
    x = _convolved(x, config.filters[0], config, "ref_conv_in")
    for level, filters in enumerate(config.filters, 1):
        if level > 1:
            skips.append(x)
            x = layers.Conv2D(filters, 2, 2, name=f"ref_down{level}")(x)
        x = blocks.residual_blocks(x, config, f"ref_enc{level}")
    for level in range(len(config.filters) - 1, 0, -1):
        x = layers.Conv2DTranspose(config.filters[level - 1], 2, 2, name=f"ref_up{level}")(x)
        x = blocks.residual_blocks(layers.Add(name=f"ref_skip{level}")([x, skips.pop()]), config, f"ref_dec{level}")
    x = blocks.activation(x, config, "ref_act_out")
    return _convolved(x, channels, config, "ref_conv_out", start="zeros")


def _convolved(x: Any, filters: int, config: ResidualConfig, name: str, start: str = "glorot_uniform") -> Any:
    return layers.Conv2D(filters, config.kernel_size, padding="same", kernel_initializer=start, name=name)(x)


@keras.saving.register_keras_serializable("engram")
class Fold(layers.Layer):
    """Layer that folds every 2 x 2 pixels into four channels: (n, 2h, 2w, 1) -> (n, h, w, 4)."""

    def call(self, images: Any) -> Any:
        """Fold images: (n, 2h, 2w, 1) -> (n, h, w, 4)."""
        _, height, width, _ = images.shape
        x = ops.reshape(images, (-1, height // 2, 2, width // 2, 2))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, height // 2, width // 2, 4))


@keras.saving.register_keras_serializable("engram")
class Unfold(layers.Layer):
    """The inverse of `Fold`: (n, h, w, 4) -> (n, 2h, 2w, 1)."""

    def call(self, folded: Any) -> Any:
        """Unfold images: (n, h, w, 4) -> (n, 2h, 2w, 1)."""
        _, height, width, _ = folded.shape
        x = ops.transpose(ops.reshape(folded, (-1, height, width, 2, 2)), (0, 1, 3, 2, 4))
        return ops.reshape(x, (-1, 2 * height, 2 * width, 1))


@keras.saving.register_keras_serializable("engram")
class Mirrored(layers.Layer):
    """Layer that averages a network's outputs over flips at inference; training mirrors images at random.

    Args:
        network: from images (n, height, width, 1) to such images.
    """

    def __init__(self, network: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.network, self.built = network, True

    def call(self, images: Any, training: bool = False) -> Any:
        """Apply the network, shape kept."""
        if training:
            return self.network(images, training=True)
        return average_over_flips(self.network, images)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the images."""
        return input_shape


@keras.saving.register_keras_serializable("engram")
class Bounded(layers.Layer):
    """Layer that clips intensities to [0, 1] at inference; in training, values out of range keep a gradient."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)

    def call(self, images: Any, training: bool = False) -> Any:
        """Clip images, shape kept."""
        return images if training else ops.clip(images, 0.0, 1.0)


def build(config: RunConfig) -> ResidualAutoencoder:
    """Build the residual autoencoder for the config's image size."""
    return ResidualAutoencoder(config.data.size, config.model.model_dump(mode="json"), name="residual_ae")
