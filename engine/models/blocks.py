"""Building blocks of the models: convolutions with normalization and activation, and the reference study's stacks."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import layers, ops

from engine.config import AutoencoderConfig, ConvolutionConfig, StridedConvConfig, VariationalConfig

GROUPS = 8


def encoder_stack(config: StridedConvConfig, size: int) -> tuple[Any, Any]:
    """Build `enc_conv1..n`, each dividing the side by `stride`, with normalization and activation after each.

    Args:
        config: filters, kernel size, stride, depth, activation, norm.
        size: side of the images, a multiple of stride**n.

    Returns:
        The input, shape (n, size, size, 1), float32 in [0, 1], and the flat features after the last layer.
    """
    images, levels = encoder_levels(config, size)
    return images, layers.Flatten(name="enc_flat")(levels[-1])


def encoder_levels(config: StridedConvConfig, size: int) -> tuple[Any, list[Any]]:
    """Build the stack of `encoder_stack`, but return the features after every layer."""
    images = keras.Input((size, size, 1), name="images")
    x, levels = images, []
    for number, filters in enumerate(config.filters, 1):
        x = layers.Conv2D(filters, config.kernel_size, config.stride, "same", name=f"enc_conv{number}")(x)
        x = norm_and_activation(x, config, "enc", f"{number}")
        levels.append(extra_convs(x, config, "enc", number))
        x = levels[-1]
    return images, levels


def decoder_stack(config: AutoencoderConfig | VariationalConfig, size: int, output: str | None) -> keras.Model:
    """Build `dec_conv1..n`, the mirror of `encoder_stack`, normalization and activation after all but the last.

    Args:
        config: latent size, filters, kernel size, stride, depth, activation, norm.
        size: side of the images, a multiple of stride**n.
        output: activation of the last layer: 'sigmoid', or None for logits.

    Returns:
        A model from (n, latent) to (n, size, size, 1); its output is float32 under every precision policy.
    """
    side = size // config.size_multiple
    latent = keras.Input((config.latent,), name="latent")
    x = layers.Dense(side * side * config.filters[-1], name="dec_dense")(latent)
    x = layers.Reshape((side, side, config.filters[-1]), name="dec_grid")(x)
    for number, filters in enumerate(config.filters[-2::-1], 1):
        x = norm_and_activation(upsample_block(x, filters, config, number), config, "dec", f"{number}")
    return keras.Model(latent, output_conv(x, config, output), name="decoder")


def upsample_block(x: Any, filters: int, config: StridedConvConfig, number: int) -> Any:
    """Upsample features by `stride` with layer `number` of a decoder, `dec_conv<number>`, after its depth layers."""
    x = extra_convs(x, config, "dec", number)
    name = f"dec_conv{number}"
    return layers.Conv2DTranspose(filters, config.kernel_size, config.stride, "same", name=name)(x)


def output_conv(x: Any, config: StridedConvConfig, output: str | None) -> Any:
    """Build a decoder's last layer: (n, side, side, c) -> (n, size, size, 1) float32.

    Args:
        x: the features.
        config: filters, kernel size, stride, depth.
        output: activation: 'sigmoid', or None for logits.
    """
    number = len(config.filters)
    x = extra_convs(x, config, "dec", number)
    name = f"dec_conv{number}"
    x = layers.Conv2DTranspose(1, config.kernel_size, config.stride, "same", name=name, dtype="float32")(x)
    return layers.Activation(output, name="dec_output", dtype="float32")(x) if output else x


def extra_convs(x: Any, config: ConvolutionConfig, part: str, number: int) -> Any:
    """Add the further convolutions of a block: `<part>_conv<number>_2` and so on, shapes kept."""
    for place in range(2, config.depth + 1):
        x = conv_block(x, x.shape[-1], config, part, f"{number}_{place}")
    return x


def conv_block(x: Any, filters: int, config: ConvolutionConfig, part: str, place: str) -> Any:
    """Apply convolution, normalization, activation: (n, height, width, c) -> (n, height, width, filters)."""
    x = layers.Conv2D(filters, config.kernel_size, padding="same", name=f"{part}_conv{place}")(x)
    return norm_and_activation(x, config, part, place)


def residual_blocks(x: Any, config: ConvolutionConfig, name: str) -> Any:
    """Chain `depth` residual blocks, shape kept: norm, activation, convolution, twice, added to the input.

    The second convolution starts at zero, so each block starts as the identity. He et al.: Identity mappings in deep
    residual networks. ECCV (2016).
    """
    for number in range(1, config.depth + 1):
        change = x
        for half, start in (("a", "glorot_uniform"), ("b", "zeros")):
            place = f"{name}_{number}{half}"
            change = activation(normalization(change, config, f"{place}_norm"), config, f"{place}_act")
            change = layers.Conv2D(
                x.shape[-1], config.kernel_size, padding="same", kernel_initializer=start, name=f"{place}_conv"
            )(change)
        x = layers.Add(name=f"{name}_{number}_sum")([x, change])
    return x


def norm_and_activation(x: Any, config: ConvolutionConfig, part: str, place: str) -> Any:
    """Apply normalization and activation: `<part>_norm<place>`, `<part>_act<place>`, shape kept."""
    return activation(normalization(x, config, f"{part}_norm{place}"), config, f"{part}_act{place}")


def normalization(x: Any, config: ConvolutionConfig, name: str) -> Any:
    """Apply the normalization of the config, shape kept.

    'batch': Ioffe, Szegedy (2015); 'layer': Ba et al. (2016), over all values of one image; 'group': Wu, He (2018),
    over eight groups of its channels, or as many of 4, 2, 1 as divide them.
    """
    if config.norm == "batch":
        return layers.BatchNormalization(name=name)(x)
    if config.norm == "none":
        return x
    groups = math.gcd(GROUPS, x.shape[-1]) if config.norm == "group" else 1
    return layers.GroupNormalization(groups, name=name)(x)


def activation(x: Any, config: ConvolutionConfig, name: str) -> Any:
    """Apply the activation of the config, shape kept."""
    if config.activation == "leaky-relu":
        return layers.LeakyReLU(config.leaky_slope, name=name)(x)
    return layers.Activation(config.activation, name=name)(x)


def average_over_flips(network: Callable[[Any], Any], images: Any) -> Any:
    """Average a network's output for images with its unflipped output for their mirror images.

    The two passes run one after the other, not as one batch: so every layer sees each orientation in a pass of its own,
    with the images in their given order, and hooks on a layer can tell the two orientations apart. Timofte, Rothe, Van
    Gool: Seven ways to improve example-based single image super resolution. CVPR (2016).

    Args:
        network: from images (n, height, width, 1) to such images.
        images: (n, height, width, 1).

    Returns:
        As `images`.
    """
    plain = network(images)
    return (plain + ops.flip(network(ops.flip(images, axis=2)), axis=2)) / 2
