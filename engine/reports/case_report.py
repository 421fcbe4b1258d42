"""Report on one image: noise, denoised by a run and baselines, and what is left of a lesion."""

import math
from typing import Final

from engine.config import DenoiseConfig
from engine.denoising import compare
from engine.denoising.compare import CompareResult
from engine.figures import base, denoising
from engine.formatting import DASH, format_fixed
from engine.reports.document import Block, CodeBlock, FigureBlock, Report, ReportSection, TableBlock
from engine.runs import Run

WARNING: Final = (
    "A denoised image can lack a lesion that is there, and show one that is not. Read it only beside the original."
)
LESION: Final = (
    "Lesion contrast retained: contrast after denoising over contrast before, with the 95% interval of a block "
    "bootstrap; pattern: the share of the lesion's pattern that is retained."
)
REFERENCE: Final = "PSNR and SSIM against the image before noise was added."
NO_REFERENCE: Final = "There is no noise-free reference, so PSNR and SSIM are unknown."


def describe_case(found: CompareResult, run: Run, settings: DenoiseConfig, advice: str) -> Report:
    """Return the report on one image. It holds no name of a file, since that may be a patient's.

    Args:
        found: the image and the results of the methods.
        run: the run with the model.
        settings: noise and measurement.
        advice: the command that gives the same numbers.
    """
    warnings = filter(None, (found.warning(name, settings.least_retention) for name in found.made))
    side = found.original.shape[0]
    shown = f"Slice {found.index + 1} of {len(found.scan)}. " if len(found.scan) > 1 else ""
    lead = (
        f"{shown}Prepared for {run.name}: {side} × {side} pixels, orientation {found.scan.orientation or 'unknown'}. "
        f"{_describe_noise(found, settings)}"
    )
    # A warning on the lesion itself is the same for every method.
    facts: list[Block] = [WARNING, *dict.fromkeys(warnings), *found.scan.slice_notes(found.index)]
    return Report(
        "Denoising of one image",
        lead,
        [
            ReportSection("Read first", facts, is_warning=True),
            ReportSection("Images", [_draw(found)]),
            ReportSection("Numbers", [_list_numbers(found), *_describe_residuals(found), *_describe_metrics(found)]),
            ReportSection("Lesion", [_describe_lesion(found, settings)]),
            ReportSection("Methods", [_list_methods(found, run)]),
            ReportSection("Repeat", [CodeBlock([advice])]),
        ],
    )


def _describe_noise(found: CompareResult, settings: DenoiseConfig) -> str:
    if found.estimate is not None:
        return f"The image is noisy already. {found.estimate.describe(found.original.shape[0])}"
    return f"Noise: {settings.noise}, σ = {settings.sigma:g} on the scale 0–1, seed {settings.seed}."


def _draw(found: CompareResult) -> FigureBlock:
    outline = " The line is the outline of the lesion." if found.mask is not None else ""
    titles = [base.elide(each.method.title) for name, each in found.made.items() if name != compare.NOISY]
    pictures, notes = [each.picture for each in found.made.values()], [each.note for each in found.made.values()]
    if found.estimate is not None:
        caption = f"The image, and as each method denoises it; below, what each removed.{outline}"
        return FigureBlock(denoising.residuals(["image", *titles], pictures, notes, found.mask), caption)
    caption = (
        f"The image, with noise, and as each method denoises it; below, the differences from the original.{outline}"
    )
    shown, said = [found.original, *pictures], ["", *notes]
    return FigureBlock(denoising.comparison(["original", "noisy", *titles], shown, said, found.mask), caption)


def _describe_metrics(found: CompareResult) -> list[str]:
    """Return what the columns of the numbers mean."""
    return [NO_REFERENCE if found.estimate is not None else REFERENCE, *([LESION] if found.mask is not None else [])]


def _describe_residuals(found: CompareResult) -> list[str]:
    """Return what each method removed from an image that is noisy already."""
    return [made.residual.describe(made.method.title) for made in found.made.values() if made.residual is not None]


def _list_numbers(found: CompareResult) -> TableBlock:
    """Return the numbers of every method, without the columns that no method has a number for."""
    has_reference, has_lesion = found.estimate is None, found.mask is not None
    quality, lesion = ["PSNR (dB)", "SSIM"], ["contrast retained (%)", "95% CI", "pattern (%)"]
    rows = []
    for made in found.made.values():
        kept, low, high = made.kept, math.nan, math.nan
        if kept is not None:
            low, high = kept.interval
        interval = f"{_percent(low)} to {_percent(high)}" if math.isfinite(low) else DASH
        retained, pattern = (_percent(kept.value), _percent(kept.pattern)) if kept else (DASH, DASH)
        measured = [format_fixed(made.psnr_db, 1), format_fixed(made.ssim, 2)] if has_reference else []
        rows.append([made.method.title, *measured, *([retained, interval, pattern] if has_lesion else [])])
    return TableBlock(["method", *(quality if has_reference else []), *(lesion if has_lesion else [])], rows)


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


def _list_methods(found: CompareResult, run: Run) -> TableBlock:
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
    return TableBlock(["method", "what it is"], rows, left=2)
