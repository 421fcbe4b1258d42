"""Augmentation of training images: mirror, shift, rotate, zoom, gamma and gain. Pure functions.

The changes of one image depend on its generator alone, not on the other images of the batch.
"""

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from engine.arrays import Image
from engine.config import AugmentationConfig


def augment(image: Image, settings: AugmentationConfig, rng: np.random.Generator) -> Image:
    """Apply random changes to one image within the limits of the settings.

    Args:
        image: (height, width) float32 in [0, 1].
        settings: limit of each change; 0 switches a change off.
        rng: source of randomness; every call draws seven numbers, so that one setting does not shift another.

    Returns:
        (height, width) float32 in [0, 1]; pixels from outside the image are black.
    """
    mirror, down, right, turn, zoom, bend, gain = rng.random(7)
    if mirror < settings.flip:
        image = image[:, ::-1]
    if settings.shift or settings.rotation or settings.zoom:
        factor = (1.0 + settings.zoom) ** _signed(zoom)
        move = settings.shift * np.array([_signed(down), _signed(right)]) * image.shape
        image = _warp(image, math.radians(settings.rotation * _signed(turn)), factor, move)
    if settings.gamma or settings.gain:
        image = image ** np.float32((1.0 + settings.gamma) ** _signed(bend))
        image = image * np.float32(1.0 + settings.gain * _signed(gain))
    return np.ascontiguousarray(np.clip(image, 0.0, 1.0), np.float32)


def is_enabled(settings: AugmentationConfig) -> bool:
    """Return whether the settings allow any change."""
    return any(settings.model_dump().values())


def _signed(uniform: float) -> float:
    return 2.0 * uniform - 1.0


def _warp(image: Image, angle: float, zoom: float, move: NDArray[np.float64]) -> Image:
    """Rotate an image about its center, zoom it and shift it by pixels (down, right); bilinear."""
    cosine, sine = math.cos(angle) / zoom, math.sin(angle) / zoom
    matrix = np.array([[cosine, sine], [-sine, cosine]])  # maps coordinates of the result to the image
    centre = (np.array(image.shape) - 1) / 2
    offset = centre - matrix @ (centre + move)
    return scipy.ndimage.affine_transform(image, matrix, offset, order=1, mode="constant", cval=0.0)
