"""Metrics of a model on images, one value per image, so that none depends on the batch size.

A model needs only `predict_on_batch`, and, with a latent distribution, `decoder` and `beta`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from engine import metrics
from engine.arrays import Images, Latents
from engine.job_context import UNATTENDED, JobContext
from engine.pairs import NoisyImages
from engine.protocols import ImageModel, ImageSequence, VariationalModel

BATCH = 64
Scores = dict[str, NDArray[np.float64]]
Pair = tuple[Images, Images]


@dataclass(frozen=True, eq=False)
class ScoredBatch:
    """Images of a split, and a model's outputs for them.

    Args:
        first: index of the first image within its split.
        images: (k, size, size, 1) float32 in [0, 1].
        outputs: the model's outputs.
        pictures: its reconstructions, like `images`.
    """

    first: int
    images: Images
    outputs: Any
    pictures: Images


Measure = Callable[[ScoredBatch], Scores]


def no_extra_metrics(batch: ScoredBatch) -> Scores:
    """Return no metrics beside the losses."""
    return {}


def reconstruct(model: ImageModel, images: Images) -> Images:
    """Reconstruct images with a model.

    Args:
        model: a model of Engram.
        images: (n, size, size, 1) float32 in [0, 1].

    Returns:
        Reconstructions, same shape and range; a variational model decodes its latent means.

    Example:
        reconstructed = engine.reconstruct(engine.load_model(run), images)
        assert reconstructed.shape == images.shape
    """
    parts = [_to_images(model.predict_on_batch(images[i : i + BATCH])) for i in range(0, len(images), BATCH)]
    return np.concatenate(parts) if parts else np.zeros_like(images)


def score(
    model: ImageModel,
    images: ImageSequence,
    context: JobContext = UNATTENDED,
    measure: Measure = no_extra_metrics,
) -> Scores:
    """Compute losses of a model on every image of a split, without training. Batch by batch, so memory stays flat.

    Args:
        model: a model of Engram.
        images: the split; of `NoisyImages` the noisy ones are the input and the noise-free ones the target.
        context: asked between batches whether to stop; receives the images done and in all.
        measure: further metrics of a batch by name, (k,) or (k, ...) each.

    Returns:
        name -> (n,): those of `measure`, 'mse' (of the reconstruction from the latent mean) and 'loss'; for a
        variational model also 'reconstruction' and 'kl' in nats, from one seeded sample of the latent code per image,
        so that their sum is an unbiased estimate of the negative evidence lower bound.

    Raises:
        Cancelled: the caller asked to stop.
    """
    parts: list[Scores] = []
    for first, batch in batches(images):
        context.check()
        rows = range(first, first + len(batch))
        given = images.inputs(batch, rows) if isinstance(images, NoisyImages) else batch
        parts.append(_score_batch(model, (given, batch), first, measure))
        context.report(first + len(batch), len(images))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def entropy_floor_nats(images: ImageSequence) -> float:
    """Return the mean over a split of `engine.metrics.entropy_floor_nats`, batch by batch; nats per image."""
    parts = [metrics.entropy_floor_nats(batch) for _, batch in batches(images)]
    return float(np.mean(np.concatenate(parts)))


def batches(images: ImageSequence) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield a split batch by batch: (index of the first image, images)."""
    for first in range(0, len(images), BATCH):
        yield first, images.read(slice(first, first + BATCH))


def _score_batch(model: ImageModel, pair: Pair, first: int, measure: Measure) -> Scores:
    given, images = pair
    outputs = model.predict_on_batch(given)
    pictures = _to_images(outputs)
    squared = metrics.mse(images, pictures)
    more = measure(ScoredBatch(first, images, outputs, pictures))
    if not isinstance(outputs, dict):
        return {"loss": squared, "mse": squared, **more}
    variational = cast(VariationalModel, model)
    z = sample_latent(np.asarray(outputs["mean"]), np.asarray(outputs["log_var"]), first)
    reconstruction = metrics.cross_entropy_nats(images, np.asarray(variational.decoder.predict_on_batch(z)))
    kl = metrics.divergence_nats(np.asarray(outputs["mean"]), np.asarray(outputs["log_var"]))
    total = reconstruction + variational.beta * kl
    return {"loss": total, "reconstruction": reconstruction, "kl": kl, "mse": squared, **more}


def sample_latent(mean: Latents, log_var: Latents, first: int) -> Latents:
    """Draw one latent code per image, independent of the batch: two (n, latent) arrays -> (n, latent)."""
    streams = (np.random.Generator(np.random.Philox(key=[0, first + row])) for row in range(len(mean)))
    epsilon = np.stack([stream.standard_normal(mean.shape[1], np.float32) for stream in streams])
    return mean + np.exp(0.5 * log_var) * epsilon


def _to_images(outputs: Any) -> Images:
    if isinstance(outputs, dict):
        return (1.0 / (1.0 + np.exp(-np.asarray(outputs["logits"], np.float64)))).astype(np.float32)
    return np.asarray(outputs)


def fix_sample(images: ImageSequence, count: int) -> Pair:
    """Return a fixed sample of a split, spread evenly over it (and so over its classes).

    Returns:
        The model's input, and the images; the same array twice except for `NoisyImages`.
    """
    rows = np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).round().astype(np.int64))
    clean = images.read(rows)
    return (images.inputs(clean, rows) if isinstance(images, NoisyImages) else clean), clean
