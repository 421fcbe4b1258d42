"""The contents of the comparison view: originals, reconstructions and metrics; pure data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from engine.messages import ReconstructReply
from gui.formatting import format_fixed, format_number
from gui.pixmaps import Array, Colormap
from gui.widgets.image_rows import ImageRow

NONE = "—"


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """The reconstructions (n, height, width) of one model, the originals at its size, and the metrics of each image."""

    run: str
    originals: Array
    images: Array
    mse: Sequence[float]
    psnr_db: Sequence[float | None]
    ssim: Sequence[float]

    @property
    def differences(self) -> Array:
        return self.images - self.originals


@dataclass(frozen=True, eq=False)
class Comparison:
    """Originals (n, height, width) with their names, and their reconstructions."""

    titles: Sequence[str]
    originals: Array
    made: Sequence[Reconstruction]


def make_comparison(reply: ReconstructReply, runs: dict[str, str], titles: Sequence[str]) -> Comparison:
    """Return the comparison of a reply; `runs` gives the name of each run's path, `titles` those of the images."""
    found = {name: reply.runs[path] for path, name in runs.items()}
    made = [
        Reconstruction(name, each.originals, each.images, each.mse, each.psnr_db, each.ssim)
        for name, each in found.items()
    ]
    return Comparison(titles, reply.originals, made)


def grid_rows(shown: Comparison, flicker: bool = False) -> list[ImageRow]:
    """Return rows of originals, reconstructions and differences; `flicker` shows originals for reconstructions."""
    rows = [ImageRow("original", shown.originals)]
    for made in shown.made:
        images, title = (made.originals, "original") if flicker else (made.images, made.run)
        rows.append(
            ImageRow(title, images, subtitle=mean_text(made), captions=[short_caption(made, i) for i in _each(made)])
        )
    for made in shown.made:
        numbers = [f"MSE {format_number(value, 3)}" for value in made.mse]
        rows.append(ImageRow(f"{made.run} − original", made.differences, Colormap.SIGNED, captions=numbers))
    return rows


def single_scan_rows(shown: Comparison) -> tuple[list[ImageRow], list[str]]:
    """Return rows with the first image side by side, differences below, and the titles of the columns."""
    original = shown.originals[0]
    pictures = [original, *(made.images[0] for made in shown.made)]
    titles = ["original", *(made.run for made in shown.made)]
    rows = [ImageRow("image", _as_rows(pictures), captions=["", *(caption(made, 0) for made in shown.made)])]
    if shown.made:
        differences = [np.zeros_like(original), *(made.differences[0] for made in shown.made)]
        numbers = ["", *(f"MSE {format_number(made.mse[0], 3)}" for made in shown.made)]
        rows.append(ImageRow("minus original", _as_rows(differences), Colormap.SIGNED, captions=numbers))
    return rows, titles


def caption(made: Reconstruction, index: int) -> str:
    """Return the PSNR and SSIM of one reconstruction."""
    return f"{decibels(made.psnr_db[index])} · {format_fixed(made.ssim[index], 2)}"


def short_caption(made: Reconstruction, index: int) -> str:
    """Return the same without units, for a narrow image next to a title that names both."""
    psnr = made.psnr_db[index]
    return f"{NONE if psnr is None else format_fixed(psnr, 1)} · {format_fixed(made.ssim[index], 2)}"


def mean_text(made: Reconstruction) -> str:
    """Return the mean PSNR and SSIM over the images that are shown."""
    finite = [value for value in made.psnr_db if value is not None]
    psnr = float(np.mean(finite)) if finite else None
    return f"mean {decibels(psnr)}\nmean SSIM {format_fixed(float(np.mean(made.ssim)), 2)}"


def decibels(value: float | None) -> str:
    return f"{NONE} dB" if value is None else f"{format_fixed(value, 1)} dB"


def pixel_text(shown: Comparison, column: int, place: tuple[float, float], run: int | None) -> str:
    """Return the status text of a place, given in shares of the image, for one run or for all."""
    x, y = _pixel(shown.originals[column], place)
    words = [f"x {x}", f"y {y}", f"original {format_fixed(float(shown.originals[column][y, x]), 3)}"]
    for number_, made in enumerate(shown.made):
        if run is None or run == number_:
            at = _pixel(made.images[column], place)
            value, was = (float(images[column][at[1], at[0]]) for images in (made.images, made.originals))
            name = "reconstruction" if run is not None else made.run
            words += [f"{name} {format_fixed(value, 3)}", f"difference {format_fixed(value - was, 3)}"]
    return " · ".join(words)


def _pixel(image: Array, place: tuple[float, float]) -> tuple[int, int]:
    height, width = image.shape
    return min(int(place[0] * width), width - 1), min(int(place[1] * height), height - 1)


def _each(made: Reconstruction) -> range:
    return range(len(made.images))


def _as_rows(images: Sequence[Array]) -> Array:
    """Return images as a row, which only counts and indexes them: they may have different sizes, as runs have."""
    return cast(Array, images)
