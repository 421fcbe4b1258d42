"""`channels`: statistics of a run's channels over many images, feature visualization, and matching with another run."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backend, data, evaluation, runs
from engine.cli.config_options import whole_number
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.config import TrainingConfig
from engine.data import Split
from engine.errors import ConfigError
from engine.figures import base, contact_sheet
from engine.figures.contact_sheet import SheetCell
from engine.figures.mosaic import value_range
from engine.formatting import format_number
from engine.job_context import JobContext
from engine.protocols import EngramModel
from engine.runs import Run

MOST_TOP, MOST_FAVOURITES, MATCHED_SCANS = 64, 16, 16
# The name of a number in JSON and on the command line -> its field in `ChannelStatistics`.
NUMBERS = {
    "mean": "mean",
    "spread": "std",
    "energy": "energy",
    "zeros": "zero_fraction",
    "lowest": "min",
    "highest": "max",
    "dead": "dead",
}
LARGEST_FIRST = {"energy", "mean", "spread", "zeros"}
Picture = NDArray[np.float32]


TITLES = {
    "favourites": "Top-activating images",
    "preferred": "Activation maximization",
    "saliency": "Saliency",
    "match": "Matched channels",
}


@dataclass(frozen=True, eq=False)
class ChannelQuery:
    """One layer of a run's model, the images to measure it on, and the channels to draw."""

    run: Run
    model: EngramModel
    images: Split
    layer: str
    channels: Sequence[int]

    def title(self, what: str) -> str:
        """Return the title of a sheet."""
        return f"{what} · {self.layer} · {self.run.name}"


def run(options: Namespace) -> CommandResult:
    """Compute the statistics of the channels, and draw what is requested for one layer."""
    _check(options)
    opened = runs.open_run(options.run, options.runs)
    meter = ConsoleProgress(sys.stderr)
    context = JobContext(on_progress=meter.update)
    images = evaluation.load_dataset(opened, options.data, context=context).splits[options.split]
    if not len(images):
        raise ConfigError(f"There is no image in the {options.split} split.", "Choose another split (--split).")
    model = evaluation.load_model(opened)
    gather = _module("channel_statistics").statistics
    names = [options.layer] if options.layer else None
    found = gather(model, images, names, JobContext(on_progress=meter.update, title="Computing activations"))
    content: dict[str, Any] = {"run": opened.name, "model": opened.config.model.model, "split": options.split}
    content |= {"scans": len(images), "sorted": options.sort}
    content["layers"] = [_layer_to_dict(name, each, options.sort) for name, each in found.items()]
    if options.layer:
        order = [row["channel"] for row in content["layers"][0]["channels"]]
        top = [at for at in order if not found[options.layer].dead[at]][: int(options.top)]
        subject = ChannelQuery(opened, model, images, options.layer, top)
        content |= _collect_extras(subject, options, meter)
    return CommandResult(_text(content, options), content)


def _check(options: Namespace) -> None:
    whole_number(options.top, "--top", 1, MOST_TOP)
    if options.favourites is not None:
        whole_number(options.favourites, "--favorites", 1, MOST_FAVOURITES)
    drawn = {"--favorites": options.favourites, "--preferred": options.preferred, "--saliency": options.saliency}
    asked = [name for name, value in (drawn | {"--match": options.match}).items() if value]
    if asked and not options.layer:
        raise ConfigError(
            f"{asked[0]} needs a layer.", "Add --layer NAME; without --layer, the table lists all layers."
        )
    if any(drawn.values()) and options.out is None:
        raise ConfigError(f"{asked[0]} saves images.", "Add an output folder with --out.")


def _collect_extras(subject: ChannelQuery, options: Namespace, meter: ConsoleProgress) -> dict[str, Any]:
    """Run the requested analyses besides the statistics, each with an image in --out."""
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    more: dict[str, Any] = {}
    if options.favourites is not None:
        more["favourites"] = draw_top_activations(subject, int(options.favourites), options.out)
    if options.preferred:
        more["preferred"] = draw_preferred_inputs(subject, options.out, meter)
    if options.saliency is not None:
        scan = data.open_scan(options.saliency)
        picture = data.prepare(
            scan, subject.run.config.data, len(scan) // 2 if options.slice is None else options.slice
        )
        more["saliency"] = draw_saliency(subject, picture, scan.name, options.out)
    if options.match is not None:
        more["match"] = _matched(subject, options)
    return more


