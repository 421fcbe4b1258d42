"""Latent space of a model: encoder and decoder of images, for any kind of model."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from engine import metrics
from engine.arrays import Images, Latents
from engine.errors import ConfigError
from engine.evaluation import scoring
from engine.protocols import EngramModel, VariationalModel

Kind = Literal["posterior", "code", "features"]
BATCH: Final = scoring.BATCH


@dataclass(frozen=True, eq=False)
class Codes:
    """Latent codes of some images.

    Args:
        means: (n, k) float32: latent codes, or means of a posterior.
        log_vars: (n, k) float32, log-variances of the posterior; None for a model without one.
    """

    means: Latents
    log_vars: Latents | None

    def __len__(self) -> int:
        return len(self.means)

    def take(self, rows: NDArray[np.int64]) -> "Codes":
        """Return the codes of some rows."""
        return Codes(self.means[rows], None if self.log_vars is None else self.log_vars[rows])


def concatenate(parts: list[Codes]) -> Codes:
    """Concatenate codes of several batches or splits of one model."""
    log_vars = [part.log_vars for part in parts if part.log_vars is not None]
    return Codes(np.concatenate([part.means for part in parts]), np.concatenate(log_vars) if log_vars else None)


class LatentSpace:
    """The latent space of a loaded model.

    A variational model has a posterior for each image, an autoencoder a code. A model whose decoder receives features
    of several levels has neither; its coordinates here are its deepest features, averaged over positions, which
    represent what is in an image and hardly where, and which cannot be decoded.

    Args:
        model: a built model of Engram.
    """

    def __init__(self, model: EngramModel) -> None:
        self.model = model
        ranks = [len(output.shape) for output in model.encoder.outputs]
        self.kind: Kind = {(2,): "code", (2, 2): "posterior"}.get(tuple(ranks), "features")  # type: ignore[assignment]
        self.size = int(model.encoder.outputs[-1].shape[-1])

    @property
    def description(self) -> str:
        """Return the description of the coordinates."""
        return {
            "posterior": f"{self.size} latent means",
            "code": f"{self.size} latent dimensions",
            "features": f"{self.size} deepest features, averaged over positions (the model has no latent code)",
        }[self.kind]

    def encode(self, images: Images) -> Codes:
        """Encode a few images: (n, size, size, 1) float32 in [0, 1]; the whole result is in memory."""
        parts = [self._encoded(images[first : first + BATCH]) for first in range(0, len(images), BATCH)]
        return concatenate(parts)

    def errors(self, images: Images, codes: Codes) -> Annotated[NDArray[np.float32], "n"]:
        """Compute the mean squared error of each image's reconstruction, intensities from 0 to 1: (n,). This is slow.

        Args:
            images: (n, size, size, 1) float32 in [0, 1].
            codes: their latent codes.
        """
        made = scoring.reconstruct(self.model, images) if self.kind == "features" else self.decode(codes.means)
        return metrics.mse(images, made).astype(np.float32)

    def decode(self, latents: Latents) -> Images:
        """Decode latent codes: (n, k) -> (n, size, size, 1) float32 in [0, 1].

        Raises:
            ConfigError: the model cannot decode from a latent code alone.
        """
        self.need_decoder()
        parts = [latents[first : first + BATCH] for first in range(0, len(latents), BATCH)]
        return np.concatenate([self._decoded(part.astype(np.float32)) for part in parts])

    def need_decoder(self) -> None:
        """Raise ConfigError if nothing can be decoded from a latent code alone."""
        if self.kind == "features":
            raise ConfigError(
                f"The decoder of model '{self.model.name}' also needs features from skip connections, so a latent "
                "code alone cannot be decoded.",
                "Choose a run of an autoencoder with a bottleneck (ae, residual-ae, vae, residual-vae).",
            )

    def need_posterior(self, wanted: str, instead: str) -> None:
        """Raise ConfigError if the model is not variational; the arguments name the missing part, and the advice."""
        self.need_decoder()
        if self.kind != "posterior":
            raise ConfigError(f"Model '{self.model.name}' is not variational: it has no {wanted}.", instead)

    def _encoded(self, images: Images) -> Codes:
        if self.kind == "posterior":
            variational = cast(VariationalModel, self.model)
            means, log_vars = (np.asarray(found, np.float32) for found in variational.posterior(images))
            return Codes(means, log_vars)
        found = self.model.encoder.predict_on_batch(images)
        if self.kind == "code":
            return Codes(np.asarray(found, np.float32), None)
        return Codes(np.asarray(found[-1], np.float32).mean(axis=(1, 2)), None)

    def _decoded(self, latents: Latents) -> Images:
        made = self.model.decoder.predict_on_batch(latents)
        return _sigmoid(made) if self.kind == "posterior" else np.asarray(made, np.float32)


def _sigmoid(logits: Any) -> Images:
    return (1.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))).astype(np.float32)
