"""The variational autoencoder of the reference study: binary cross-entropy plus KL, in nats per image.

Kingma, Welling: Auto-encoding variational Bayes. arXiv:1312.6114 (2013). Warm-up of the KL term: Sønderby et al.,
arXiv:1602.02282 (2016). Free bits: Kingma et al., arXiv:1606.04934 (2016), appendix C.8.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import keras
from keras import layers, ops

from engine.config import ELBOConfig, RunConfig, VariationalConfig
from engine.models import blocks
from engine.models.reconstructor import Reconstructor

CEILING = 1.0


@keras.saving.register_keras_serializable("engram")
class Sampling(layers.Layer):
    """Reparameterized sampling: z = mean + exp(log_var / 2) * epsilon, epsilon ~ N(0, 1) (section 2.4 there)."""

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, mean: Any, log_var: Any) -> Any:
        """Sample: two (n, latent) arrays -> (n, latent)."""
        epsilon = keras.random.normal(ops.shape(mean), dtype="float32", seed=self.generator)
        return mean + ops.exp(0.5 * log_var) * epsilon

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which Keras rebuilds the layer."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable("engram")
class VariationalAutoencoder(Reconstructor):
    """Encoder to mean and log-variance, sampling, decoder to logits.

    Args:
        size: side of the images.
        settings: the fields of a `VariationalConfig`.
        seed: seed of the sampling.
    """

    training_loss = None
    config_class: ClassVar[type[ELBOConfig]] = VariationalConfig

    def __init__(self, size: int, settings: dict[str, Any], seed: int = 0, **kwargs: Any) -> None:
        super().__init__(size, settings, **kwargs)
        config = self.config_class(**settings)
        self.seed, self.beta, self.warm_up, self.free_bits = seed, config.beta, config.kl_warm_up, config.free_bits
        self.kl_share: Any = 1.0
        if self.warm_up:
            self.kl_share = self.add_weight(name="kl_share", shape=(), initializer="ones", trainable=False)
        self.encoder, self.decoder = self.build_encoder_decoder(config)
        self.sampling = Sampling(seed, name="sampling", dtype="float32")
        self.reconstruction_metric = keras.metrics.Mean(name="reconstruction")
        self.kl_metric = keras.metrics.Mean(name="kl")
        self.built = True

    def build_encoder_decoder(self, config: Any) -> tuple[keras.Model, keras.Model]:
        """Build the encoder, images to mean and raw log-variance, and the decoder, latent code to logits."""
        images, features = blocks.encoder_stack(config, self.size)
        mean = layers.Dense(config.latent, name="enc_mean", dtype="float32")(features)
        log_var = layers.Dense(config.latent, name="enc_log_var", dtype="float32")(features)
        return keras.Model(images, [mean, log_var], name="encoder"), blocks.decoder_stack(
            config, self.size, output=None
        )

    def begin_epoch(self, epoch: int) -> None:
        """Set the KL weight to 1/(w+1), 2/(w+1), ... of beta in the w epochs of warm-up, then to all of it."""
        if self.warm_up:
            self.kl_share.assign(min(1.0, (epoch + 1) / (self.warm_up + 1)))

    def connect(
        self, encoder: Callable[..., Any], decoder: Callable[..., Any], images: Any, training: bool
    ) -> dict[str, Any]:
        """Return logits (n, size, size, 1), mean and log-variance (n, latent); z is sampled in training only."""
        mean, raw = encoder(images, training=training)
        log_var = soft_clip(raw)
        z = self.sampling(mean, log_var) if training else mean
        return {"logits": decoder(z, training=training), "mean": mean, "log_var": log_var}

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the negative evidence lower bound, nats per image, averaged over the batch; beta weighs the KL term.

        Warm-up and free bits change this loss only: the metrics `reconstruction` and `kl` are the true nats.
        """
        reconstruction = ops.mean(cross_entropy(y, y_pred["logits"]))
        kl = ops.mean(compute_kl(y_pred["mean"], y_pred["log_var"]))
        count = ops.shape(y)[0]
        self.reconstruction_metric.update_state(reconstruction, sample_weight=count)
        self.kl_metric.update_state(kl, sample_weight=count)
        pressed = self._kl_with_free_bits(y_pred["mean"], y_pred["log_var"]) if self.free_bits else kl
        return reconstruction + self.beta * self.kl_share * pressed

    def _kl_with_free_bits(self, mean: Any, log_var: Any) -> Any:
        """Return the KL term with free bits: the batch mean of each dimension counts as at least `free_bits`."""
        each = ops.mean(compute_kl_per_dimension(mean, log_var), axis=0)
        return ops.sum(ops.maximum(each, self.free_bits))

    def encode(self, images: Any) -> Any:
        """Return the latent means of images: (n, size, size, 1) -> (n, latent)."""
        return self.encoder(images, training=False)[0]

    def posterior(self, images: Any) -> tuple[Any, Any]:
        """Return latent means and log-variances without decoding: (n, size, size, 1) -> numpy, (n, latent) each."""
        mean, raw = self.encoder.predict_on_batch(images)
        return mean, ops.convert_to_numpy(soft_clip(raw))

    def reconstruct(self, images: Any) -> Any:
        """Decode the latent means: (n, size, size, 1) -> (n, size, size, 1), float32 in [0, 1]."""
        return ops.sigmoid(self(images, training=False)["logits"])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which Keras rebuilds the model."""
        return {**super().get_config(), "seed": self.seed}


def soft_clip(raw: Any) -> Any:
    """Clip log-variances smoothly below `CEILING`, any shape -> the same shape.

    A posterior wider than the prior's log-variance of 0 gains nothing, but exp() of one runaway value ruins a run.
    """
    return CEILING - ops.softplus(CEILING - raw)


def cross_entropy(images: Any, logits: Any) -> Any:
    """Return the binary cross-entropy summed over the pixels of each image.

    Args:
        images: (n, height, width, 1), in [0, 1].
        logits: the same shape, before the sigmoid.

    Returns:
        (n,) nats; max(l, 0) - l x + log(1 + exp(-|l|)), the form that cannot overflow.
    """
    images = ops.cast(images, "float32")
    pixels = ops.maximum(logits, 0.0) - logits * images + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.sum(pixels, axis=(1, 2, 3))


def compute_kl(mean: Any, log_var: Any) -> Any:
    """Return the KL divergence of N(mean, exp(log_var)) from N(0, 1): two (n, latent) -> (n,) nats (eq. 7 there)."""
    return ops.sum(compute_kl_per_dimension(mean, log_var), axis=-1)


def compute_kl_per_dimension(mean: Any, log_var: Any) -> Any:
    """Return the KL divergence of each latent dimension: two (n, latent) arrays -> (n, latent) nats."""
    return -0.5 * (1.0 + log_var - ops.square(mean) - ops.exp(log_var))


def build(config: RunConfig) -> VariationalAutoencoder:
    """Build the reference study's variational autoencoder for the config's image size."""
    settings = config.model.model_dump(mode="json")
    return VariationalAutoencoder(config.data.size, settings, config.training.seed, name="vae")
