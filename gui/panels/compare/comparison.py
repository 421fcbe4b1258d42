"""The contents of the comparison: sources, pages of images, originals, reconstructions, metrics. Pure data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from engine.messages import FigureRow, ReconstructReply
from engine.messages.figures import Colors
from gui.formatting import format_fixed, format_measured, format_signed
from gui.pixmaps import Array, Colormap
from gui.run_record import RunRecord
from gui.widgets.image_rows import ImageRow

BASELINE = "pca:"
MEAN = f"{BASELINE}0"
ORDERS = {"file": "file order", "worst": "highest error first", "best": "lowest error first"}
NONE = "—"


@dataclass(frozen=True)
class ImageSource:
    """One row of images: the explorer's key of its source, its name, and the epoch of a run's best model."""

    ref: str
    name: str
    epoch: int = 0

    @property
    def series(self) -> str:
        """Return its color key; baselines are gray."""
        return "role:quiet" if is_baseline(self.ref) else self.name


def from_run(record: RunRecord) -> ImageSource:
    """Return the source of a run, keyed by its path, with its best model."""
    best = record.best
    return ImageSource(str(record.run.path), record.name, best.epoch if best else 0)


def from_reference(ref: str) -> ImageSource:
    """Return the source of a PCA baseline, or of the mean image, a PCA without components."""
    return ImageSource(ref, "mean image" if ref == MEAN else f"PCA-{ref.removeprefix(BASELINE)}")


def is_baseline(ref: str) -> bool:
    return ref.startswith(BASELINE)


def baseline_of(record: RunRecord) -> str | None:
    """Return the PCA baseline of a run's latent size. Returns None if its model has none."""
    size = record.config.model.latent_size if record.config else None
    return f"{BASELINE}{size}" if size else None


@dataclass(frozen=True)
class Pager:
    """A page of images, `order[first : first + columns]`; the first page begins at 0."""

    order: tuple[int, ...] = ()
    columns: int = 6
    first: int = 0

    @property
    def indices(self) -> tuple[int, ...]:
        return self.order[self.first : self.first + self.columns]

    @property
    def page(self) -> int:
        """Return the number of the shown page, from 1."""
        return self.first // self.columns + 1

    @property
    def count(self) -> int:
        return max(-(-len(self.order) // self.columns), 1)

    def turn(self, pages: int) -> "Pager":
        """Return the pager some pages further on or back, not past the ends."""
        page = min(max(self.first // self.columns + pages, 0), self.count - 1)
        return replace(self, first=page * self.columns)

    def to(self, index: int) -> "Pager":
        """Return the pager at the page with an image."""
        place = self.order.index(index) if index in self.order else 0
        return replace(self, first=place // self.columns * self.columns)

    def with_columns(self, columns: int) -> "Pager":
        """Return the pager with another number of columns; the first image stays visible."""
        return replace(self, columns=columns, first=self.first // columns * columns)

    def with_order(self, order: Sequence[int]) -> "Pager":
        """Return the pager with another order, at its first image."""
        return replace(self, order=tuple(order), first=0)


def sorted_by(mse: Sequence[float], how: str) -> list[int]:
    """Return the indices of images sorted by error, worst or best first; ties in the order of the files."""
    errors = np.asarray(mse, np.float64)
    return [int(index) for index in np.argsort(-errors if how == "worst" else errors, kind="stable")]


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
        numbers = [format_measured(value, 3) for value in made.mse]
        title = f"{made.run} − original"
        rows.append(ImageRow(title, made.differences, Colormap.SIGNED, subtitle="MSE below", captions=numbers))
    return rows


def list_figure_rows(
    shown: Comparison, save: Callable[[Array], str], limits: tuple[float, float]
) -> tuple[FigureRow, ...]:
    """Return the rows of a figure on paper; `save` writes an array, `limits` are the values of black and white."""
    rows = []
    for row in grid_rows(shown):
        is_signed, saved, notes = row.scale is Colormap.SIGNED, save(row.images), tuple(row.captions)
        ends = None if is_signed else limits
        colors: Colors = "signed" if is_signed else "gray"
        rows.append(FigureRow(title=row.title, images=saved, colors=colors, limits=ends, notes=notes))
    return tuple(rows)


def figure_lines(shown: Comparison, *warnings: str) -> list[str]:
    """Return the lines below a figure: what its numbers are, the means of each model, and the warnings."""
    means = [f"{made.run}: {mean_text(made).replace(chr(10), ', ')}" for made in shown.made]
    numbers = ["Below reconstructions: PSNR (dB) · SSIM. Below differences: mean squared error."] if shown.made else []
    return [*numbers, *means, *(line for warning in warnings for line in warning.splitlines())]


def single_scan_rows(shown: Comparison) -> tuple[list[ImageRow], list[str]]:
    """Return rows with the first image side by side, differences below, and the titles of the columns."""
    original = shown.originals[0]
    pictures = [original, *(made.images[0] for made in shown.made)]
    titles = ["original", *(made.run for made in shown.made)]
    rows = [ImageRow("image", _as_rows(pictures), captions=["", *(caption(made, 0) for made in shown.made)])]
    if shown.made:
        differences = [np.zeros_like(original), *(made.differences[0] for made in shown.made)]
        numbers = ["", *(format_measured(made.mse[0], 3) for made in shown.made)]
        row = _as_rows(differences)
        rows.append(ImageRow("minus original", row, Colormap.SIGNED, subtitle="MSE below", captions=numbers))
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
            if run is not None:
                words[2] = f"original {format_fixed(was, 3)}"  # as the run was given it, which may be another size
            words += [f"{name} {format_fixed(value, 3)}", f"difference {format_signed(value - was)}"]
    return " · ".join(words)


def _pixel(image: Array, place: tuple[float, float]) -> tuple[int, int]:
    height, width = image.shape
    return min(int(place[0] * width), width - 1), min(int(place[1] * height), height - 1)


def _each(made: Reconstruction) -> range:
    return range(len(made.images))


def _as_rows(images: Sequence[Array]) -> Array:
    """Return images as a row, which only counts and indexes them: they may have different sizes, as runs have."""
    return cast(Array, images)