def _matched(subject: ChannelQuery, options: Namespace) -> dict[str, Any]:
    """Match the channels with a layer of another run, on some images of the split."""
    other = runs.open_run(options.match, options.runs)
    few = subject.images.read(
        np.unique(np.linspace(0, len(subject.images) - 1, MATCHED_SCANS).round().astype(np.int64))
    )
    if other.config.data.size != subject.run.config.data.size:
        raise ConfigError("The two runs use images of different sizes.", "Choose two runs of the same size.")
    model, name = evaluation.load_model(other), options.match_layer or subject.layer
    compute = _module("activations").compute
    first, second = compute(subject.model, few, [subject.layer])[subject.layer], compute(model, few, [name])[name]
    matching = _module("matching").match(first, second)
    described = {"run": other.name, "layer": name, "scans": len(few), "pairs": matching.pairs.tolist()}
    described |= {"correlation": matching.correlation.tolist(), "rms": matching.rms.tolist()}
    if options.out is not None:
        described["figure"] = draw_matches(subject, other.name, (first, second), matching, options.out)
    return described


def draw_top_activations(subject: ChannelQuery, count: int, out: Path) -> dict[str, Any]:
    """Draw the top-activating images of each channel, cropped to the most active unit's receptive field; a row each."""
    found = _module("top_activations").top_activations(subject.model, subject.images, subject.layer, count)
    cells, entries = [], []
    for channel in subject.channels:
        for rank, each in enumerate(found[channel], 1):
            patch = each.patch(subject.images.read([each.index])[0])
            cells.append(SheetCell(f"channel {channel}, rank {rank}", patch, f"{each.value:.3g}"))
        entries.append({"channel": channel, "scans": [_patch_of(each, subject.images) for each in found[channel]]})
    across = min(count, len(subject.images))
    facts = (
        f"the part of the {subject.images.name} image inside the receptive field of the most active unit, and its "
        "activation"
    )
    return {"channels": entries, "figure": _saved(subject, "favourites", (cells, facts, across), out)}


def draw_preferred_inputs(subject: ChannelQuery, out: Path, meter: ConsoleProgress) -> dict[str, Any]:
    """Draw the activation maximization of each channel."""
    module = _module("feature_visualization")
    cells, entries = [], []
    for done, channel in enumerate(subject.channels):
        meter.update("Gradient ascent", done, len(subject.channels))
        found = module.preferred(subject.model, module.ChannelObjective(subject.layer, channel))
        cells.append(
            SheetCell(f"channel {channel}", found.image, f"{found.start:.3g} (uniform gray) → {found.value:.3g}")
        )
        entries.append({"channel": channel, "start": found.start, "value": found.value})
    facts = "gradient ascent from a uniform gray image: not a real image, and only one of many possible solutions"
    return {"channels": entries, "figure": _saved(subject, "preferred", (cells, facts, 8), out)}


def draw_saliency(subject: ChannelQuery, picture: Picture, name: str, out: Path) -> dict[str, Any]:
    """Draw the saliency of each channel for one image."""
    module = _module("feature_visualization")
    cells = [SheetCell("image", picture, name)]
    for channel in subject.channels:
        found = module.saliency(
            subject.model, picture[None, ..., None], module.ChannelObjective(subject.layer, channel)
        )[0]
        limit = float(np.percentile(np.abs(found), 99.5)) or 1.0
        cells.append(SheetCell(f"channel {channel}", found, "", (-limit, limit)))
    facts = "change of the channel's mean activation per unit of pixel intensity; each image on its own scale"
    return {"image": name, "figure": _saved(subject, "saliency", (cells, facts, 5), out)}


