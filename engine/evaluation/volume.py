"""Whole volumes through a model: each slice is prepared, transformed, and brought back to its size and intensities."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine import noise
from engine.arrays import Images
from engine.config import DataConfig
from engine.data.preparation import measure_range, prepare, restore
from engine.data.scan import Scan
from engine.evaluation.scoring import BATCH
from engine.job_context import UNATTENDED, JobContext

Transform = Callable[[Images, int], Images]


def add_slice_noise(images: Images, kind: str, level: float, seed: int, first: int) -> Images:
    """Add noise to a batch of slices from slice `first` on; batches do not share their noise.

    Args:
        images: (k, size, size, 1) float32 in [0, 1].
        kind: one of `engine.noise.KINDS`.
        level: as there; 0 adds none.
        seed: of the volume.
        first: index of the first slice.
    """
    return noise.add_noise(images, kind, level, (seed + first) % 2**31)


def transform_slices(
    scan: Scan, config: DataConfig, transform: Transform, context: JobContext = UNATTENDED
) -> NDArray[np.float32]:
    """Transform every slice of a volume, in batches.

    Args:
        scan: the volume.
        config: settings that the model's images were prepared with.
        transform: (k, size, size, 1) float32 in [0, 1] and the index of the first slice -> the same shape.
        context: asked between batches whether to stop; receives the slices done and in all.

    Returns:
        float32, the shape of `scan.pixels`, in its intensities.

    Raises:
        Cancelled: the caller asked to stop.

    Examples:
        >>> scan = Scan(np.full((2, 40, 30), 0.5, np.float32), "head.nii", "nifti")
        >>> transform_slices(scan, DataConfig(size=32), lambda images, first: 1 - images).shape
        (2, 40, 30)
    """
    made = np.empty(scan.pixels.shape, np.float32)
    for first in range(0, len(scan), BATCH):
        context.check()
        context.report(first, len(scan))
        last = min(first + BATCH, len(scan))
        prepared = np.stack([prepare(scan, config, index) for index in range(first, last)])
        outputs = transform(prepared[..., np.newaxis], first)[..., 0]
        for index, output in zip(range(first, last), outputs, strict=True):
            pixels = scan.slice(index)
            limits = measure_range(pixels, config, scan.aspect)
            made[index] = restore(output, config, (pixels.shape[0], pixels.shape[1]), scan.aspect, limits)
    context.report(len(scan), len(scan))
    return made
