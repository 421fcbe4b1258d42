"""Results of a run for a whole volume, written where and how the user wants: opened, transformed, written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from engine import __version__
from engine.config import DataConfig
from engine.data import Scan, dicom_writer, open_scan, volume_writer
from engine.data.dicom_writer import Derivation
from engine.data.volume_plane import reslice
from engine.data.volume_target import VolumeTarget
from engine.evaluation.volume import Transform, transform_slices
from engine.job_context import UNATTENDED, JobContext
from engine.runs import Run


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