def draw_matches(
    subject: ChannelQuery, other: str, activations: tuple[Picture, Picture], matching: Any, out: Path
) -> str:
    """Draw, for the first image, each channel, its match, and their difference, on one scale."""
    first, second = activations
    partner = {int(one): (int(two), place) for place, (one, two) in enumerate(matching.pairs)}
    cells = []
    for channel in (each for each in subject.channels if each in partner):
        two, place = partner[channel]
        three = [first[0, ..., channel], second[0, ..., two], matching.difference[0, ..., place]]
        low, limit = value_range(np.stack(three, axis=-1))
        scale, note = (min(low, -limit), limit), f"correlation {matching.correlation[place]:.2f}"
        titles = f"channel {channel}", f"{other}: {two}", "difference"
        notes = note, "", f"rms {matching.rms[place]:.3g}"
        cells += [
            SheetCell(title, np.atleast_2d(each), said, scale)
            for title, each, said in zip(titles, three, notes, strict=True)
        ]
    facts = f"each channel for the first image, the matched channel of {other}, and their difference, on one scale"
    return _saved(subject, "match", (cells, facts, 6), out)


def _patch_of(each: Any, images: Split) -> dict[str, Any]:
    place = {"value": each.value, "unit": [each.row, each.column], "box": list(each.box)}
    return {"index": each.index, "name": images.names[each.index]} | place


def _saved(subject: ChannelQuery, what: str, drawn: tuple[list[SheetCell], str, int], out: Path) -> str:
    cells, facts, across = drawn
    figure = contact_sheet.draw_sheet(cells, subject.title(TITLES[what]), facts, across)
    plain = subject.layer.replace("#", "-")
    return str(base.save(figure, out / f"{plain}-{what}.png"))


def _layer_to_dict(layer: str, found: Any, by: str) -> dict[str, Any]:
    """Convert the statistics of one layer: its channels in order, dead ones last."""
    values = np.asarray(getattr(found, NUMBERS[by])) if by in LARGEST_FIRST else -np.arange(len(found.mean))
    order = np.lexsort((-values, found.dead))
    rows = [
        {"channel": int(at)} | {key: getattr(found, name)[at].item() for key, name in NUMBERS.items()} for at in order
    ]
    return {"name": layer, "dead": int(found.dead.sum()), "channels": rows}


def _text(content: Mapping[str, Any], options: Namespace) -> str:
    title = f"Channels of run {content['run']} over {content['scans']:,} {content['split']} images"
    lines = [title + (f", layer {options.layer}, sorted by {options.sort}:" if options.layer else ":")]
    lines.append(_one_layer(content["layers"][0]) if options.layer else _all_layers(content["layers"]))
    dead = sum(layer["dead"] for layer in content["layers"])
    lines.append(f"{dead} dead (constant over all images)." if dead else "No channel is dead.")
    if "match" in content:
        lines += ["", _match_text(content["match"], options.layer)]
    lines += [f"Figure: {content[name]['figure']}" for name in content if _has_figure(content[name])]
    return "\n".join(lines)


def _has_figure(value: Any) -> bool:
    return isinstance(value, dict) and "figure" in value


def _one_layer(layer: Mapping[str, Any]) -> str:
    rows = [
        [
            str(row["channel"]),
            *(format_number(row[name]) for name in ("mean", "spread", "energy")),
            f"{row['zeros']:.1%}",
            *(format_number(row[name]) for name in ("lowest", "highest")),
            "dead" if row["dead"] else "",
        ]
        for row in layer["channels"]
    ]
    return format_table(["channel", "mean", "SD", "energy", "zeros", "min", "max", ""], rows, align=">>>>>>><")


def _all_layers(layers: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for layer in layers:
        energy = [row["energy"] for row in layer["channels"]]
        zeros = float(np.mean([row["zeros"] for row in layer["channels"]]))
        few = [
            str(len(energy)),
            str(layer["dead"]),
            f"{zeros:.1%}",
            format_number(float(np.median(energy))),
            format_number(max(energy)),
        ]
        rows.append([layer["name"], *few])
    head = ["layer", "channels", "dead", "zeros", "median energy", "largest energy"]
    return format_table(head, rows, align="<>>>>>")


def _match_text(match: Mapping[str, Any], layer: str) -> str:
    alike = np.array(match["correlation"])
    return (
        f"{len(alike)} channels of {layer} matched with {match['layer']} of run {match['run']} on "
        f"{match['scans']} images: median correlation {np.median(alike):.2f}, range {alike.min():.2f} to "
        f"{alike.max():.2f}; {np.count_nonzero(alike > 0.9)} above 0.9."
    )


def _module(name: str) -> Any:
    """Import a module of `engine.analysis`; Keras is available, since a model has been loaded."""
    return backend.import_on_any_backend(f"engine.analysis.{name}", TrainingConfig())
