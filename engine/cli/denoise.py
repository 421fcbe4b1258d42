"""`denoise`: add noise to an image or a volume, denoise it with a run and baselines, write images and metrics."""

import math
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine import evaluation, runs
from engine.cli.analysis_options import denoise_config
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.cli.image_outputs import check_outputs, describe_volume, save_plain, save_volume
from engine.cli.program import PROGRAM
from engine.denoising import baselines, compare, methods, noisy_image
from engine.denoising.compare import CompareRequest, CompareResult, MethodResult
from engine.errors import ConfigError
from engine.evaluation.volume import add_slice_noise
from engine.figures import base, denoising
from engine.formatting import DASH, format_fixed
from engine.job_context import JobContext, run_steps
from engine.latent import denoised_intervals
from engine.latent.denoised_intervals import IntervalSubject, NoiseLevel
from engine.runs import Run


def run(options: Namespace) -> CommandResult:
    """Denoise one image with every method, or a volume with the run, and write the results."""
    opened, settings = runs.open_run(options.run, options.runs), denoise_config(options)
    check_outputs(options, [options.image])
    if options.interval and options.out is None:
        raise ConfigError("--interval needs a folder for its map (--out).", f"See {PROGRAM} {options.command} --help.")
    meter = ConsoleProgress(sys.stderr)
    if options.out is None:
        volume = _save_volume(options, opened, meter)
        content = {"run": opened.name, "image": options.image, **settings.model_dump(), "volume": volume}
        return CommandResult("\n".join(_describe_volume(content)), content)
    outcome = _save_images(options, opened, meter)
    if options.volume_out is None:
        return outcome
    content = outcome.content | {"volume": _save_volume(options, opened, meter)}
    return CommandResult("\n".join([outcome.text, *_describe_volume(content)]), content)


def _save_volume(options: Namespace, run: Run, meter: ConsoleProgress) -> dict[str, Any]:
    """Denoise all slices of a volume with a run, after adding the noise of the settings; no noise at a level of 0."""
    method, settings = methods.from_run(run), denoise_config(options)

    def transform(images: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        if settings.noise == "none":
            return method.denoise(images)
        return method.denoise(add_slice_noise(images, settings.noise, settings.sigma, settings.seed, first))

    return save_volume(options, options.image, run, transform, meter)


def _describe_volume(content: dict[str, Any]) -> list[str]:
    added = f"{content['noise']} noise, σ = {content['sigma']:g}, was added to every slice before denoising."
    lines = [added[0].upper() + added[1:]] if content["sigma"] and content["noise"] != "none" else []
    return [*lines, *describe_volume(content["volume"])]


def _save_images(options: Namespace, opened: Run, meter: ConsoleProgress) -> CommandResult:
    """Denoise one slice with every method and write the images."""
    settings, against = denoise_config(options), baselines.parse_names(options.against)
    options.out.mkdir(parents=True, exist_ok=True)
    named = options.volume, options.series
    order = CompareRequest(opened, options.image, settings, options.slice, options.roi, against, *named)
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
        **({} if found.estimate is None else {"noise_estimate": vars(found.estimate)}),
        "files": _write(found, order, options.out) | _save_plain(found, options),
    }
    if options.interval:
        content["interval"], files = _save_interval(found, order, options.out, meter)
        content["files"] |= files
    return CommandResult(_text(content, options.out), content)


def _save_interval(
    found: CompareResult, order: CompareRequest, out: Path, meter: ConsoleProgress
) -> tuple[dict[str, Any], dict[str, str]]:
    """Write the map of the run's 90% interval; return what it holds for, and the path of the file."""
    context = JobContext(on_progress=meter.update)
    run, images = order.run, evaluation.load_dataset(order.run, context=context)
    subject = IntervalSubject(run, evaluation.load_model(run), images)
    level = NoiseLevel(order.settings.noise, order.settings.sigma).round()
    if (estimate := found.estimate) is not None:
        level = denoised_intervals.assume_noise(run.config.noise, estimate.gaussian, estimate.rician)
    known = run_steps(
        denoised_intervals.load_or_fit(subject, level), context.with_title("Calibrating the 90% interval")
    )
    noisy = found.made[compare.NOISY].picture[np.newaxis, ..., np.newaxis]
    half_width = known.scale.half_width(denoised_intervals.predict_denoised(subject.model, noisy).deviation)[0, ..., 0]
    title = f"{base.elide(found.scan.name)} · 90% interval of {base.elide(run.name)}"
    files = _save({"interval": base.heat_map(half_width, "± intensity (0–1)", title)}, out)
    sentence = known.summary(estimate is not None)
    return {**known.numbers(), "mean_half_width": float(half_width.mean()), "sentence": sentence}, files


def _save_plain(found: CompareResult, options: Namespace) -> dict[str, str]:
    images = {_shown_name(name): each.picture for name, each in found.made.items()}
    if found.estimate is not None:
        images.pop("noisy")
    return save_plain({"original": found.original, **images}, "", options)


