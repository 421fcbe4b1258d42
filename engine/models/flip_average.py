"""Test-time flip averaging: the average of a network's outputs for an image and its mirror image.

Timofte, Rothe, Van Gool: Seven ways to improve example-based single image super resolution. CVPR (2016).
"""

from collections.abc import Callable
from typing import Any

from keras import ops


def average_over_flips(network: Callable[[Any], Any], images: Any) -> Any:
    """Average a network's output for images with its unflipped output for their mirror images.

    The two passes run one after the other, not as one batch: so every layer sees each orientation in a pass of its own,
    with the images in their given order, and hooks on a layer can tell the two orientations apart.

    Args:
        network: from images (n, height, width, 1) to such images.
        images: (n, height, width, 1).

    Returns:
        As `images`.
    """
    plain = network(images)
    return (plain + ops.flip(network(ops.flip(images, axis=2)), axis=2)) / 2
