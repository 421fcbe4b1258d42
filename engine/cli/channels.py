"""`channels`: what the channels of a run do over many scans, what they like, and which are those of another run."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine import backend, data, evaluation, runs
from engine.cli import channel_sheets
from engine.cli.channel_sheets import ChannelQuery
from engine.cli.console import ConsoleProgress
from engine.cli.result import CommandResult, format_table, number
from engine.config import TrainingConfig
from engine.errors import ConfigError

MOST_TOP, MOST_FAVOURITES, MATCHED_SCANS = 64, 16, 16
NUMBERS = ("mean", "spread", "energy", "zeros", "lowest", "highest", "dead")
LARGEST_FIRST = {"energy", "mean", "spread", "zeros"}


def run(options: Namespace) -> CommandResult:
    """Gather the numbers of the channels, and draw what is wanted of one layer's."""
    _check(options)
    opened = runs.open_run(options.run, options.runs)
    meter = ConsoleProgress(sys.stderr)
    images = evaluation.load_dataset(opened, options.data, progress=meter.update).splits[options.split]
    if not len(images):
        raise ConfigError(f"There is no image in the {options.split} split.", "Choose another split (--split).")
    model = evaluation.load_model(opened)
    gather = _module("channel_statistics").statistics
    names = [options.layer] if options.layer else None
    found = gather(
        model, images, names, progress=lambda done, total: meter.update("Computing activations", done, total)
    )
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
    _whole(options.top, "top", MOST_TOP)
    if options.favourites is not None:
        _whole(options.favourites, "favorites", MOST_FAVOURITES)
    drawn = {"--favorites": options.favourites, "--preferred": options.preferred, "--saliency": options.saliency}
    asked = [name for name, value in (drawn | {"--match": options.match}).items() if value]
    if asked and not options.layer:
        raise ConfigError(
            f"{asked[0]} needs a layer.", "Add --layer NAME; without --layer, the table lists all layers."
        )
    if any(drawn.values()) and options.out is None:
        raise ConfigError(f"{asked[0]} saves images.", "Add an output folder with --out.")


def _collect_extras(subject: ChannelQuery, options: Namespace, meter: ConsoleProgress) -> dict[str, Any]:
    """What is asked beside the numbers, each with its picture in --out."""
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    more: dict[str, Any] = {}
    if options.favourites is not None:
        more["favourites"] = channel_sheets.favourites(subject, int(options.favourites), options.out)
    if options.preferred:
        more["preferred"] = channel_sheets.preferred(subject, options.out, meter)
    if options.saliency is not None:
        scan = data.open_scan(options.saliency)
        picture = data.prepare(
            scan, subject.run.config.data, len(scan) // 2 if options.slice is None else options.slice
        )
        more["saliency"] = channel_sheets.saliency(subject, picture, scan.name, options.out)
    if options.match is not None:
        more["match"] = _matched(subject, options)
    return more


def _matched(subject: ChannelQuery, options: Namespace) -> dict[str, Any]:
    """The same layer of another run, channel by channel, on some scans of the split."""
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
        described["figure"] = channel_sheets.matched(subject, other.name, (first, second), matching, options.out)
    return described


def _layer_to_dict(name: str, found: Any, by: str) -> dict[str, Any]:
    """One layer: its channels in order, dead ones last."""
    values = np.asarray(getattr(found, by)) if by in LARGEST_FIRST else -np.arange(len(found.mean))
    order = np.lexsort((-values, found.dead))
    rows = [{"channel": int(at)} | {each: getattr(found, each)[at].item() for each in NUMBERS} for at in order]
    return {"name": name, "dead": int(found.dead.sum()), "channels": rows}


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
            *(str(row["channel"]), number(row["mean"]), number(row["spread"]), number(row["energy"])),
            *(f"{row['zeros']:.1%}", number(row["lowest"]), number(row["highest"]), "dead" if row["dead"] else ""),
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
            number(float(np.median(energy))),
            number(max(energy)),
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


def _whole(typed: str, name: str, most: int) -> None:
    if not typed.isdecimal() or not 1 <= int(typed) <= most:
        raise ConfigError(f"--{name} must be a whole number from 1 to {most}; '{typed}' was given.")


def _module(name: str) -> Any:
    """A module of `engine.analysis`; Keras is there, since a model has been loaded."""
    return backend.import_on_any_backend(f"engine.analysis.{name}", TrainingConfig())
