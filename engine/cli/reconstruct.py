"""`reconstruct`: images and volumes reconstructed by a run, saved as images or NIfTI volumes."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import data, evaluation, metrics, runs
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.cli.image_outputs import check_outputs, describe_volume, save_plain, save_volume
from engine.cli.program import rate_outcome
from engine.data.named_slice import open_image, split_slice
from engine.errors import EngramError
from engine.evaluation import scoring
from engine.figures import base
from engine.formatting import format_fixed, format_number
from engine.job_context import JobContext
from engine.latent import distribution
from engine.latent.distribution import DistributionReference
from engine.protocols import EngramModel
from engine.runs import Run

MEASURES = {"mse": metrics.mse, "psnr_db": metrics.psnr_db, "ssim": metrics.ssim}
MOST_COMPARED = 12
TITLE_LETTERS = 48
# A file name has 255 bytes at most, and the longest ending is -reconstruction.png.
STEM_BYTES = 220


@dataclass
class ReconstructInput:
    """One slice of one file, preprocessed for the run, and its reconstruction. Images are (size, size) in [0, 1]."""

    path: str
    stem: str
    scan: data.Scan
    index: int
    original: NDArray[np.float32]
    reconstructed: NDArray[np.float32]

    @property
    def title(self) -> str:
        """Return the name of the file, with the slice of a volume."""
        return self.stem if self.slice is None else f"{self.stem}, slice {self.slice}"

    @property
    def slice(self) -> int | None:
        """Return the index of the slice of a volume; None for a single image."""
        return self.index if len(self.scan) > 1 else None

    @property
    def orientation(self) -> str:
        """Return the orientation of the patient in the image, as far as the file gives it."""
        sides = self.scan.orientation
        return f"image left: patient {sides[0]}; image top: {sides[2]}" if sides else "orientation unknown"

    @property
    def difference(self) -> NDArray[np.float32]:
        """Return the reconstruction minus the original."""
        return self.reconstructed - self.original

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the notes on the file and on the slice."""
        return self.scan.slice_notes(self.index)

    def judge(self, usual: DistributionReference | None) -> dict[str, Any] | None:
        """Return how unusual the slice is for the run. Returns None if that is not known."""
        return usual.judge(self.original[None, ..., None]).to_json() if usual else None

    def measures(self) -> dict[str, float | None]:
        """Compute MSE, PSNR and SSIM; the latter two are None if the slice has one gray value only."""
        pair = self.original[None], self.reconstructed[None]
        measured: dict[str, float | None] = {name: float(measure(*pair)[0]) for name, measure in MEASURES.items()}
        return measured | {"psnr_db": None, "ssim": None} if self.scan.is_blank(self.index) else measured


def run(options: Namespace) -> CommandResult:
    """Reconstruct every image and write the results; one that cannot be opened does not stop the others."""
    opened = runs.open_run(options.run, options.runs)
    check_outputs(options, options.images)
    model, meter = evaluation.load_model(opened), ConsoleProgress(sys.stderr)
    if options.out is None:
        volume = _save_volume(options, opened, model, meter)
        content = {"run": opened.name, "model": opened.config.model.model, "images": [], "failed": [], "volume": volume}
        return CommandResult("\n".join(describe_volume(volume)), content)
    options.out.mkdir(parents=True, exist_ok=True)
    outcome = _save_images(options, opened, model, meter)
    if options.volume_out is None or outcome.status:
        return outcome
    volume = _save_volume(options, opened, model, meter)
    text = "\n".join([outcome.text, *describe_volume(volume)])
    return CommandResult(text, outcome.content | {"volume": volume})


