"""What a model is given, and what it should make of it: augmented images, noisy where it learns to denoise.

Everything drawn for an image follows from seed, epoch and the image's place in its split. So neither the order of the
batches nor a break in the training changes a bit of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import augmentation, noise
from engine.config import NoiseConfig, RunConfig

Images = NDArray[np.float32]
AUGMENTATION, NOISE, VALIDATION = 1, 2, 3  # streams of random numbers


@dataclass(frozen=True)
class BatchMaker:
    """Makes the pairs of a training batch.

    Args:
        config: its sections `augmentation` and `noise`, and the seed of `training`.
    """

    config: RunConfig

    def make(self, images: Images, rows: NDArray[np.int64], epoch: int) -> tuple[Images, Images]:
        """Return what the model is given and what it should return.

        Args:
            images: (n, height, width, 1) float32 in [0, 1].
            rows: (n,) places of the images in their split.
            epoch: number of the epoch, from 0.

        Returns:
            Two arrays of that shape, type and range; the same one twice without noise.
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
    """A split whose images are given to the model with noise, always the same for the same image.

    Args:
        images: anything with a length and `read(slice)`; its images are the goal.
        settings: kind and levels of the noise.
    """

    def __init__(self, images: Any, settings: NoiseConfig) -> None:
        self.images, self.settings = images, settings

    def __len__(self) -> int:
        return len(self.images)

    def read(self, which: Any = slice(None)) -> Images:
        """The clean images, as the split reads them."""
        return self.images.read(which)

    def inputs(self, images: Images, rows: Any) -> Images:
        """The images of these rows as the model is given them; noise of seed 0 whatever the run's seed."""
        return add_noise_per_image(images, self.settings, [make_rng(0, 0, int(row), VALIDATION) for row in rows])


def make_validation_view(images: Any, settings: NoiseConfig) -> Any:
    """A split as a run is validated on it: with fixed noise where it learns to denoise."""
    return images if settings.noise == "none" else NoisyImages(images, settings)


def add_noise_per_image(images: Images, settings: NoiseConfig, streams: list[np.random.Generator]) -> Images:
    """Put noise on images, each with its own level and generator: (n, height, width, 1) -> the same."""
    add, low, high = noise.KINDS[settings.noise], settings.noise_low, settings.noise_high
    drawn = zip(images, streams, strict=True)
    return np.concatenate([add(image[np.newaxis], rng.uniform(low, high), rng) for image, rng in drawn])


def make_rng(seed: int, epoch: int, row: int, purpose: int) -> np.random.Generator:
    """The random numbers of one image in one epoch for one purpose."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch, int(row), purpose])))
