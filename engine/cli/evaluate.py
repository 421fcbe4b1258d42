"""`evaluate`: the numbers of a run."""

import sys
from argparse import Namespace
from typing import Any

from engine import evaluation, runs
from engine.cli.meter import Meter
from engine.cli.outcome import INTERRUPTED, Outcome, number, table
from engine.config import model_title
from engine.runs import Run

COLUMNS = {
    "n": "images",
    "mse": "MSE",
    "psnr_db": "PSNR dB",
    "ssim": "SSIM",
    "nats_per_image": "nats",
    "reconstruction_nats": "reconstruction",
    "kl_nats": "KL",
    "entropy_floor_nats": "floor",
    "batch_sum": "batch sum",
}
NATS_NOTE = """\
Nats are per image: reconstruction + KL; no model can have less reconstruction than the floor, the images' own entropy.
The batch sum, as the study counts, is the loss times {size} images."""


def run(options: Namespace) -> Outcome:
    """Measure a run on each split."""
    opened = runs.open(options.run, options.runs)
    meter = Meter(sys.stderr)
    images = evaluation.images(opened, options.data, progress=meter.count)
    if options.data is None and evaluation.have_changed(opened, images):
        meter.say(
            "The images have changed since this run was trained: its training images may now lie in other splits."
        )
    measured = evaluation.evaluate(opened, images, options.split, progress=meter.count)
    if measured is None:
        return Outcome("Stopped.", {}, INTERRUPTED)
    return Outcome(_text(opened, images.source, measured["splits"]), measured)


def _text(run: Run, source: str, splits: dict[str, dict[str, Any]]) -> str:
    model = run.config.model
    shown = [key for key in COLUMNS if model.loss_unit == "nats" or key in {"n", "mse", "psnr_db", "ssim"}]
    rows = [[split, *(number(numbers[key]) for key in shown)] for split, numbers in splits.items()]
    lines = [
        f"Run {run.name} ({model_title(model.model)}) on {source}, means over images:",
        table(["split", *(COLUMNS[key] for key in shown)], rows, align="<" + ">" * len(shown)),
    ]
    if model.loss_unit == "nats":
        lines.append(NATS_NOTE.format(size=run.config.training.batch_size))
    return "\n".join(lines)
