"""Engram's variational autoencoder: it starts as the best linear one and learns its residual.

A linear path runs parallel to each stack of residual blocks: from a half-size image to the latent means, and from the
latent code to a coarse image of logits. Before the first epoch that path is set to the best linear VAE of the training
images; the blocks, which start at zero, receive the coarse image at every resolution and learn what to add to it.
"""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from engine import pca
from engine.config import ResidualVariationalConfig, RunConfig
from engine.models import blocks
from engine.models.reconstructor import AdaptContext
from engine.models.variational import CEILING, VariationalAutoencoder

COARSE = 2  # pixels of an image, along a side, per pixel of the coarse image
PATCH = 4  # pixels, along a side, per feature of the finest resolution
IMAGES_MOST = 4096  # for the fit of the linear model
MIN_PROBABILITY = 0.03  # mean pixels are clipped to at least this distance from 0 and 1: their variance would vanish
LEAST_EIGENVALUE = 1.3
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearVAE:
    """A linear VAE of images with m pixels and k latent dimensions.

    Args:
        encoder: (m, k) kernel from an image to the latent means.
        encoder_bias: (k,).
        log_var: (k,) posterior log-variances.
        decoder: (k, m) kernel from latent dimensions to logits; zero for dimensions without a component.
        decoder_bias: (m,).
    """

    encoder: Floats
    encoder_bias: Floats
    log_var: Floats
    decoder: Floats
    decoder_bias: Floats


