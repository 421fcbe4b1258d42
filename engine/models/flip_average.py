"""An answer that does not depend on which way round an image lies: the average over it and its mirror image.

Timofte, Rothe, Van Gool: Seven ways to improve example-based single image super resolution. CVPR (2016).
"""

from collections.abc import Callable
from typing import Any

from keras import ops


def average_over_flips(network: Callable[[Any], Any], images: Any) -> Any:
    """Average a network's answer to images with its answer to their mirror images, turned back.

    One after the other, not as one batch of both: then each layer is met twice, each time with the images in the order
    that they were given in, and whoever looks into the model sees which way round they lie.

    Args:
        network: from images (n, height, width, 1) to such images.
        images: (n, height, width, 1).

    Returns:
        As `images`.
    """
    plain = network(images)
    return (plain + ops.flip(network(ops.flip(images, axis=2)), axis=2)) / 2
