"""The two stacks that the study's models share: five strided convolutions down, five transposed ones up."""

from typing import Any

import keras
from keras import layers

from engine.config import ModelConfig

STRIDE = 2


def down(config: ModelConfig, size: int) -> tuple[Any, Any]:
    """Stack `enc_conv1..n`, each halving the side, with batch norm and leaky ReLU after each.

    Args:
        config: filters, kernel size, slope.
        size: side of the images, a multiple of 2**n.

    Returns:
        The input, shape (n, size, size, 1), float32 in [0, 1], and the flat features behind the last layer.
    """
    images = keras.Input((size, size, 1), name="images")
    x = images
    for number, filters in enumerate(config.filters, 1):
        x = layers.Conv2D(filters, config.kernel_size, STRIDE, "same", name=f"enc_conv{number}")(x)
        x = layers.BatchNormalization(name=f"enc_norm{number}")(x)
        x = layers.LeakyReLU(config.leaky_slope, name=f"enc_act{number}")(x)
    return images, layers.Flatten(name="enc_flat")(x)


def up(config: ModelConfig, size: int, output: str | None) -> keras.Model:
    """Stack `dec_conv1..n`, each doubling the side, with batch norm and leaky ReLU after all but the last.

    Args:
        config: latent size, filters, kernel size, slope.
        size: side of the images, a multiple of 2**n.
        output: activation of the last layer: 'sigmoid', or None for logits.

    Returns:
        A model from (n, latent) to (n, size, size, 1); its output is float32 under every precision policy.
    """
    side = size // STRIDE ** len(config.filters)
    latent = keras.Input((config.latent,), name="latent")
    x = layers.Dense(side * side * config.filters[-1], name="dec_dense")(latent)
    x = layers.Reshape((side, side, config.filters[-1]), name="dec_grid")(x)
    for number, filters in enumerate(config.filters[-2::-1], 1):
        x = layers.Conv2DTranspose(filters, config.kernel_size, STRIDE, "same", name=f"dec_conv{number}")(x)
        x = layers.BatchNormalization(name=f"dec_norm{number}")(x)
        x = layers.LeakyReLU(config.leaky_slope, name=f"dec_act{number}")(x)
    last = f"dec_conv{len(config.filters)}"
    x = layers.Conv2DTranspose(1, config.kernel_size, STRIDE, "same", name=last, dtype="float32")(x)
    if output:
        x = layers.Activation(output, name="dec_output", dtype="float32")(x)
    return keras.Model(latent, x, name="decoder")
