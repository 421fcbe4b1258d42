"""What `reconstruct` and `denoise` write beside figures: plain images, arrays, and volumes."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.cli.console import ConsoleProgress
from engine.cli.program import PROGRAM
from engine.data.named_slice import split_slice
from engine.data.volume_target import VolumeTarget
from engine.durable import name_failures
from engine.errors import ConfigError
from engine.evaluation.volume import Transform, VolumeTask, export_volume
from engine.figures.plain import save_png
from engine.job_context import JobContext
from engine.runs import Run


def check_outputs(options: Namespace, images: Sequence[str]) -> None:
    """Check the options of `add_outputs` before any work is done.

    Raises:
        ConfigError: there is nothing to write, or one volume for several inputs.
        DataError: see `VolumeTarget.check`.
    """
    help_text = f"See {PROGRAM} {options.command} --help."
    if options.out is None and options.volume_out is None:
        raise ConfigError("Nothing to write: give --out, --volume-out or both.", help_text)
    if options.out is None and (options.bits or options.arrays):
        raise ConfigError("--bits and --arrays need a folder for their files (--out).", help_text)
    if options.volume_out is not None:
        if len(images) > 1:
            raise ConfigError("--volume-out takes one volume.", "Call the command once for each.")
        _find_target(options).check(images[0])
    if options.keep_patient_data and (options.volume_out is None or options.volume_format != "dicom"):
        raise ConfigError(
            "--keep-patient-data is for a DICOM series.", "Give --volume-out FOLDER --volume-format dicom with it."
        )


def _find_target(options: Namespace) -> VolumeTarget:
    return VolumeTarget(options.volume_out, options.volume_format, options.keep_patient_data)


def save_plain(images: Mapping[str, NDArray[np.float32]], prefix: str, options: Namespace) -> dict[str, str]:
    """Save images without title, as the options say: PNG files of 8 or 16 bits, and arrays.

    Args:
        images: name -> (height, width) in [0, 1].
        prefix: what the names of the files begin with.
        options: of `add_outputs`.

    Returns:
        name of the image, with '-16bit' or '-array' -> path.
    """
    files = {}
    for name, image in images.items():
        stem = f"{prefix}{name.replace('/', '-')}"
        if options.bits:
            path = options.out / f"{stem}-{options.bits}bit.png"
            files[f"{name}-{options.bits}bit"] = str(save_png(image, path, options.bits))
        if options.arrays:
            path = options.out / f"{stem}.npy"
            with name_failures(path):
                np.save(path, image.astype(np.float32, copy=False))
            files[f"{name}-array"] = str(path)
    return files


def save_volume(
    options: Namespace, image: str, run: Run, transform: Transform, meter: ConsoleProgress
) -> dict[str, Any]:
    """Transform all slices of a volume and write them on its grid; see `export_volume`."""
    process = "denoising" if options.command == "denoise" else "reconstruction"
    context = JobContext(on_progress=meter.update, title="Processing slices")
    task = VolumeTask(split_slice(image)[0], process, options.volume, options.series)
    return export_volume(task, run, transform, _find_target(options), context)


def describe_volume(volume: Mapping[str, Any]) -> list[str]:
    """Return the lines for people on a saved volume."""
    sides = " × ".join(str(side) for side in volume["shape"])
    return [*volume["notes"], f"Saved a volume of {volume['slices']} slices ({sides} voxels) to {volume['file']}"]
