"""`latent`: a run's latent space as maps, tables and figures."""

import csv
import io
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine import backend, data, evaluation, metrics, runs
from engine.cli import latent_figures
from engine.cli.config_options import whole_number
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.config import TrainingConfig
from engine.evaluation import scoring
from engine.figures import base
from engine.figures import latent as drawing
from engine.formatting import format_number
from engine.job_context import JobContext
from engine.latent import embedding, reports
from engine.latent.latent_data import LATENT, PIXEL, LatentData, flat
from engine.latent.neighbors import COPY_RATIO
from engine.messages import NeighborReport

SPLITS = ("train", "validation", "test")
SHOWN = 3
MOST_SEED = 2**31 - 1
TERMS = "ratio: distance to the nearest training image ÷ mean distance to the 50 nearest"


def run(options: Namespace) -> CommandResult:
    """Analyze a run's latent space."""
    seed = whole_number(options.seed, "--seed", 0, MOST_SEED)
    meter = ConsoleProgress(sys.stderr)
    atlas = opened(options, meter)
    options.out.mkdir(parents=True, exist_ok=True)
    splits = [split for split in SPLITS if len(atlas.images.splits[split])]
    codes = atlas.codes(*splits)
    atlas.context = atlas.context.with_title("Reconstructing")
    scans = reports.scan_table(atlas, splits) | {"mse": atlas.errors(*splits).tolist()}
    meter.update("Computing the map", 0, len(codes))
    laid = _embed(atlas, splits, options.method, seed)
    meter.update("Computing the map", len(codes), len(codes))
    content: dict[str, Any] = {
        "run": atlas.run.name,
        "model": atlas.run.config.model.model,
        "source": atlas.images.source,
        "space": atlas.space.description,
        "patient_note": atlas.images.patients.note,
        "scans": {split: len(atlas.images.splits[split]) for split in splits},
        "map": {"method": options.method, "axes": list(laid.axes), "note": laid.note, "seed": seed},
        "collapse": reports.collapse(atlas).model_dump(),
        "dimensions": reports.dimensions(atlas).model_dump(),
    }
    content["files"] = _maps(options.out, scans, laid) | _dimensions(options.out, content["dimensions"])
    content["copies"] = _copies(options.out, atlas)
    content["files"] |= latent_figures.write_figures(atlas, options.out)
    atlas.context = atlas.context.with_title("Checking calibration")
    content["calibration"] = latent_figures.calibrate(atlas, options.out)
    return CommandResult(_text(content, options.out), content)


def opened(options: Namespace, meter: ConsoleProgress) -> LatentData:
    """Return the latent data of the run and the dataset that a command names."""
    found = runs.open_run(options.run, options.runs)
    images: data.Dataset = evaluation.load_dataset(found, options.data, context=JobContext(on_progress=meter.update))
    context = JobContext(on_progress=meter.update, title="Encoding")
    atlas = LatentData(found, evaluation.load_model(found), images, context)
    backend.import_on_any_backend("engine.analysis.layers", TrainingConfig())
    return atlas