def _save_volume(options: Namespace, run: Run, model: EngramModel, meter: ConsoleProgress) -> dict[str, Any]:
    def transform(images: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        return scoring.reconstruct(model, images)

    return save_volume(options, options.images[0], run, transform, meter)


def _save_images(options: Namespace, opened: Run, model: EngramModel, meter: ConsoleProgress) -> CommandResult:
    """Reconstruct one slice of every input and write the images."""
    subjects, failed = [], []
    for done, path in enumerate(options.images):
        meter.update("Reconstructing", done, len(options.images))
        try:
            subjects.append(_reconstruct(path, options, opened, model))
        except EngramError as error:
            failed.append({"image": path, "reason": str(error)})
            meter.print_line(str(error))
    _make_names_unique(subjects)
    described = _write(subjects, opened, options)
    context = JobContext(on_progress=meter.update, title="Comparing with validation images")
    usual = distribution.load_reference(opened, model, context) if subjects else None
    for each, subject in zip(described, subjects, strict=True):
        each["distribution"] = subject.judge(usual)
    content = {"run": opened.name, "model": opened.config.model.model, "images": described, "failed": failed}
    return CommandResult(_text(described, options.out, failed), content, rate_outcome(len(described), len(failed)))


def _reconstruct(path: str, options: Namespace, run: Run, model: EngramModel) -> ReconstructInput:
    scan, index = open_image(path, run.config.data, options.slice, options.volume, options.series)
    original = data.prepare(scan, run.config.data, index)
    reconstructed = scoring.reconstruct(model, original[None, ..., None])[0, ..., 0]
    stem = Path(split_slice(path)[0]).name.removesuffix(".gz").rsplit(".", 1)[0]
    while len(os.fsencode(stem)) > STEM_BYTES:
        stem = stem[:-1]
    return ReconstructInput(path, stem, scan, index, original, reconstructed)


def _make_names_unique(subjects: Sequence[ReconstructInput]) -> None:
    """Give files of the same name in different folders different stems."""
    taken: dict[str, int] = {}
    for subject in subjects:
        # Windows and macOS do not tell Head.png and head.png apart.
        key = subject.stem.casefold()
        taken[key] = taken.get(key, 0) + 1
        if taken[key] > 1:
            subject.stem += f"-{taken[key]}"


def _write(subjects: Sequence[ReconstructInput], run: Run, options: Namespace) -> list[dict[str, Any]]:
    """Write three images and a comparison for each input, all differences on one scale."""
    limit = base.difference_limit([subject.difference for subject in subjects])
    described, out = [], options.out
    for subject in subjects:
        title, numbers = f"{base.elide(subject.title, TITLE_LETTERS)} · {run.name}", subject.measures()
        drawn = {
            "original": base.picture(subject.original, f"{title} · model input · {subject.orientation}"),
            "reconstruction": base.picture(subject.reconstructed, f"{title} · reconstruction"),
            "difference": base.difference(subject.difference, limit, f"{title} · difference"),
            "comparison": _comparison([subject], run, limit),
        }
        files = {name: str(base.save(drawing, out / f"{subject.stem}-{name}.png")) for name, drawing in drawn.items()}
        plain = {"original": subject.original, "reconstruction": subject.reconstructed}
        files |= save_plain(plain, f"{subject.stem}-", options)
        facts = {"slice": subject.slice, "orientation": subject.scan.orientation, "notes": subject.notes}
        described.append({"image": subject.path, **facts, **numbers, "files": files})
    if 1 < len(subjects) <= MOST_COMPARED:
        base.save(_comparison(subjects, run, limit), out / "comparison.png")
    return described


def _comparison(subjects: Sequence[ReconstructInput], run: Run, limit: float) -> Any:
    notes = [_note(subject.measures()) for subject in subjects]
    columns = [
        base.Column(
            "original (model input)",
            [subject.original for subject in subjects],
            notes=[each.orientation for each in subjects],
        ),
        base.Column(run.name, [subject.reconstructed for subject in subjects], notes=notes),
        base.Column("difference", [subject.difference for subject in subjects], signed=True),
    ]
    return base.grid(columns, [subject.title for subject in subjects], cell_inches=2.2, limit=limit)


def _note(measured: dict[str, float | None]) -> str:
    return f"{format_fixed(measured['psnr_db'], 1)} dB · SSIM {format_fixed(measured['ssim'], 2)}"


def _text(described: Sequence[dict[str, Any]], out: Path, failed: Sequence[Any]) -> str:
    rows = [
        [
            *(Path(each["image"]).name, "" if each["slice"] is None else str(each["slice"])),
            *(format_number(each["mse"]), format_fixed(each["psnr_db"], 1), format_fixed(each["ssim"], 2)),
        ]
        for each in described
    ]
    lines = [format_table(["image", "slice (from 0)", "MSE", "PSNR (dB)", "SSIM"], rows, align="<>>>>")] if rows else []
    lines += [f"{Path(each['image']).name}: {note}" for each in described for note in each["notes"]]
    lines += [
        f"{Path(each['image']).name}: {each['distribution']['sentence']}" for each in described if each["distribution"]
    ]
    if rows:
        lines.append(f"Saved images of {len(rows)} input{'s' * (len(rows) > 1)} to {out}")
    if failed:
        lines.append(f"{len(failed)} of {len(rows) + len(failed)} files could not be opened.")
    return "\n".join(lines)
