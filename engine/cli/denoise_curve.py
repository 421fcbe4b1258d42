"""`denoise-curve`: runs and baselines over more and more noise; where each breaks even, and what lesions are left."""

import csv
import io
import math
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import baselines, runs
from engine.cli.denoise_options import denoise_config
from engine.cli.meter import Meter
from engine.cli.outcome import INTERRUPTED, Outcome, table
from engine.cli.stopping import StopWish
from engine.denoising import curves, methods
from engine.denoising.curves import Order
from engine.errors import ConfigError
from engine.report import denoising, figures
from engine.report.denoising import Measure, Row

MEASURES = {
    "psnr_db": ("PSNR", "dB", ".2f"),
    "ssim": ("SSIM", "SSIM", ".3f"),
    "retention": ("Retention", "share", ".3f"),
}
NOTE = "Stopping. Nothing is kept. Once more ends the process at once."
COLUMNS = ("method", "kind", "sigma", "measure", "mean", "low", "high")
SHOWN_PROBLEMS = 5


def run(options: Namespace) -> Outcome:
    """Draw the curves of some runs."""
    order = Order(
        runs=[runs.open(name, options.runs) for name in dict.fromkeys(options.names)],
        settings=denoise_config(options),
        source=options.data,
        sigmas=curves.SIGMAS if options.sigmas is None else sigmas(options.sigmas),
        against=baselines.names(options.against),
        part=options.split,
        boxes=options.boxes,
        most=_count(options.scans),
    )
    meter = Meter(sys.stderr)
    with StopWish(NOTE) as wish:
        found = curves.follow(order, wish, meter.count)
    if found is None:
        return Outcome("Stopped.", {}, INTERRUPTED)
    for sentence in [*found.content["missing"].values(), *found.content["problems"][:SHOWN_PROBLEMS]]:
        meter.say(sentence)
    content = found.content | {"files": _write(found.content, options.out) if options.out else []}
    return Outcome(_text(content), content)


def sigmas(text: str) -> list[float]:
    """The levels in '0,10/255,0.1'.

    Raises:
        ConfigError: one of them is no number.
    """
    found = []
    for part in text.split(","):
        above, slash, below = part.partition("/")
        try:
            found.append(float(above) / (float(below) if slash else 1.0))
        except (ValueError, ZeroDivisionError):
            raise ConfigError(
                f"'{part.strip()}' in --sigmas is no level of noise.", "Such as 0.04 or 10/255."
            ) from None
    return found


def _count(typed: str) -> int:
    if not typed.isdecimal():
        raise ConfigError(f"The number of scans (--scans) must be a whole number; '{typed}' was given.")
    return int(typed)


def _measured(content: dict[str, Any]) -> list[str]:
    """The measures that there are: retention only where there is a lesion to measure it on."""
    return [name for name in MEASURES if name != "retention" or content["measurable_lesions"]]


def _text(content: dict[str, Any]) -> str:
    lines = [
        f"{content['scans']:,} scans of {content['part']} of {content['source']}, {content['noise']} noise, "
        f"seed {content['seed']}. σ is in gray values of 255; ± is the 95 % interval of the mean over scans."
    ]
    if content["left_out"]:
        lines.append(f"{content['left_out']:,} scans were left out because one of the runs was trained on them.")
    for name in _measured(content):
        title, unit, form = MEASURES[name]
        lines += ["", f"{title}{f', {unit}' if unit == 'dB' else ''}", _table(content, name, form)]
    if content["measurable_lesions"]:
        lines.append(
            "Retention: contrast afterwards over that on the clean scan, mean over "
            f"{content['measurable_lesions']:,} of {content['lesions']:,} lesions; the others have a contrast below "
            f"{content['least_contrast']:g}."
        )
    elif content["lesions"]:
        lines.append(f"None of the {content['lesions']:,} lesions has a contrast of {content['least_contrast']:g}.")
    lines += ["", *(_verdict(each) for each in content["methods"].values() if "break_even" in each)]
    if len(content["problems"]) > SHOWN_PROBLEMS:
        lines.append(f"{len(content['problems']):,} boxes could not be used; --json lists them.")
    return "\n".join([*lines, *(f"Written: {path}" for path in content["files"])])


def _table(content: dict[str, Any], name: str, form: str) -> str:
    head = ["method", *(f"σ {255 * sigma:.3g}" for sigma in content["sigmas"])]
    rows = [
        [each["title"], *(_cell(*cell, form) for cell in zip(each[name], each[f"{name}_interval"], strict=True))]
        for each in content["methods"].values()
    ]
    return table(head, rows, align="<" + ">" * len(content["sigmas"]))


def _cell(value: float | None, interval: Sequence[float] | None, form: str) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{form}}" + (f" ± {(interval[1] - interval[0]) / 2:{form}}" if interval else "")


def _verdict(each: dict[str, Any]) -> str:
    place, span = each["break_even"], each["break_even_interval"]
    if place is None:
        return f"{each['title']} is worse than doing nothing at every σ that was measured."
    if place == 0:
        return f"{each['title']} is not worse than doing nothing at any σ that was measured."
    more = f" ({255 * span[0]:.1f} to {255 * span[1]:.1f})" if span else ""
    return f"{each['title']} is worse than doing nothing below σ = {place:.4f}, {255 * place:.1f} of 255{more}."


def _write(content: dict[str, Any], out: Path) -> list[str]:
    """The figure as PDF and PNG, the numbers as CSV."""
    out.mkdir(parents=True, exist_ok=True)
    figure = denoising.curves(content["sigmas"], [_chart(content, name) for name in _measured(content)])
    files = {"curves.pdf": figures.pdf(figure), "curves.png": figures.png(figure), "curves.csv": _csv(content)}
    for name, held in files.items():
        (out / name).write_bytes(held)
    return [str(out / name) for name in files]


def _chart(content: dict[str, Any], name: str) -> Measure:
    title, unit, _ = MEASURES[name]
    rows = []
    for method, each in content["methods"].items():
        kind = "nothing" if method == methods.NOTHING else each["kind"]
        crossing = each.get("break_even") if kind == "run" and name == "psnr_db" else None
        rows.append(Row(each["title"], each[name], each[f"{name}_interval"], kind, crossing))
    return Measure(title, unit, rows)


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