def write_table(path: Path, rows: list[dict[str, Any]]) -> str:
    """Write rows as a CSV file and return its path."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    runs.write_text_atomic(path, text.getvalue())
    return str(path)


def _embed(atlas: LatentData, splits: list[str], method: str, seed: int) -> embedding.Embedding:
    counts = [len(atlas.images.splits[split]) for split in splits]
    train = np.repeat([split == "train" for split in splits], counts)
    return embedding.compute_embedding(atlas.codes(*splits).means, train, method, seed)


def _maps(out: Path, scans: Mapping[str, Any], laid: embedding.Embedding) -> dict[str, str]:
    labels = [label or data.dataset.UNLABELLED for label in scans["label"]]
    leaks = [
        ("leaked test image" if leaked else "other test image") if split == "test" else "training and validation image"
        for split, leaked in zip(scans["split"], scans["leaked"], strict=True)
    ]
    groups = {"class": labels, "split": scans["split"], "leak": leaks}
    drawn = drawing.maps(drawing.ScatterData(laid.points, laid.axes, groups, np.array(scans["mse"])))
    names = ("split", "index", "name", "label", "leaked", "mse")
    rows = [
        {**dict(zip(names, values, strict=True)), "x": float(x), "y": float(y)}
        for *values, (x, y) in zip(*(scans[name] for name in names), laid.points, strict=True)
    ]
    return {"map": str(base.save(drawn, out / "map.png")), "points": write_table(out / "points.csv", rows)}


def _dimensions(out: Path, found: Mapping[str, Any]) -> dict[str, str]:
    values, active = np.array(found["value"]), np.array(found["active"])
    floor = metrics.ACTIVE_NATS if "nats" in found["measure"] else None
    drawn = drawing.ranked(values, active, found["measure"], floor)
    names = ("value", "active", "mean", "spread", "low", "high")
    rows = [
        {"rank": rank, "dimension": dimension, **{name: found[name][rank - 1] for name in names}}
        for rank, dimension in enumerate(found["order"], 1)
    ]
    table_path = write_table(out / "dimensions.csv", rows)
    return {"dimensions": str(base.save(drawn, out / "dimensions.png")), "dimensions_table": table_path}


def _copies(out: Path, atlas: LatentData) -> dict[str, Any]:
    """Report the test images, and reconstructions, that are near copies of training images."""
    images = atlas.images.test
    originals, leaked = images.read(), atlas.images.leaked
    if not len(images):
        return {"test_scans": 0}
    made = scoring.reconstruct(atlas.space.model, originals)
    found = {
        PIXEL: reports.neighbors_report(atlas, PIXEL, atlas.nearest(PIXEL, flat(originals), SHOWN)),
        LATENT: reports.neighbors_report(atlas, LATENT, atlas.nearest(LATENT, atlas.codes("test").means, SHOWN)),
        "reconstruction": reports.neighbors_report(atlas, PIXEL, atlas.nearest(PIXEL, flat(made), SHOWN)),
    }
    flags = {name: np.array([each.memorised for each in found[name]]) for name in found}
    write_table(out / "neighbours.csv", [_row(atlas, found, at) for at in range(len(images))])
    ratios = {name: np.array([each.ratio for each in found[name]]) for name in found}
    groups = {f"leaked test images ({leaked.sum():,})": ratios[PIXEL][leaked]} if leaked.any() else {}
    groups |= {f"other test images ({(~leaked).sum():,})": ratios[PIXEL][~leaked]}
    groups |= {"reconstructions of these": ratios["reconstruction"][~leaked]}
    drawn = drawing.nearest_distances(groups, COPY_RATIO, TERMS)
    base.save(drawn, out / "neighbours.png")
    latent_figures.neighbours(atlas, found, originals, out)
    in_train = np.isin(images.keys, atlas.images.train.keys)
    return {
        "test_scans": len(images),
        "leaked": int(leaked.sum()),
        "leaked_in_train": int(in_train.sum()),
        "limit": COPY_RATIO,
        "usual": {where: vars(atlas.reference_distances(where)) for where in (PIXEL, LATENT)},
        **{f"flagged_{name}": int(flag.sum()) for name, flag in flags.items()},
        "flagged_leaked": int((flags[PIXEL] & leaked).sum()),
        "flagged_leaked_in_train": int((flags[PIXEL] & in_train).sum()),
        "flagged_not_leaked": [images.names[at] for at in np.flatnonzero(flags[PIXEL] & ~leaked)],
        "reconstructed_as_copies": int((flags["reconstruction"] & ~flags[PIXEL]).sum()),
    }


def _row(atlas: LatentData, found: Mapping[str, list[NeighborReport]], at: int) -> dict[str, Any]:
    row: dict[str, Any] = {"test_scan": atlas.images.test.names[at], "leaked": bool(atlas.images.leaked[at])}
    for where, each in found.items():
        nearest = each[at].nearest[0]
        row |= {f"{where}_nearest": nearest.name, f"{where}_distance": nearest.distance}
        row |= {f"{where}_ratio": each[at].ratio, f"{where}_memorised": each[at].memorised}
    return row


def _text(content: Mapping[str, Any], out: Path) -> str:
    scans = ", ".join(f"{count:,} {split}" for split, count in content["scans"].items())
    lines = [f"Latent space of run {content['run']} ({content['model']}): {content['space']}. Images: {scans}."]
    lines += filter(None, [content["patient_note"], content["map"]["note"]])
    found, collapse = content["dimensions"], content["collapse"]
    said = found["measure"].removesuffix(", nats")
    lines.append(f"Half of the {said} is in {collapse['half']} of the {collapse['dimensions']} dimensions.")
    if collapse["sentence"]:
        lines.append(collapse["sentence"])
    head = ["latent dimension", found["measure"], "mean", "SD"]
    most = [
        [str(number_), *(format_number(found[name][at]) for name in ("value", "mean", "spread"))]
        for at, number_ in enumerate(found["order"][:5])
    ]
    lines += ["", format_table(head, most, align=">>>>"), "", *_copy_notes(content["copies"])]
    if content["calibration"]:
        found = content["calibration"]
        lines += [found["sentence"], found["calibrated"]["sentence"]]
        lines += [found["test"]["sentence"]] if found["test"] else []
    lines.append(f"Saved maps, tables and figures to {out}")
    return "\n".join(lines)


def _copy_notes(found: Mapping[str, Any]) -> list[str]:
    if not found["test_scans"]:
        return ["There are no test images to compare with training images."]
    known, there = found["flagged_leaked_in_train"], found["leaked_in_train"]
    flagged = found[f"flagged_{PIXEL}"]
    return [
        f"{flagged:,} of {found['test_scans']:,} test images are near copies of training images (ratio below "
        f"{COPY_RATIO:.2f}): {known} of the {there} exact copies of training images, and {flagged - known} more. By "
        f"latent distance: {found[f'flagged_{LATENT}']}.",
        "Reconstructions that are near copies of a training image although their test image is not: "
        f"{found['reconstructed_as_copies']}.",
    ]
