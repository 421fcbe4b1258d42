"""Whole volumes through a model: each slice is prepared, transformed and brought back, and the result is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from engine import __version__, noise
from engine.arrays import Images
from engine.config import DataConfig
from engine.data import Scan, dicom_writer, open_scan, volume_writer
from engine.data.dicom_writer import Derivation
from engine.data.preparation import measure_range, prepare, restore
from engine.data.viewed_volume import reslice
from engine.data.volume_target import VolumeTarget
from engine.evaluation.scoring import BATCH
from engine.job_context import UNATTENDED, JobContext
from engine.runs import Run

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


@dataclass(frozen=True)
class VolumeTask:
    """A volume to process.

    Args:
        path: the file or the folder.
        process: what is done, such as 'reconstruction', for the header.
        volume: volume of a file of several, counted from 1; the default of `open_scan` if None.
        series: series of a folder, as in `open_scan`.
    """

    path: str
    process: str
    volume: int | None = None
    series: str = ""


def find_plane(run: Run) -> str:
    """Return the plane of the slices that a run was trained on; empty if it was not trained on volumes."""
    chosen = run.config.data.plane
    # Runs of earlier versions record no plane; axial is the default, also of images that are no slices of volumes.
    recorded = run.provenance.get("data", {}).get("plane", "" if chosen == "axial" else chosen)
    return recorded if recorded in get_args(DataConfig.model_fields["plane"].annotation) else ""


def open_source(task: VolumeTask, run: Run) -> Scan:
    """Open a volume as slices in the plane that a run was trained on.

    Raises:
        ScanError: it cannot be opened.
        DataError: it has no grid that a volume can be written on.
    """
    scan = open_scan(task.path, volume=task.volume, series=task.series)
    volume_writer.check_grid(scan)
    return reslice(scan, find_plane(run))


def export_volume(
    task: VolumeTask, run: Run, transform: Transform, target: VolumeTarget, context: JobContext = UNATTENDED
) -> dict[str, Any]:
    """Transform all slices of a volume and write them on its grid.

    Args:
        task: the volume.
        run: run whose preparation is used.
        transform: see `transform_slices`.
        target: where to write.
        context: progress and cancellation.

    Returns:
        file, slices, shape and notes, for JSON.

    Raises:
        EngramError: the input has no grid, or the result cannot be written.
        Cancelled: the caller asked to stop; nothing was written.
    """
    target.check(task.path)
    scan = open_source(task, run)
    grid = volume_writer.check_grid(scan)
    is_dicom = target.format == "dicom"
    head = dicom_writer.read_source(Path(task.path), target.keep_patient_data, task.series) if is_dicom else None
    slices = transform_slices(scan, run.config.data, transform, context)
    context.check()
    if head is None:
        volume_writer.write_volume(target.path, slices, grid, run.name)
    else:
        derivation = Derivation(run.name, run.config.model.model, task.process, __version__)
        dicom_writer.write_series(target.path, slices, grid, head, derivation)
    notes = [*scan.notes, *volume_writer.list_notes(grid)]
    shape = list(grid.to_voxels(slices).shape)
    return {"file": str(target.path), "slices": len(scan), "shape": shape, "notes": notes}
