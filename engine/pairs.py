"""Input and target of a model: augmented images, with noise added to the input where it learns to denoise.

All randomness of an image depends on seed, epoch and the image's index in its split. So neither the order of the
batches nor an interruption of the training changes a bit of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import augmentation, noise
from engine.arrays import Images
from engine.config import NoiseConfig, RunConfig
from engine.protocols import ImageSequence, Indices

AUGMENTATION, NOISE, VALIDATION = 1, 2, 3  # streams of random numbers


@dataclass(frozen=True)
class BatchMaker:
    """Factory of the (input, target) pairs of a training batch.

    Args:
        config: its sections `augmentation` and `noise`, and the seed of `training`.
    """

    config: RunConfig

    def make(self, images: Images, rows: NDArray[np.int64], epoch: int) -> tuple[Images, Images]:
        """Return the model's input and its target.

        Args:
            images: (n, height, width, 1) float32 in [0, 1].
            rows: (n,) indices of the images in their split.
            epoch: number of the epoch, from 0.

        Returns:
            Two arrays of that shape, type and range; without noise, one array twice.
        """
        changes, seed = self.config.augmentation, self.config.training.seed
        if augmentation.is_enabled(changes):
            streams = [make_rng(seed, epoch, row, AUGMENTATION) for row in rows]
            drawn = zip(images, streams, strict=True)
            images = np.stack([augmentation.augment(image[..., 0], changes, rng) for image, rng in drawn])[..., None]
        if self.config.noise.noise == "none":
            return images, images
        return add_noise_per_image(
            images, self.config.noise, [make_rng(seed, epoch, row, NOISE) for row in rows]
        ), images


class NoisyImages:
    """A split whose model inputs carry noise, always the same for the same image.

    Args:
        images: the split; its images are the target.
        settings: kind and levels of the noise.
    """

    def __init__(self, images: ImageSequence, settings: NoiseConfig) -> None:
        self.images, self.settings = images, settings

    def __len__(self) -> int:
        return len(self.images)

    def read(self, which: Indices = slice(None)) -> Images:
        """Return the noise-free images, as the split reads them."""
        return self.images.read(which)

    def inputs(self, images: Images, rows: Iterable[int]) -> Images:
        """Return the noisy inputs of the images of these rows; the noise has seed 0 whatever the run's seed."""
        return add_noise_per_image(images, self.settings, [make_rng(0, 0, int(row), VALIDATION) for row in rows])


def make_validation_view(images: ImageSequence, settings: NoiseConfig) -> ImageSequence:
    """Return the split that a run is validated on: with fixed noise where it learns to denoise."""
    return images if settings.noise == "none" else NoisyImages(images, settings)


def add_noise_per_image(images: Images, settings: NoiseConfig, streams: list[np.random.Generator]) -> Images:
    """Add noise to images, each with its own level and generator: (n, height, width, 1) -> the same."""
    add, low, high = noise.TRAINING_KINDS[settings.noise], settings.noise_low, settings.noise_high
    drawn = zip(images, streams, strict=True)
    return np.concatenate([add(image[np.newaxis], rng.uniform(low, high), rng) for image, rng in drawn])


def make_rng(seed: int, epoch: int, row: int, purpose: int) -> np.random.Generator:
    """Return the random generator of one image in one epoch for one purpose."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch, int(row), purpose])))
