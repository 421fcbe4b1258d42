"""Structural similarity, single-scale and multi-scale.

Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, IEEE Trans. Image Processing 13 (2004), with the paper's
Gaussian window: 11 px, sigma 1.5, population covariance, K1 0.01, K2 0.03. These are scikit-image's settings
`gaussian_weights=True, sigma=1.5, use_sample_covariance=False` with `data_range` of the images' type.

Wang, Simoncelli, Bovik: Multi-scale structural similarity for image quality assessment, Asilomar (2003).
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import scipy
from numpy.typing import NDArray

from engine.arrays import AnyPictures, Masks, PerImage, Pictures, Stack
from engine.errors import DataError
from engine.metrics.pixelwise import masked_mean, validate_pair

SIGMA, RADIUS = 1.5, 5
WINDOW_PX = 2 * RADIUS + 1
K1, K2 = 0.01, 0.03
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim(originals: Pictures, reconstructed: AnyPictures, mask: Masks | None = None) -> PerImage:
    """Return the structural similarity of each image, in [-1, 1].

    Args:
        originals: (n, height, width) or (n, height, width, 1), uint8, uint16 or floats in [0, 1], of 11 px or more.
        reconstructed: the same type and shape.
        mask: bool (n, height, width); the result is the mean of the similarity map over it. If None, the mean is over
            all windows that lie in the image, as in scikit-image.

    Returns:
        (n,) values; nan for an empty mask.

    Raises:
        DataError: the images are smaller than the window.

    Example:
        >>> image = np.random.default_rng(0).random((1, 16, 16))
        >>> ssim(image, image).tolist()
        [1.0]
    """
    return similarity(originals, reconstructed).mean(mask)


def ms_ssim(originals: Pictures, reconstructed: AnyPictures) -> PerImage:
    """Return the multi-scale structural similarity of each image, in [0, 1].

    Five scales, each half as large as the one before, need sides of 176 px: the window must fit the smallest. Smaller
    images get as many scales as fit (`scales`: 4 at 128 px, 2 at 32 px), with the weights of these scales divided by
    their sum, so that such a value is comparable only at the same size. A negative contrast-structure term
    counts as 0: its power would not be real.

    Args:
        originals: as for `ssim`.
        reconstructed: the same.

    Returns:
        (n,) values.

    Raises:
        DataError: the images are smaller than the window.

    Example:
        >>> image = np.random.default_rng(0).random((1, 64, 64))
        >>> ms_ssim(image, image).round(6).tolist()
        [1.0]
    """
    return similarity(originals, reconstructed).multi_scale()


def scales(shape: tuple[int, ...]) -> int:
    """Return how many of the five scales of MS-SSIM fit an image: (height, width) -> 0 to 5.

    Example:
        >>> scales((128, 128))
        4
    """
    side = min(shape[:2])
    return sum(side // 2**scale >= WINDOW_PX for scale in range(len(WEIGHTS)))


@dataclass(frozen=True, eq=False)
class Similarity:
    """Pixelwise similarity of two stacks of images.

    Args:
        first: float64 (n, height, width).
        second: the same.
        span: their data range.
        structure: contrast and structure terms, (n, height, width).
        whole: `structure` times luminance: the similarity map.
    """

    first: Stack
    second: Stack
    span: float
    structure: Stack
    whole: Stack

    def mean(self, mask: Masks | None = None) -> PerImage:
        """Return the mean similarity of each image, or of the pixels in a mask, (n,)."""
        return _valid_mean(self.whole) if mask is None else masked_mean(self.whole, mask)

    def multi_scale(self) -> PerImage:
        """Return the multi-scale similarity of each image, (n,); see `ms_ssim`."""
        count = scales(self.first.shape[1:])
        weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
        at, product = self, np.ones(len(self.first))
        for number, weight in enumerate(weights, 1):
            term = _valid_mean(at.whole if number == count else at.structure)
            product *= np.maximum(term, 0.0) ** weight
            if number < count:
                at = _compare(_downsample(at.first), _downsample(at.second), self.span)
        return product


def similarity(originals: AnyPictures, reconstructed: AnyPictures) -> Similarity:
    """Compare images pixel by pixel, once for several metrics: arguments as in `ssim`."""
    first, second, span = validate_pair(originals, reconstructed)
    if min(first.shape[1:]) < WINDOW_PX:
        size = " x ".join(map(str, first.shape[1:]))
        raise DataError(
            f"Images of {size} px are smaller than the SSIM window of {WINDOW_PX} px.",
            "Use larger images.",
        )
    return _compare(first, second, span)


def _compare(first: Stack, second: Stack, span: float) -> Similarity:
    luminance, contrast = (K1 * span) ** 2, (K2 * span) ** 2
    mean, other = _blurred(first), _blurred(second)
    square, cross, other_square = mean * mean, mean * other, other * other
    variances = _blurred(first * first) - square + _blurred(second * second) - other_square
    structure = (2 * (_blurred(first * second) - cross) + contrast) / (variances + contrast)
    whole = structure * (2 * cross + luminance) / (square + other_square + luminance)
    return Similarity(first, second, span, structure, whole)


def _blurred(images: Stack) -> Stack:
    """Return each image's weighted mean under the window at every pixel; images are mirrored at their edges."""
    blurred: Stack = scipy.ndimage.gaussian_filter(
        images, (0, SIGMA, SIGMA), mode="reflect", radius=(0, RADIUS, RADIUS)
    )
    return blurred


def _valid_mean(values: Stack) -> PerImage:
    """Return the mean over the windows that lie in the image."""
    return np.mean(values[:, RADIUS:-RADIUS, RADIUS:-RADIUS], axis=(1, 2))


def _downsample(images: Stack) -> Annotated[NDArray[np.float64], "n _ _"]:
    """Average every 2 x 2 pixels; a last odd row or column is dropped."""
    count, height, width = images.shape
    blocks = images[:, : height // 2 * 2, : width // 2 * 2].reshape(count, height // 2, 2, width // 2, 2)
    return np.mean(blocks, axis=(2, 4))
