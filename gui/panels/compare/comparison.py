"""What the board shows: originals, what each run made of them, and the numbers; pure data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from gui.pixmaps import Array, Colormap
from gui.widgets.image_rows import ImageRow
from gui.widgets.labels import fixed, format_number

NONE = "—"


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """One run's reconstructions (n, h, w), the originals as it was given them, and the measures of each."""

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
    """Originals (n, h, w) with their names, and what was made of them."""

    titles: Sequence[str]
    originals: Array
    made: Sequence[Reconstruction]


def from_answer(content: dict[str, Any], runs: dict[str, str], titles: Sequence[str]) -> Comparison:
    """Read an answer to Reconstruct; `runs` gives the name of each run's path. Raises KeyError."""
    made = [
        Reconstruction(name, found["originals"], found["images"], found["mse"], found["psnr_db"], found["ssim"])
        for path, name in runs.items()
        for found in [content["runs"][path]]
    ]
    return Comparison(titles, content["originals"], made)


def grid_rows(shown: Comparison, flicker: bool = False) -> list[ImageRow]:
    """Originals, then each run's reconstructions, then each run's differences; `flicker` shows originals instead."""
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
    """The first image side by side: original and reconstructions above, differences below; and the columns' titles."""
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
    """Return the numbers of one reconstruction: peak signal-to-noise ratio and structural similarity."""
    return f"{decibels(made.psnr_db[index])} · {fixed(made.ssim[index], 2)}"


def short_caption(made: Reconstruction, index: int) -> str:
    """Return the same without units, for a narrow picture beside a title that names both."""
    psnr = made.psnr_db[index]
    return f"{NONE if psnr is None else fixed(psnr, 1)} · {fixed(made.ssim[index], 2)}"


def mean_text(made: Reconstruction) -> str:
    """Return the means over the images that are shown, with the names of both numbers."""
    told = [value for value in made.psnr_db if value is not None]
    psnr = float(np.mean(told)) if told else None
    return f"mean {decibels(psnr)}\nmean SSIM {fixed(float(np.mean(made.ssim)), 2)}"


def decibels(value: float | None) -> str:
    return f"{NONE} dB" if value is None else f"{fixed(value, 1)} dB"


def pixel_text(shown: Comparison, column: int, place: tuple[float, float], run: int | None) -> str:
    """Return what the status bar says of a place, given in shares of the picture; of one run, or of all."""
    x, y = _pixel(shown.originals[column], place)
    words = [f"x {x}", f"y {y}", f"original {fixed(float(shown.originals[column][y, x]), 3)}"]
    for number_, made in enumerate(shown.made):
        if run is None or run == number_:
            at = _pixel(made.images[column], place)
            value, was = (float(images[column][at[1], at[0]]) for images in (made.images, made.originals))
            name = "reconstruction" if run is not None else made.run
            words += [f"{name} {fixed(value, 3)}", f"difference {fixed(value - was, 3)}"]
    return " · ".join(words)


def _pixel(image: Array, place: tuple[float, float]) -> tuple[int, int]:
    height, width = image.shape
    return min(int(place[0] * width), width - 1), min(int(place[1] * height), height - 1)


def _each(made: Reconstruction) -> range:
    return range(len(made.images))


def _as_rows(images: Sequence[Array]) -> Array:
    """Pictures of a row may have different sizes, as runs may have; a row only counts and indexes them."""
    return cast(Array, images)
