"""`denoise`: add noise to one image, denoise it with a run and baselines, write images and metrics."""

import math
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from engine import runs
from engine.cli.analysis_options import denoise_config
from engine.cli.console import ConsoleProgress
from engine.cli.result import CommandResult, format_table
from engine.denoising import baselines, compare
from engine.denoising.compare import CompareRequest, CompareResult, MethodResult
from engine.figures import base, denoising
from engine.formatting import DASH, format_fixed
from engine.job_context import JobContext


def run(options: Namespace) -> CommandResult:
    """Denoise one image with every method and write the images."""
    opened, settings = runs.open_run(options.run, options.runs), denoise_config(options)
    against = baselines.parse_names(options.against)
    options.out.mkdir(parents=True, exist_ok=True)
    meter = ConsoleProgress(sys.stderr)
    order = CompareRequest(opened, options.image, settings, options.slice, options.roi, against, options.volume)
    found = compare.compare_methods(order, JobContext(on_progress=meter.update))
    for sentence in found.missing.values():
        meter.print_line(sentence)
    content = {
        "run": opened.name,
        "image": options.image,
        "slice": found.index if len(found.scan) > 1 else None,
        "orientation": found.scan.orientation,
        "notes": list(found.scan.slice_notes(found.index)),
        **settings.model_dump(),
        "roi": options.roi or None,
        "methods": {
            name: made.content(found.warning(name, settings.least_retention)) for name, made in found.made.items()
        },
        "missing": dict(found.missing),
        "files": _write(found, order, options.out),
    }
    return CommandResult(_text(content, options.out), content)


def _write(found: CompareResult, order: CompareRequest, out: Path) -> dict[str, str]:
    """Write each image, the differences on one scale, and all side by side; return the path of each file."""
    name_of_scan = base.elide(found.scan.name)
    title = f"{name_of_scan} · σ {order.settings.sigma:.3g}"
    drawn = {"original": base.picture(found.original, f"{name_of_scan} · model input")}
    made = {("noisy" if name == compare.NOISY else name): each for name, each in found.made.items()}
    limit = base.difference_limit([each.picture - found.original for each in made.values()])
    for name, each in made.items():
        shown = order.settings.noise if name == "noisy" else base.elide(each.method.title)
        drawn[name] = base.picture(each.picture, f"{title} · {shown}")
        drawn[f"{name}-difference"] = base.difference(each.picture - found.original, limit, f"{title} · {shown}")
    titles = ["noise-free", "noisy", *(each.method.title for name, each in made.items() if name != "noisy")]
    pictures = [found.original, *(each.picture for each in made.values())]
    notes = ["", *map(_note, made.values())]
    drawn["comparison"] = denoising.comparison(titles, pictures, notes, found.mask)
    return {name: str(base.save(figure, out / f"{_file_name(name)}.png")) for name, figure in drawn.items()}


def _file_name(name: str) -> str:
    """Return a name for a file; a run's name has no separators, so only those of other names are replaced."""
    return name.replace("/", "-")


def _note(made: MethodResult) -> str:
    decibels = "equal" if math.isinf(made.psnr_db) else f"{format_fixed(made.psnr_db, 1)} dB"
    if made.kept is None or not math.isfinite(made.kept.value):
        return decibels
    return f"{decibels} · contrast {100 * made.kept.value:.0f}%".replace("-", "−")


def _text(content: dict[str, Any], out: Path) -> str:
    rows = []
    for name, numbers in content["methods"].items():
        title = "noisy" if name == compare.NOISY else numbers["title"]
        psnr_db, ssim = format_fixed(numbers["psnr_db"], 1), format_fixed(numbers["ssim"], 2)
        rows.append([title, psnr_db, ssim, *_format_retention(numbers)])
    lines = [
        f"{Path(content['image']).name}, {content['noise']} noise, σ = {content['sigma']:g}, seed {content['seed']}:",
        format_table(
            ["method", "PSNR (dB)", "SSIM", "contrast retained (%)", "95% CI", "pattern (%)"], rows, align="<>>>>>"
        ),
    ]
    lines += [numbers["warning"] for numbers in content["methods"].values() if numbers["warning"]]
    lines += content["notes"]
    lines.append(f"Saved {len(content['files'])} images to {out}")
    return "\n".join(lines)


def _format_retention(numbers: dict[str, Any]) -> list[str]:
    if "retention" not in numbers:
        return [DASH, "", DASH]
    low, high = numbers["retention_interval"]
    span = (
        f"{100 * low:.0f} to {100 * high:.0f}".replace("-", "−") if math.isfinite(low) and math.isfinite(high) else ""
    )
    return [format_fixed(100 * numbers["retention"], 0), span, format_fixed(100 * numbers["pattern"], 0)]