def fit_linear_vae(pictures: Floats, latent: int, area: int) -> LinearVAE:
    """Fit the best linear VAE to images, in closed form.

    Near a mean image p the excess of binary cross-entropy over the images' own entropy is (x - p)^2 / (2 p (1 - p)),
    the loss of a Gaussian of variance p (1 - p). Scaled to unit variance, the best linear VAE at beta 1 is
    probabilistic PCA: an eigenvalue l > 1 of the covariance is coded at a posterior variance 1 / l and costs
    (1 + ln l) / 2 nats instead of l / 2; all others stay at the prior.

    The covariance is about p, which is clipped if the mean is close to 0 or 1; `engine.pca` would center at the mean.

    Tipping, Bishop: Probabilistic principal component analysis. J. R. Stat. Soc. B 61 (1999). Lucas, Tucker, Grosse,
    Norouzi: Don't blame the ELBO! arXiv:1911.02469 (2019).

    Args:
        pictures: (n, m) in [0, 1], coarse images.
        latent: number of latent dimensions; those without an eigenvalue worth coding stay at the prior.
        area: pixels of a full image per coarse pixel, so that their nats are counted.

    Returns:
        Its weights.
    """
    centre = np.clip(pictures.mean(axis=0), MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    deviation = np.sqrt(centre * (1 - centre) / area)
    values, axes = _principal((pictures - centre) / deviation, latent)
    strength = np.sqrt(values - 1)
    encoder = (axes * (strength / values)) / deviation[:, np.newaxis]
    decoder = (axes * strength).T * (deviation / (centre * (1 - centre)))
    arrays = (encoder, -centre @ encoder, -np.log(values), decoder, np.log(centre / (1 - centre)))
    return LinearVAE(*(array.astype(np.float32) for array in arrays))


def _principal(scaled: Floats, latent: int) -> tuple[Floats, Floats]:
    """Return eigenvalues (latent,) of the covariance, 1 if not worth coding, and their axes (m, latent)."""
    count, pixels = scaled.shape
    few = count < pixels  # n images span only n axes: their n x n Gram matrix suffices
    products = (scaled @ scaled.T if few else scaled.T @ scaled) / count
    found, vectors = pca.iterate(products.__matmul__, (len(products), latent), np.random.default_rng(0))
    kept = np.count_nonzero(found > LEAST_EIGENVALUE)
    found, vectors = found[:kept], vectors[:, :kept]
    if few:
        vectors = scaled.T @ vectors / np.sqrt(count * found)
    values, axes = np.ones(latent, np.float32), np.zeros((pixels, latent), np.float32)
    values[:kept], axes[:, :kept] = found, vectors
    return values, axes


@keras.saving.register_keras_serializable("engram")
class ResidualVariationalAutoencoder(VariationalAutoencoder):
    """Linear and residual encoder to mean and log-variance, sampling, linear and residual decoder to logits.

    Args:
        size: side of the images.
        settings: the fields of a `ResidualVariationalConfig`.
        seed: seed of the sampling.
    """

    config_class = ResidualVariationalConfig

    def build_encoder_decoder(self, config: Any) -> tuple[keras.Model, keras.Model]:
        """Build the encoder, images to mean and raw log-variance, and the decoder, latent code to logits."""
        return _encoder(config, self.size), _decoder(config, self.size)

    def adapt(self, sight: AdaptContext) -> None:
        """Initialize the linear path with the best linear VAE of the training images."""
        sight.tell("Fitting the best linear model to the training images.")
        pictures: list[NDArray[np.float32]] = []
        for batch in sight.draw(0):
            sight.context.check()
            pictures.append(_downsample(batch))
            if sum(map(len, pictures)) >= IMAGES_MOST:
                break
        self._initialize_from(fit_linear_vae(np.concatenate(pictures), self.settings["latent"], COARSE**2))

    def _initialize_from(self, start: LinearVAE) -> None:
        self.encoder.get_layer("enc_linear").set_weights([start.encoder, start.encoder_bias])
        log_var = self.encoder.get_layer("enc_log_var")
        raw = CEILING - np.log(np.expm1(CEILING - start.log_var))  # `soft_clip` maps these to the log-variances
        log_var.set_weights([log_var.get_weights()[0], raw])
        linear = self.decoder.get_layer("dec_linear")
        unused = np.where(np.any(start.decoder, axis=1, keepdims=True), 0.0, linear.get_weights()[0])
        linear.set_weights([start.decoder + unused, start.decoder_bias])


def _encoder(config: ResidualVariationalConfig, size: int) -> keras.Model:
    images = keras.Input((size, size, 1), name="images")
    coarse = layers.Flatten(name="enc_coarse")(layers.AveragePooling2D(COARSE, name="enc_halved")(images))
    x = images
    for number, filters in enumerate(config.filters, 1):
        step = PATCH if number == 1 else 2
        x = layers.Conv2D(filters, step, step, name=f"enc_down{number}")(x)
        x = blocks.residual_blocks(x, config, f"enc{number}")
    features = layers.Flatten(name="enc_flat")(blocks.activation(x, config, "enc_act"))
    linear = layers.Dense(config.latent, name="enc_linear", dtype="float32")(coarse)
    learned = layers.Dense(config.latent, kernel_initializer="zeros", name="enc_learned", dtype="float32")(features)
    mean = layers.Add(name="enc_mean", dtype="float32")([linear, learned])
    log_var = layers.Dense(config.latent, kernel_initializer="zeros", name="enc_log_var", dtype="float32")(features)
    return keras.Model(images, [mean, log_var], name="encoder")


def _decoder(config: ResidualVariationalConfig, size: int) -> keras.Model:
    latent = keras.Input((config.latent,), name="latent")
    half, side = size // COARSE, size // config.size_multiple
    small = keras.initializers.RandomNormal(stddev=0.002)
    linear = layers.Dense(half * half, kernel_initializer=small, name="dec_linear", dtype="float32")(latent)
    coarse = layers.Reshape((half, half, 1), name="dec_coarse", dtype="float32")(linear)
    x = layers.Dense(side * side * config.filters[-1], name="dec_dense")(latent)
    x = layers.Reshape((side, side, config.filters[-1]), name="dec_grid")(x)
    for number, filters in enumerate(config.filters[::-1], 1):
        if number > 1:
            x = layers.Conv2DTranspose(filters, 2, 2, name=f"dec_up{number}")(x)
        step = half // x.shape[1]
        seen = layers.Conv2D(filters, step, step, kernel_initializer="zeros", name=f"dec_seen{number}")(coarse)
        x = layers.Add(name=f"dec_add{number}")([x, seen])
        x = blocks.residual_blocks(x, config, f"dec{number}")
    x = blocks.activation(x, config, "dec_act")
    last = layers.Conv2DTranspose(
        1, 2 * PATCH, PATCH, "same", kernel_initializer="zeros", name="dec_learned", dtype="float32"
    )
    whole = layers.UpSampling2D(COARSE, interpolation="bilinear", name="dec_whole", dtype="float32")(coarse)
    return keras.Model(latent, layers.Add(name="dec_logits", dtype="float32")([whole, last(x)]), name="decoder")


def _downsample(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average blocks of `COARSE` x `COARSE` pixels: (n, size, size, 1) -> (n, pixels)."""
    count, size = images.shape[:2]
    half = size // COARSE
    blocks_of = images.reshape(count, half, COARSE, half, COARSE)
    return np.asarray(blocks_of.mean(axis=(2, 4)).reshape(count, half * half))


def build(config: RunConfig) -> ResidualVariationalAutoencoder:
    """Build the residual variational autoencoder for the config's image size."""
    settings = config.model.model_dump(mode="json")
    return ResidualVariationalAutoencoder(config.data.size, settings, config.training.seed, name="residual-vae")
