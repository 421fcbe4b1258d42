"""`lesion-layers`: detectability of lesions in a run, layer by layer."""

import math
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from engine import backend, data, evaluation, runs
from engine.analysis import detectability_json
from engine.analysis.lesion_pairs import LesionPair, inpainted_pairs, phantom_pairs, stack_pairs
from engine.cli.config_options import mask_label, whole_number
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.config import DataConfig, TrainingConfig
from engine.data.loading import open_source
from engine.errors import ConfigError
from engine.evaluation import lesion_boxes, scoring
from engine.figures import base, detectability_curve
from engine.formatting import format_number
from engine.job_context import JobContext, run_steps
from engine.lesions.boxes import require_table
from engine.protocols import EngramModel
from engine.runs import Run

MOST_PAIRS, MOST_PLACES, MOST_CHANNELS = 200, 16, 64
NOTE = """\
d′: how well an ideal observer could tell the images with lesion from those without, in white image noise of SD
{noise:g} (0–1 scale); means over pairs. The retained fraction does not depend on the noise. d′ retained: from all
paths that still lead to the output. This layer: from this layer only. Loss: fraction of the incoming d′ that is lost.
Retained contrast is reported separately: unlike a human reader, the ideal observer is not affected by a known change
of contrast."""


def run(options: Namespace) -> CommandResult:
    """Measure the detectability of some lesions in each layer of a run."""
    count = whole_number(options.pairs, "--pairs", 1, MOST_PAIRS)
    looks: dict[str, Any] = {"noise": _above_zero(options.noise)}
    looks["places"] = whole_number(options.places, "--places", 1, MOST_PLACES)
    looks["channels"] = whole_number(options.channels, "--observer-channels", 1, MOST_CHANNELS)
    opened = runs.open_run(options.run, options.runs)
    meter = ConsoleProgress(sys.stderr)
    twins, patient_note = _lesion_pairs(opened, options, count, meter)
    model = evaluation.load_model(opened)
    detectability = backend.import_on_any_backend("engine.analysis.detectability", opened.config.training)

    pictures, healthy = stack_pairs(twins)
    asked = _asked_layers(options.layers, model)
    observer = detectability.Observer(looks["noise"], looks["places"], looks["channels"])
    context = JobContext(on_progress=meter.update, title="Computing d′")
    found = run_steps(detectability.trace_lesions_in_steps(model, pictures, healthy, observer, asked), context)
    context.report(1, 1)
    content = {"run": opened.name, "model": opened.config.model.model, "of": _asked_of(options), **looks}
    content["patient_note"] = patient_note
    content |= detectability_json.to_dict(found)
    content["pairs"] = detectability_json.pairs(found, twins, scoring.reconstruct(model, pictures))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        content["figure"] = str(
            base.save(detectability_curve.draw_detectability(content), options.out / "lesion-layers.png")
        )
    return CommandResult(_text(content), content)


def _asked_layers(typed: str, model: EngramModel) -> list[str] | None:
    """Return the names of the requested layers. Returns None for all."""
    if typed == "all":
        return None
    if typed == "stages":
        known = backend.import_on_any_backend("engine.analysis.layers", TrainingConfig()).list_layers(model)
        stages: list[str] = backend.import_on_any_backend("engine.analysis.detectability", TrainingConfig()).key_layers(
            known
        )
        return stages
    return [name.strip() for name in typed.split(",")]


def _lesion_pairs(run: Run, options: Namespace, count: int, meter: ConsoleProgress) -> tuple[list[LesionPair], str]:
    """Return the pairs, and the note on the patients of their images; phantoms need none."""
    if options.boxes is None and options.data is None:
        return phantom_pairs(count, run.config.data.size), ""
    require_table(options.boxes)
    images: data.Dataset = evaluation.load_dataset(run, options.data, context=JobContext(on_progress=meter.update))
    split = images.splits[options.split]
    boxes = lesion_boxes.load_boxes(images, split.names, options.boxes, mask_label(options))
    if not boxes:
        raise ConfigError(
            "--data needs a table of lesion boxes (--boxes), or masks beside the images.",
            "Without --data, phantoms are used.",
        )
    note = images.patients.note_on(options.split)
    return inpainted_pairs(split, boxes, count, _aspect_of(images.config)), note


def _aspect_of(config: DataConfig) -> Callable[[str], float]:
    """Return a function for the aspect ratio (height / width) of an original, which locates a letterboxed image.

    It is 1 if images are resized without their proportions.
    """
    if config.fit != "letterbox":
        return lambda name: 1.0
    source = open_source(config)
    rows = {item.name: row for row, item in enumerate(source.items)}

    def aspect(name: str) -> float:
        picture = source.read(rows[name])
        height, width = picture.gray.shape[:2]
        return float(height / width * picture.aspect)

    return aspect


def _text(content: Mapping[str, Any]) -> str:
    layers, pairs = content["layers"], content["pairs"]
    rows = [
        [
            *(layer["name"], layer["kind"], format_number(layer["held_d_prime"]), f"{layer['held_share']:.1%}"),
            *(f"{layer['alone_share']:.1%}", f"{layer['lost_share']:.1%}"),
        ]
        for layer in layers
    ]
    title = f"Detectability of {len(pairs)} lesions in run {content['run']} ({content['of']}):"
    start = ["image", "", format_number(content["picture_d_prime"]), "100.0%", "100.0%", ""]
    lines = [
        title,
        format_table(["layer", "kind", "d′", "d′ retained", "this layer", "loss"], [start, *rows], align="<<>>>>"),
    ]
    lines += [NOTE.format(noise=content["noise"]), "", _verdict(content)]
    lines += filter(None, [content["patient_note"]])
    if "figure" in content:
        lines.append(f"Figure: {content['figure']}")
    return "\n".join(lines)


def _verdict(content: Mapping[str, Any]) -> str:
    pairs, worst = content["pairs"], content["loses_most"]
    if worst is None:
        return "No layer loses any detectability of these lesions."
    row = next(layer for layer in content["layers"] if layer["name"] == worst)
    times = Counter(pair["loses_most"] for pair in pairs)[worst]
    kept = [pair["contrast_kept"] for pair in pairs if math.isfinite(pair["contrast_kept"])]
    contrast = f" Lesion contrast retained in the output: {np.median(kept):.0%} (median)." if kept else ""
    last = content["layers"][-1]["held_share"]
    return (
        f"Largest loss at {worst}: {row['lost_share']:.0%} of the incoming d′ (largest in {times} of {len(pairs)} "
        f"lesions). d′ retained at the output: {last:.0%}.{contrast}"
    )


def _asked_of(options: Namespace) -> str:
    if options.boxes is None and options.data is None:
        return "phantoms and their healthy twins"
    return f"{options.split} images and the same images with the lesion filled in"


def _above_zero(typed: str) -> float:
    try:
        value = float(typed)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"--observer-noise must be a number above 0; '{typed}' was given.")
    return value