def _shown_name(name: str) -> str:
    return "noisy" if name == compare.NOISY else name


def _write(found: CompareResult, order: CompareRequest, out: Path) -> dict[str, str]:
    """Write each image, the differences on one scale, and all side by side; return the path of each file."""
    if found.estimate is not None:
        return _write_residuals(found, out)
    name_of_scan = base.elide(found.scan.name)
    title = f"{name_of_scan} · σ {order.settings.sigma:.3g}"
    drawn = {"original": base.picture(found.original, f"{name_of_scan} · model input")}
    made = {_shown_name(name): each for name, each in found.made.items()}
    limit = base.difference_limit([each.picture - found.original for each in made.values()])
    for name, each in made.items():
        shown = order.settings.noise if name == "noisy" else base.elide(each.method.title)
        drawn[name] = base.picture(each.picture, f"{title} · {shown}")
        drawn[f"{name}-difference"] = base.difference(each.picture - found.original, limit, f"{title} · {shown}")
    titles = ["noise-free", "noisy", *(each.method.title for name, each in made.items() if name != "noisy")]
    pictures = [found.original, *(each.picture for each in made.values())]
    notes = ["", *(each.note for each in made.values())]
    drawn["comparison"] = denoising.comparison(titles, pictures, notes, found.mask)
    return _save(drawn, out)


def _write_residuals(found: CompareResult, out: Path) -> dict[str, str]:
    """Write an image that is noisy already, each result and what it removed, and all side by side."""
    title = base.elide(found.scan.name)
    drawn = {"original": base.picture(found.original, f"{title} · model input")}
    made = {name: each for name, each in found.made.items() if name != compare.NOISY}
    limit = base.difference_limit([found.original - each.picture for each in made.values()])
    for name, each in made.items():
        method = base.elide(each.method.title)
        drawn[name] = base.picture(each.picture, f"{title} · {method}")
        drawn[f"{name}-residual"] = base.difference(
            found.original - each.picture, limit, f"{title} · removed by {method}"
        )
    shown = denoising.residuals(
        ["image", *(each.method.title for each in made.values())],
        [found.original, *(each.picture for each in made.values())],
        ["", *(_residual_note(each) for each in made.values())],
        found.mask,
    )
    return _save(drawn | {"comparison": shown}, out)


def _residual_note(made: MethodResult) -> str:
    return f"removed SD {made.residual.sd:.3f} · {made.residual.verdict}" if made.residual else ""


def _save(drawn: dict[str, Figure], out: Path) -> dict[str, str]:
    return {name: str(base.save(figure, out / f"{_file_name(name)}.png")) for name, figure in drawn.items()}


def _file_name(name: str) -> str:
    """Return a name for a file; a run's name has no separators, so only those of other names are replaced."""
    return name.replace("/", "-")


def _text(content: dict[str, Any], out: Path) -> str:
    if "noise_estimate" in content:
        return _noisy_text(content, out)
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
    lines += _list_sentences(content)
    lines.append(f"Saved {len(content['files'])} images to {out}")
    return "\n".join(lines)


def _noisy_text(content: dict[str, Any], out: Path) -> str:
    """Return the table of an image that is noisy already: what each method removed."""
    rows = []
    for numbers in content["methods"].values():
        if residual := numbers.get("residual"):
            found = format_fixed(residual["sd"], 3), format_fixed(residual["autocorrelation"], 2), residual["verdict"]
            rows.append([numbers["title"], *found, *_format_retention(numbers)[:1]])
    estimate = content["noise_estimate"]
    lines = [
        f"{Path(content['image']).name}, no noise added. Estimated noise: σ = {estimate['gaussian']:.3f} if Gaussian, "
        f"{estimate['rician']:.3f} if Rician, in the size that the model sees.",
        format_table(
            ["method", "removed SD", "lag-1 autocorrelation", "residual", "contrast retained (%)"], rows, align="<>><>"
        ),
        noisy_image.NO_REFERENCE,
    ]
    lines += [numbers["warning"] for numbers in content["methods"].values() if numbers["warning"]]
    lines += _list_sentences(content)
    lines.append(f"Saved {len(content['files'])} images to {out}")
    return "\n".join(lines)


def _list_sentences(content: dict[str, Any]) -> list[str]:
    """Return the notes on the image, and what is known of the interval."""
    interval = content.get("interval")
    return [*content["notes"], *([interval["sentence"]] if interval else [])]


def _format_retention(numbers: dict[str, Any]) -> list[str]:
    if "retention" not in numbers:
        return [DASH, "", DASH]
    low, high = numbers["retention_interval"]
    span = (
        f"{100 * low:.0f} to {100 * high:.0f}".replace("-", "−") if math.isfinite(low) and math.isfinite(high) else ""
    )
    return [format_fixed(100 * numbers["retention"], 0), span, format_fixed(100 * numbers["pattern"], 0)]
