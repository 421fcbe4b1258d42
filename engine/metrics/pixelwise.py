"""Pixel errors, averaged over an image or over a mask, and the intensity range that metrics are relative to."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import AnyPictures, Masks, PerImage, Pictures, Stack
from engine.errors import DataError


def data_range(images: NDArray[Any]) -> float:
    """Return the range of intensities that an array's type can hold, or represents.

    Args:
        images: any shape; 8-bit or 16-bit unsigned integers, or floats in [0, 1].

    Returns:
        255 for uint8, 65535 for uint16, 1 for floats: as in scikit-image, except that its default for floats is 2.

    Raises:
        DataError: the type is another one, which does not define white.

    Example:
        >>> data_range(np.zeros((1, 8, 8), np.uint8)) == 255.0
        True
    """
    kind = np.asarray(images).dtype
    if kind in (np.uint8, np.uint16):
        return float(np.iinfo(kind).max)
    if np.issubdtype(kind, np.floating):
        return 1.0
    raise DataError(f"Images of type {kind} have no fixed intensity range.", "Use uint8, uint16, or floats in [0, 1].")


def validate_pair(originals: AnyPictures, reconstructed: AnyPictures) -> tuple[Stack, Stack, float]:
    """Return two stacks of images as float64 (n, height, width), unscaled, and their common data range.

    Args:
        originals: (n, height, width) or (n, height, width, 1), see `data_range`.
        reconstructed: the same.

    Returns:
        Both as float64 (n, height, width), and the data range.

    Raises:
        DataError: the two differ in shape or in their data range.
    """
    first, second = drop_channel(originals), drop_channel(reconstructed)
    if first.shape != second.shape:
        raise DataError(
            f"Images of shape {first.shape} and {second.shape} cannot be compared.", "Use images of one size."
        )
    span = data_range(originals)
    if span != data_range(reconstructed):
        kinds = f"{np.asarray(originals).dtype} and {np.asarray(reconstructed).dtype}"
        raise DataError(f"Intensities of type {kinds} have different ranges.", "Convert both to one type first.")
    return first.astype(np.float64), second.astype(np.float64), span


def drop_channel(images: Pictures) -> Annotated[NDArray[Any], "n height width"]:
    """Return images without their channel axis: (n, height, width, 1) or (n, height, width) -> (n, height, width).

    Example:
        >>> drop_channel(np.zeros((2, 8, 8, 1))).shape
        (2, 8, 8)
    """
    array = np.asarray(images)
    return array[..., 0] if array.ndim == 4 else array


def mse(originals: Pictures, reconstructed: AnyPictures, mask: Masks | None = None) -> PerImage:
    """Return the mean squared error of each image, in squared intensities: two (n, height, width[, 1]) -> (n,).

    Args:
        originals: uint8, uint16, or floats in [0, 1].
        reconstructed: the same type and shape.
        mask: bool (n, height, width), the pixels that count; all if None.

    Returns:
        (n,) values; nan for an empty mask.

    Example:
        >>> mse(np.zeros((2, 8, 8)), np.full((2, 8, 8), 0.1)).round(4).tolist()
        [0.01, 0.01]
    """
    first, second, _ = validate_pair(originals, reconstructed)
    return masked_mean(np.square(first - second), mask)


def mae(originals: Pictures, reconstructed: AnyPictures, mask: Masks | None = None) -> PerImage:
    """Return the mean absolute error of each image, in intensities; arguments and result as in `mse`.

    Example:
        >>> mae(np.zeros((2, 8, 8)), np.full((2, 8, 8), 0.1)).round(4).tolist()
        [0.1, 0.1]
    """
    first, second, _ = validate_pair(originals, reconstructed)
    return masked_mean(np.abs(first - second), mask)


def psnr_db(originals: Pictures, reconstructed: AnyPictures, mask: Masks | None = None) -> PerImage:
    """Return the peak signal-to-noise ratio of each image, 10 log10(range^2 / mse) dB; infinite for equal images.

    The range is that of the type (`data_range`): 1 for floats, 255 for uint8, 65535 for uint16.

    Example:
        >>> psnr_db(np.zeros((1, 8, 8)), np.full((1, 8, 8), 0.1)).round(2).tolist()
        [20.0]
    """
    return mse_to_psnr_db(mse(originals, reconstructed, mask), data_range(originals))


def mse_to_psnr_db(squared_error: NDArray[np.float64], span: float = 1.0) -> NDArray[np.float64]:
    """Convert a mean squared error to PSNR: (n,) in squared intensities of this range -> (n,) dB.

    Example:
        >>> float(mse_to_psnr_db(np.array(0.01), 1.0).round(2))
        20.0
    """
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(span**2 / squared_error)


def masked_mean(values: Stack, mask: Masks | None) -> PerImage:
    """Return the mean of each image's pixels, or of those in a mask: (n, height, width) -> (n,), nan if empty.

    Example:
        >>> masked_mean(np.array([[[1.0, 3.0]]]), np.array([[[True, False]]]))
        array([1.])
    """
    if mask is None:
        return np.mean(values, axis=(1, 2))
    inside = np.sum(mask, axis=(1, 2))
    with np.errstate(invalid="ignore"):
        return np.sum(values, axis=(1, 2), where=mask) / np.where(inside, inside, np.nan)
