"""`sample`: images generated from a run's latent space, and the training image nearest to each."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.cli.config_options import whole_number
from engine.cli.console import CommandResult, ConsoleProgress
from engine.cli.latent import MOST_SEED, TERMS, opened, write_table
from engine.explorer import latent_decode_handlers
from engine.figures import base
from engine.figures.image_strips import Strip, strips
from engine.latent import reports
from engine.latent.latent_data import PIXEL, LatentData, flat
from engine.messages import NeighborReport

MOST, ROW = 256, 8


def run(options: Namespace) -> CommandResult:
    """Sample latent codes, decode them, and find the training image nearest to each."""
    count = whole_number(options.count, "--n", 1, MOST)
    seed = whole_number(options.seed, "--seed", 0, MOST_SEED)
    atlas = opened(options, ConsoleProgress(sys.stderr))
    source = options.drawn_from or ("prior" if atlas.space.kind == "posterior" else "mixture")
    atlas.space.need_decoder()
    latents, mixture = latent_decode_handlers.sample_latents(atlas, source, count, seed)
    images = atlas.space.decode(latents)
    near = reports.neighbors_report(atlas, PIXEL, atlas.nearest(PIXEL, flat(images), 1))
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [_row(number, each) for number, each in enumerate(near)]
    for row, image in zip(rows, images, strict=True):
        title = f"{atlas.run.name} · generated from the {source}, seed {seed}, no. {row['sample']}"
        row["file"] = str(base.save(base.picture(image[..., 0], title), options.out / f"{row['stem']}.png"))
    write_table(options.out / "samples.csv", rows)
    grid = base.save(_grid(atlas, images, rows), options.out / "samples.png")
    content = {"run": atlas.run.name, "model": atlas.run.config.model.model, "source": source, "seed": seed}
    content |= {"limit": near[0].limit, "typical": near[0].typical}
    content |= {"mixture": mixture.model_dump() if mixture else None, "grid": str(grid)}
    content |= {"memorised": sum(row["memorised"] for row in rows), "samples": rows}
    return CommandResult(_text(content, options.out), content)


def _row(number: int, found: NeighborReport) -> dict[str, Any]:
    first = found.nearest[0]
    nearest = {"nearest": first.name, "index": first.index, "distance": first.distance}
    return {
        "sample": number,
        "stem": f"sample-{number:03d}",
        **nearest,
        "ratio": found.ratio,
        "memorised": found.memorised,
    }


def _grid(atlas: LatentData, images: NDArray[np.float32], rows: list[dict[str, Any]]) -> Any:
    """Draw the samples in rows, each above its nearest training image."""
    nearest = atlas.images.train.read([row["index"] for row in rows])
    shown: list[Strip] = []
    for first in range(0, len(rows), ROW):
        part = slice(first, first + ROW)
        notes = [f"{row['ratio']:.2f}{', near copy' if row['memorised'] else ''}" for row in rows[part]]
        pictures = list(images[part, ..., 0])
        shown += [
            Strip("generated", pictures, notes=[str(row["sample"]) for row in rows[part]]),
            Strip("nearest", list(nearest[part, ..., 0]), notes=notes),
        ]
    return strips(shown, [""] * min(ROW, len(rows)))


def _text(content: Mapping[str, Any], out: Path) -> str:
    rows, mixture = content["samples"], content["mixture"]
    lines = [
        f"{len(rows)} images generated from the {content['source']} of run {content['run']}, seed {content['seed']}."
    ]
    if mixture:
        shape = {"full": "full", "diag": "diagonal"}[mixture["covariance"]]
        lines.append(
            f"The mixture has {mixture['components']} components with {shape} covariance in {mixture['axes']} "
            f"principal components ({100 * mixture['variance_share']:.1f}% of the variance of the latent codes)."
        )
    lowest = min(row["ratio"] for row in rows)
    lines.append(
        f"{content['memorised']} are near copies of training images (possible memorization): the smallest ratio "
        f"is {lowest:.2f}, the limit {content['limit']:.2f} ({TERMS})."
    )
    lines.append(f"Saved the images, each with its nearest training image, to {out}")
    return "\n".join(lines)
