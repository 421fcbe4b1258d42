"""What the panel exports: the points as CSV, their title, and a script that computes the same without the app."""

import csv
import io
from collections.abc import Collection

from gui.export import join_script
from gui.loaded_data import PARTS
from gui.panel import DISCLAIMER
from gui.panels.latent.latent_map import METHODS, LatentMap, LatentState

FIELDS = ("x", "y", "split", "index", "name", "class", "mse", "leaked", "selected")
IMPORTS = (
    "import numpy as np",
    "",
    "import engine",
    "from engine import evaluation",
    "from engine.figures import plain",
    "from engine.latent import embedding",
    "from engine.latent.latent_data import LATENT, PIXEL, LatentData, flat",
)


def describe_map(scene: LatentState | None, method: str) -> str:
    """Return the title of a map; empty if there is none."""
    if scene is None:
        return ""
    splits = ", ".join(PARTS[split] for split in dict.fromkeys(scene.mapped.splits))
    return f"{scene.title} · {scene.data.title} ({splits}) · {METHODS[method]}"


def table_text(mapped: LatentMap, title: str, selected: Collection[int]) -> str:
    """Return all points as CSV, below the disclaimer and a title."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(FIELDS)
    for at, (x, y) in enumerate(mapped.points.tolist()):
        error = "" if mapped.errors is None else float(mapped.errors[at])
        known = (*mapped.key_at(at), mapped.names[at], mapped.labels[at], error)
        writer.writerow((x, y, *known, int(mapped.leaked[at]), int(at in selected)))
    return f"# {DISCLAIMER}\n# {title}\n{file.getvalue()}"


def latent_script(scene: LatentState, data: str, splits: list[str], method: str) -> str:
    """Return a script that computes what the panel shows; `data` is the expression of the dataset's settings."""
    lines = [
        f"run = engine.runs.open_run({scene.run!r})",
        f"data = {data}.model_copy(update={{'size': run.config.data.size}})",
        "images = engine.data.load(config=data)",
        "atlas = LatentData(run, evaluation.load_model(run), images)",
        f"splits = {splits}",
        "codes = atlas.codes(*splits)",
        "train = np.repeat([split == 'train' for split in splits], [len(images.splits[split]) for split in splits])",
        f"laid = embedding.compute_embedding(codes.means, train, {method!r}, seed=0)",
        "print(laid.axes, laid.points.shape)",
        "print(atlas.dimensions().sentence() or 'no latent dimension has collapsed')",
    ]
    if scene.has_subject:
        lines += [
            *_subject(scene),
            "for where, point in ((PIXEL, flat(scan)), (LATENT, atlas.space.encode(scan).means)):",
            "    near = atlas.nearest(where, point, 4, key)",
            "    print(where, [images.train.names[row] for row in near.indices[0]], near.distances[0])",
            "plain.save_values(engine.reconstruct(atlas.space.model, scan)[0, ..., 0], 'reconstruction.png')",
        ]
    if scene.opened is not None and method == "pca":
        lines.append("print('on the map:', laid.transform(atlas.space.encode(scan).means)[0])")
    if scene.group and scene.mapped.decodes:
        lines += [
            f"latents, members = atlas.select({list(scene.group)})",
            "average = atlas.space.decode(latents.mean(axis=0, keepdims=True))",
            "pixel_mean = members.mean(axis=0, keepdims=True)",
            "plain.save_values(average[0, ..., 0], 'decoded-mean.png')",
            "plain.save_values(pixel_mean[0, ..., 0], 'pixel-mean.png')",
        ]
    return join_script(*lines, imports=IMPORTS)


def _subject(scene: LatentState) -> list[str]:
    """Return the lines that read the selected image, and the key of the training image that it is."""
    if scene.opened is not None:
        opened = f"engine.data.open_scan({scene.opened.path!r})"
        return [f"scan = engine.data.prepare({opened}, data, {scene.opened.slice})[None, ..., None]", "key = None"]
    assert scene.chosen is not None
    split, index = scene.chosen
    return [
        f"scan = images.splits[{split!r}].read([{index}])",
        f"key = (images.splits[{split!r}].keys[{index}],)" if split == "train" else "key = None",
    ]
