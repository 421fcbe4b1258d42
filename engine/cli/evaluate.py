"""`evaluate`: the metrics of a run."""

import sys
from argparse import Namespace
from collections.abc import Iterable
from typing import Any

import numpy as np

from engine import evaluation, runs
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.config import model_title
from engine.data import Dataset
from engine.evaluation.interpretation import describe_noise
from engine.formatting import DASH, format_fixed, format_number
from engine.job_context import JobContext
from engine.latent import distribution
from engine.runs import Run

PATIENTS = "psnr_db_patient_interval"
IMAGE_COLUMNS = {
    "n": "images",
    "psnr_db": "PSNR (dB)",
    PATIENTS: "CI over patients",
    "mse": "MSE",
    "mae": "MAE",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "head_psnr_db": "head PSNR (dB)",
    "head_ssim": "head SSIM",
}
PLACES = {"psnr_db": 1, "head_psnr_db": 1, "ssim": 2, "head_ssim": 2, "ms_ssim": 2}
NATS_COLUMNS = {
    "nats_per_image": "nats per image",
    "nats_per_pixel": "nats per pixel",
    "reconstruction_nats": "reconstruction",
    "kl_nats": "KL",
    "entropy_floor_nats": "entropy floor",
    "active_units": "active dims",
    "batch_sum": "batch sum",
}
PICTURES_NOTE = """\
Intensities 0–1; ± is half the width of the 95% confidence interval of the mean over images. CI over patients: from a \
bootstrap of whole patients, where all are known. Head: inside the head mask. MS-SSIM with {scales} of 5 scales."""
NATS_NOTE = """\
Nats per image: reconstruction + KL, the negative ELBO. The reconstruction term cannot be lower than the entropy \
floor, the binary entropy of the images. Active dims: latent dimensions with more than 0.01 nats of KL. Batch sum: the \
loss × {size} images, as in the reference study (a 2024 course report)."""


def run(options: Namespace) -> CommandResult:
    """Evaluate a run on each split."""
    opened = runs.open_run(options.run, options.runs)
    meter = ConsoleProgress(sys.stderr)
    context = JobContext(on_progress=meter.update)
    images = evaluation.load_dataset(opened, options.data, context=context)
    if options.data is None and evaluation.has_data_changed(opened, images):
        meter.print_line(
            "The images have changed since this run was trained: its training images may now be in other splits."
        )
    measured = evaluation.evaluate_with_references(opened, images, options.split, context=context)
    measured["distribution"] = _compare_distribution(opened, images, context)
    return CommandResult(_text(opened, images.source, measured), measured)


def _compare_distribution(run: Run, images: Dataset, context: JobContext) -> dict[str, Any] | None:
    """Count the test images that are unlike the training images: of unseen patients, else those that are not leaked.

    Returns None if the run was not trained by patient, or if there are no such images.
    """
    rows = np.flatnonzero(images.unseen if images.unseen.any() else ~images.leaked)
    if not len(rows):
        return None
    context = context.with_title("Comparing with validation images")
    usual = distribution.load_reference(run, evaluation.load_model(run), context)
    return distribution.count_flagged(usual, images.test, rows, context) if usual else None


def _text(run: Run, source: str, measured: dict[str, Any]) -> str:
    model, splits = run.config.model, measured["splits"]
    scales = max((part["ms_ssim_scales"] for part in splits.values()), default=0)
    given = f"{source}{describe_noise(run.config.noise)}"
    lines = [
        f"Run {run.name} ({model_title(model.model)}) on {given}; means over images:",
        _pictures(run.name, measured),
        PICTURES_NOTE.format(scales=scales),
    ]
    if model.loss_unit == "nats":
        rows = [[split, *(format_number(part[key]) for key in NATS_COLUMNS)] for split, part in splits.items()]
        lines += ["", format_table(["split", *NATS_COLUMNS.values()], rows, align="<" + ">" * len(NATS_COLUMNS))]
        lines.append(NATS_NOTE.format(size=run.config.training.batch_size))
    found = measured["distribution"]
    return "\n".join([*lines, "", *measured["notes"], *([found["sentence"]] if found else [])])


def _pictures(name: str, measured: dict[str, Any]) -> str:
    """Format the run and, below it on each split, its baselines; without noise, the input gets no row of zeros."""
    yardsticks = measured["yardsticks"]
    columns = {key: title for key, title in IMAGE_COLUMNS.items() if _is_shown(key, measured["splits"].values())}
    rows = []
    for split, part in measured["splits"].items():
        rows.append([split, name, *_cells(part, columns)])
        if "pca" in yardsticks:
            linear = yardsticks["pca"][split]
            rows.append(["", f"PCA-{linear['components']}", *_cells(linear, columns)])
        rows.append(["", "mean image", *_cells(yardsticks["mean"][split], columns)])
        if yardsticks["identity"][split]["mse"]:
            rows.append(["", "noisy input", *_cells(yardsticks["identity"][split], columns)])
    return format_table(["split", "model", *columns.values()], rows, align="<<" + ">" * len(columns))


def _is_shown(key: str, parts: Iterable[dict[str, Any]]) -> bool:
    """Return whether a column has a value: intervals over patients only where patients are known."""
    return key != PATIENTS or any(part[key] for part in parts)


def _cells(part: dict[str, Any], columns: Iterable[str]) -> list[str]:
    cells = {key: DASH if key.endswith("interval") else format_number(part[key]) for key in columns}
    cells |= {key: format_fixed(part[key], places) for key, places in PLACES.items()}
    if part["psnr_db_interval"]:
        low, high = part["psnr_db_interval"]
        cells["psnr_db"] = f"{part['psnr_db']:.1f} ± {(high - low) / 2:.1f}"
    if limits := part.get(PATIENTS):
        cells[PATIENTS] = f"{limits[0]:.1f} to {limits[1]:.1f}"
    return list(cells.values())
