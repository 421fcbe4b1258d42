"""`activations`: the feature maps of a run's layers, as images."""

import re
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backend, data, evaluation, runs
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.cli.program import rate_outcome
from engine.config import TrainingConfig
from engine.durable import name_failures
from engine.errors import EngramError
from engine.figures import base, mosaic
from engine.figures.mosaic import Tile
from engine.formatting import DASH
from engine.protocols import EngramModel
from engine.runs import Run

ALL = "all"
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
Activations = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class LayersInput:
    """One slice of one file: (size, size) in [0, 1], preprocessed; `stem` is the prefix of its output files."""

    path: str
    stem: str
    scan: data.Scan
    index: int
    image: NDArray[np.float32]

    @property
    def slice(self) -> int | None:
        """Return the index of the slice of a volume; None for a single image."""
        return self.index if len(self.scan) > 1 else None

    @property
    def title(self) -> str:
        """Return the name of the file, with the slice of a volume."""
        return self.stem if self.slice is None else f"{self.stem}, slice {self.slice}"


def run(options: Namespace) -> CommandResult:
    """Draw the layers for every image; one that cannot be opened does not stop the others."""
    opened = runs.open_run(options.run, options.runs)
    options.out.mkdir(parents=True, exist_ok=True)
    model = evaluation.load_model(opened)
    listed = backend.import_on_any_backend("engine.analysis.layers", opened.config.training).list_layers(model)
    wanted = None if ALL in (options.layer or [ALL]) else list(dict.fromkeys(options.layer))
    meter, described, failed, taken = ConsoleProgress(sys.stderr), [], [], set[str]()
    for done, path in enumerate(options.images):
        meter.update("Computing activations", done, len(options.images))
        try:
            subject = _opened(path, options.slice, opened, taken)
        except EngramError as error:
            failed.append({"image": path, "reason": str(error)})
            meter.print_line(str(error))
            continue
        found = _computed(model, subject, wanted)
        described.append(_write(subject, found, {layer.name: layer for layer in listed}, (opened, options)))
    shown = [layer for layer in listed if wanted is None or layer.name in wanted]
    content = {
        "run": opened.name,
        "model": opened.config.model.model,
        "layers": [_layer_facts(layer) for layer in shown],
    }
    content |= {"images": described, "failed": failed}
    return CommandResult(_render_text(content, options.out), content, rate_outcome(len(described), len(failed)))


def _opened(path: str, index: int | None, run: Run, taken: set[str]) -> LayersInput:
    """Open an image; files of the same name in different folders get different stems."""
    scan = data.open_scan(path)
    index = len(scan) // 2 if index is None else index
    image = data.prepare(scan, run.config.data, index)
    plain = UNSAFE.sub("-", Path(path).name.removesuffix(".gz").rsplit(".", 1)[0]).strip("-") or "scan"
    stem = next(name for number in range(len(taken) + 1) if (name := _numbered(plain, number)).casefold() not in taken)
    taken.add(stem.casefold())
    return LayersInput(path, stem, scan, index, image)


def _numbered(stem: str, number: int) -> str:
    return f"{stem}-{number + 1}" if number else stem


def _computed(model: EngramModel, subject: LayersInput, wanted: Sequence[str] | None) -> Activations:
    """Compute the activations of one image, (height, width, channels) or (values,) each.

    Raises:
        ConfigError: the model has no layer of a requested name.
    """
    compute = backend.import_on_any_backend("engine.analysis.activations", TrainingConfig()).compute
    return {name: array[0] for name, array in compute(model, subject.image[None, ..., None], wanted).items()}


def _write(
    subject: LayersInput, found: Activations, layers: Mapping[str, Any], asked: tuple[Run, Namespace]
) -> dict[str, Any]:
    """Write the overview and the mosaics of one image, and its arrays if requested."""
    run, options = asked
    files: dict[str, Any] = {}
    overview = [Tile("image", subject.image[..., None]), *(Tile(name, array) for name, array in found.items())]
    files["overview"] = str(base.save(mosaic.draw_mosaic(overview), options.out / f"{subject.stem}-layers.png"))
    for number, (name, array) in enumerate(found.items(), 1):
        stem = f"{subject.stem}-{number:03d}-{UNSAFE.sub('-', name)}"
        drawn = mosaic.draw_channels(array, f"{name} · {subject.title} · {run.name}", _sentence(layers[name]))
        files[name] = {"mosaic": str(base.save(drawn, options.out / f"{stem}.png"))}
        if options.arrays:
            path = options.out / f"{stem}.npy"
            with name_failures(path):
                np.save(path, array)
            files[name]["array"] = str(path)
    facts = {"image": subject.path, "slice": subject.slice, "orientation": subject.scan.orientation}
    return facts | {"notes": list(subject.scan.notes), "files": files}


def _sentence(layer: Any) -> str:
    shape = " × ".join(map(str, layer.shape)) if len(layer.shape) > 1 else f"{layer.shape[0]} values"
    window = f" · kernel {_format_sides(layer.kernel)}, stride {_format_sides(layer.stride)}" if layer.kernel else ""
    return f"{layer.kind} · {shape}{window} · receptive field {_format_sides(layer.field.size)} px"


def _layer_facts(layer: Any) -> dict[str, Any]:
    """Return the properties of a layer for JSON."""
    field, middle = layer.field, layer.field.middle()
    seen = {
        "size": field.size,
        "step": field.step,
        "centre": field.center(*middle),
        "unit": middle,
        "known": field.known,
    }
    plain = ("name", "kind", "part", "shape", "parameters", "kernel", "stride", "receives")
    return {name: getattr(layer, name) for name in plain} | {"receptive_field": seen}


def _format_sides(sides: Sequence[float]) -> str:
    return " × ".join(f"{side:g}" for side in sides)


def _render_text(content: Mapping[str, Any], out: Path) -> str:
    rows = [
        [
            *(layer["name"], layer["kind"], _format_sides(layer["shape"]), f"{layer['parameters']:,}"),
            *(
                _format_sides(layer["kernel"]) or DASH,
                _format_sides(layer["stride"]) or DASH,
                _format_sides(layer["receptive_field"]["size"]),
            ),
        ]
        for layer in content["layers"]
    ]
    head = ["layer", "kind", "shape", "parameters", "kernel", "stride", "receptive field (px)"]
    lines = [format_table(head, rows, align="<<<>>>>")]
    opened, failed = len(content["images"]), len(content["failed"])
    if opened:
        lines.append(f"Saved images of {opened} input{'s' * (opened > 1)} to {out}")
    if failed:
        lines.append(f"{failed} of {opened + failed} files could not be opened.")
    return "\n".join(lines)
