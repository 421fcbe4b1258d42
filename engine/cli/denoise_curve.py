"""`denoise-curve`: runs and baselines over the noise level, with break-even levels and retained lesion contrast."""

import csv
import io
import math
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import runs
from engine.cli.analysis_options import denoise_config, parse_level
from engine.cli.config_options import mask_label
from engine.cli.console import CommandResult, ConsoleProgress, GracefulInterrupt, format_table
from engine.cli.program import INTERRUPTED
from engine.denoising import baselines, curve, methods
from engine.denoising.curve import CurveRequest
from engine.durable import write_output
from engine.errors import ConfigError
from engine.figures import base, denoising
from engine.figures.denoising import Measure, MethodRow
from engine.formatting import DASH
from engine.job_context import Cancelled, JobContext

# Title, unit, decimals, and factor from a fraction to the unit.
MEASURES = {
    "psnr_db": ("PSNR", "dB", ".1f", 1),
    "ssim": ("SSIM", "", ".2f", 1),
    "retention": ("Lesion contrast retained", "%", ".0f", 100),
}
NOTE = "Stopping. No results are saved. Press Ctrl-C again to quit immediately."
COLUMNS = ("method", "kind", "sigma", "measure", "mean", "low", "high")
SHOWN_PROBLEMS = 5


def run(options: Namespace) -> CommandResult:
    """Draw the curves of some runs."""
    order = CurveRequest(
        runs=[runs.open_run(name, options.runs) for name in dict.fromkeys(options.names)],
        settings=denoise_config(options),
        source=options.data,
        sigmas=curve.SIGMAS if options.sigmas is None else sigmas(options.sigmas),
        against=baselines.parse_names(options.against),
        part=options.split,
        boxes=options.boxes,
        most=_count(options.scans),
        mask_label=mask_label(options),
    )
    meter = ConsoleProgress(sys.stderr)
    try:
        with GracefulInterrupt(NOTE) as interrupt:
            found = curve.run_curve(order, JobContext(interrupt, meter.update))
    except Cancelled:
        return CommandResult("Stopped.", {}, INTERRUPTED)
    for sentence in [*found.content["missing"].values(), *found.content["problems"][:SHOWN_PROBLEMS]]:
        meter.print_line(sentence)
    content = found.content | {"files": _write(found.content, options.out) if options.out else []}
    return CommandResult(_text(content), content)


def sigmas(text: str) -> list[float]:
    """Parse the levels in '0,10/255,0.1'.

    Raises:
        ConfigError: a part is not a number.
    """
    return [parse_level(part, "--sigmas") for part in text.split(",")]


def _count(typed: str) -> int:
    if not typed.isdecimal():
        raise ConfigError(f"The number of images (--scans) must be a whole number; '{typed}' was given.")
    return int(typed)


def _measured(content: dict[str, Any]) -> list[str]:
    """Return the available measures: lesion contrast only if there is a lesion with enough contrast."""
    return [name for name in MEASURES if name != "retention" or content["measurable_lesions"]]


def _text(content: dict[str, Any]) -> str:
    lines = [
        f"{content['scans']:,} images of {content['part']} of {content['source']}, {content['noise']} noise, seed "
        f"{content['seed']}. σ in 8-bit levels (0–255); ± is half the width of the 95% confidence interval of the "
        "mean over images."
    ]
    if content["left_out"]:
        lines.append(f"{content['left_out']:,} images were left out because one of the runs was trained on them.")
    lines += filter(None, [content["patient_note"]])
    for name in _measured(content):
        lines += ["", _titled(name), _table(content, name)]
    if measurable := content["measurable_lesions"]:
        is_all = measurable == content["lesions"]
        others = "" if is_all else f"; the other lesions have a contrast below {content['least_contrast']:g}"
        lines.append(
            "Lesion contrast retained: contrast after denoising ÷ contrast in the noise-free image, mean over "
            f"{measurable:,} of {content['lesions']:,} lesions{others}."
        )
    elif content["lesions"]:
        lines.append(
            f"None of the {content['lesions']:,} lesions reaches the minimum contrast of {content['least_contrast']:g}."
        )
    lines += ["", *(_verdict(each) for each in content["methods"].values() if "break_even" in each)]
    if len(content["problems"]) > SHOWN_PROBLEMS:
        lines.append(f"{len(content['problems']):,} boxes could not be used; --json lists them.")
    return "\n".join([*lines, *(f"Saved: {path}" for path in content["files"])])


def _titled(name: str) -> str:
    """Return a measure's title with its unit."""
    title, unit, *_ = MEASURES[name]
    return f"{title} ({unit})" if unit else title


def _table(content: dict[str, Any], name: str) -> str:
    *_, form, times = MEASURES[name]
    head = ["method", *(f"σ {255 * sigma:.3g}" for sigma in content["sigmas"])]
    rows = [
        [each["title"], *(_cell(*cell, form, times) for cell in zip(each[name], each[f"{name}_interval"], strict=True))]
        for each in content["methods"].values()
    ]
    return format_table(head, rows, align="<" + ">" * len(content["sigmas"]))


def _cell(value: float | None, interval: Sequence[float] | None, form: str, times: int) -> str:
    if value is None or not math.isfinite(value):
        return DASH
    half = f" ± {times * (interval[1] - interval[0]) / 2:{form}}" if interval else ""
    return f"{times * value:{form}}{half}"


def _verdict(each: dict[str, Any]) -> str:
    place, span = each["break_even"], each["break_even_interval"]
    if place is None:
        return f"{each['title']} is worse than no denoising (by MSE) at every noise level tested."
    if place == 0:
        return f"{each['title']} is not worse than no denoising (by MSE) at any noise level tested."
    more = f", 95% CI {span[0]:.3f} to {span[1]:.3f}" if span else ""
    return (
        f"{each['title']}: break-even at σ = {place:.3f} ({255 * place:.1f}/255{more}). Below it, the noisy input "
        "is closer to the noise-free image (lower MSE)."
    )


def _write(content: dict[str, Any], out: Path) -> list[str]:
    """Write the figure as PDF and PNG, the numbers as CSV."""
    out.mkdir(parents=True, exist_ok=True)
    figure = denoising.curves(content["sigmas"], [_chart(content, name) for name in _measured(content)])
    files = {"curves.pdf": base.pdf(figure), "curves.png": base.png(figure), "curves.csv": _csv(content)}
    for name, held in files.items():
        write_output(out / name, held)
    return [str(out / name) for name in files]


def _chart(content: dict[str, Any], name: str) -> Measure:
    title, unit, _, times = MEASURES[name]
    rows = []
    for method, each in content["methods"].items():
        kind = "nothing" if method == methods.NOTHING else each["kind"]
        crossing = each.get("break_even") if kind == "run" and name == "psnr_db" else None
        values = [None if value is None else times * value for value in each[name]]
        intervals = [None if span is None else [times * end for end in span] for span in each[f"{name}_interval"]]
        rows.append(MethodRow(each["title"], values, intervals, kind, crossing))
    return Measure(title, unit or title, rows)


def _csv(content: dict[str, Any]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for method, each in content["methods"].items():
        for name in ("mse", *_measured(content)):
            cells = zip(content["sigmas"], each[name], each[f"{name}_interval"], strict=True)
            writer.writerows(
                [method, each["kind"], sigma, name, value, *(span or ("", ""))] for sigma, value, span in cells
            )
    return file.getvalue().encode()
