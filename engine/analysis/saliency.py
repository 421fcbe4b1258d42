"""Saliency: the gradient of a channel's value with respect to the pixels of an image.

Simonyan, Vedaldi, Zisserman: Deep inside convolutional networks. arXiv:1312.6034 (2013). Smilkov et al.: SmoothGrad,
arXiv:1706.03825 (2017): the mean gradient over noisy copies, which is less noisy. A gradient gives the effect of a
small change to this image, not the pixels that caused the value.
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from engine.analysis.channel_objective import ChannelObjective
from engine.analysis.gradients import gradient

# Standard deviation of the noise on the copies, in intensities.
NOISE = 0.1


def saliency(
    model: Any, images: NDArray[np.float32], channel: ChannelObjective, copies: int = 0, seed: int = 0
) -> NDArray[np.float32]:
    """Compute the change of a channel's value with each pixel.

    Args:
        model: a built model of Engram.
        images: (n, size, size, 1) float32 in [0, 1].
        channel: the channel, or one unit of it.
        copies: number of noisy copies whose gradients are averaged; 0 for the plain gradient.
        seed: seed of that noise.

    Returns:
        (n, size, size) float32, signed: activation per unit of intensity.

    Raises:
        ConfigError: the model has no such channel.
    """
    channel.check(model)

    def total(given: Any) -> Any:
        return keras.ops.sum(channel.evaluate(model, given))

    if not copies:
        return gradient(total, images)[1][..., 0]
    rng = np.random.default_rng(seed)
    found = np.zeros(images.shape[:3], np.float64)
    for _ in range(copies):
        noise = rng.standard_normal(images.shape, np.float32) * np.float32(NOISE)
        found += gradient(total, images + noise)[1][..., 0]
    return (found / copies).astype(np.float32)
