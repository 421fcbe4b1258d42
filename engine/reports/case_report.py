"""Report on one image: noise, denoised by a run and baselines, and what is left of a lesion."""

import math
from typing import Final

from engine.config import DenoiseConfig
from engine.denoising import compare
from engine.denoising.compare import CompareResult
from engine.figures import base, denoising
from engine.formatting import DASH, format_fixed
from engine.reports.document import Block, Code, Picture, Report, Section, Table
from engine.runs import Run

WARNING: Final = (
    "A denoised image can lack a lesion that is there, and show one that is not. Read it only beside the original."
)
METRICS: Final = (
    "PSNR and SSIM against the image before noise was added. Lesion contrast retained: contrast after denoising over "
    "contrast before noise, with the 95% interval of a block bootstrap; pattern: the share of the lesion's pattern "
    "that is retained."
)


def describe_case(found: CompareResult, run: Run, settings: DenoiseConfig, advice: str) -> Report:
    """Return the report on one image. It holds no name of a file, since that may be a patient's.

    Args:
        found: the image and the results of the methods.
        run: the run with the model.
        settings: noise and measurement.
        advice: the command that gives the same numbers.
    """
    warnings = [said for name in found.made if (said := found.warning(name, settings.least_retention))]
    side = found.original.shape[0]
    shown = f"Slice {found.index + 1} of {len(found.scan)}. " if len(found.scan) > 1 else ""
    lead = (
        f"{shown}Prepared for {run.name}: {side} × {side} pixels, orientation {found.scan.orientation or 'unknown'}. "
        f"{_describe_noise(found, settings)}"
    )
    facts: list[Block] = [WARNING, *warnings, *found.scan.slice_notes(found.index)]
    return Report(
        "Denoising of one image",
        lead,
        [
            Section("Read first", facts, is_warning=True),
            Section("Images", [_draw(found)]),
            Section("Numbers", [_list_numbers(found), *_describe_residuals(found), METRICS]),
            Section("Lesion", [_describe_lesion(found, settings)]),
            Section("Methods", [_list_methods(found, run)]),
            Section("Repeat", [Code([advice])]),
        ],
    )


def _describe_noise(found: CompareResult, settings: DenoiseConfig) -> str:
    if found.estimate is not None:
        return f"The image is noisy already. {found.estimate.describe(found.original.shape[0])}"
    return f"Noise: {settings.noise}, σ = {settings.sigma:g} on the scale 0–1, seed {settings.seed}."


def _draw(found: CompareResult) -> Picture:
    made = [each for name, each in found.made.items() if name != compare.NOISY]
    pictures = [found.original, found.made[compare.NOISY].picture, *(each.picture for each in made)]
    titles = ["original", "noisy", *(base.elide(each.method.title) for each in made)]
    notes = ["", *(each.note for each in found.made.values())]
    outline = " The line is the outline of the lesion." if found.mask is not None else ""
    caption = (
        f"The image, with noise, and as each method denoises it; below, the differences from the original.{outline}"
    )
    return Picture(denoising.comparison(titles, pictures, notes, found.mask), caption)


def _describe_residuals(found: CompareResult) -> list[str]:
    """Return what each method removed from an image that is noisy already."""
    return [made.residual.describe(made.method.title) for made in found.made.values() if made.residual is not None]


def _list_numbers(found: CompareResult) -> Table:
    rows = []
    for made in found.made.values():
        kept, low, high = made.kept, math.nan, math.nan
        if kept is not None:
            low, high = kept.interval
        interval = f"{_percent(low)} to {_percent(high)}" if math.isfinite(low) else DASH
        retained, pattern = (_percent(kept.value), _percent(kept.pattern)) if kept else (DASH, DASH)
        quality = format_fixed(made.psnr_db, 1), format_fixed(made.ssim, 2)
        rows.append([made.method.title, *quality, retained, interval, pattern])
    return Table(["method", "PSNR (dB)", "SSIM", "contrast retained (%)", "95% CI", "pattern (%)"], rows)


def _percent(value: float) -> str:
    return f"{100 * value:.0f}".replace("-", "−") if math.isfinite(value) else DASH


def _describe_lesion(found: CompareResult, settings: DenoiseConfig) -> str:
    if found.mask is None:
        return "No lesion was marked, so nothing is known of what the methods do to one."
    kept = found.made[compare.NOISY].kept
    contrast = f"Its contrast in the image is {kept.before:.3f} on the scale 0–1. " if kept else ""
    return (
        f"The marked region has {int(found.mask.sum()):,} pixels. {contrast}Its background is a ring of "
        f"{settings.rim} pixels around it."
    )


def _list_methods(found: CompareResult, run: Run) -> Table:
    origin = run.provenance
    versions = ", ".join(f"{name} {version}" for name, version in origin.get("versions", {}).items())
    trained = (
        f"{run.config.model.model}, {run.config.training.epochs} epochs, seed {run.config.training.seed}, {versions}"
    )
    rows = [
        [made.method.title, trained if made.method.kind == "run" else made.method.kind]
        for name, made in found.made.items()
        if name != compare.NOISY
    ]
    rows += [["not compared", sentence] for sentence in found.missing.values()]
    return Table(["method", "what it is"], rows, left=2)
