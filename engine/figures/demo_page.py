"""Page of the demo: runs on the same images, their learning curves, reconstructions and metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import config, metrics
from engine.data import Dataset
from engine.figures import base, html_page
from engine.figures.style import SERIES
from engine.formatting import format_source
from engine.runs import Run

NUMBERS = {
    "n": ("images", ",.0f"),
    "mse": ("MSE", ".5f"),
    "psnr_db": ("PSNR (dB)", ".1f"),
    "ssim": ("SSIM", ".2f"),
    "nats_per_image": ("nats per image", ",.1f"),
    "reconstruction_nats": ("reconstruction", ",.1f"),
    "kl_nats": ("KL", ",.1f"),
    "entropy_floor_nats": ("entropy floor", ",.1f"),
    "batch_sum": ("batch sum", ",.0f"),
}
READING = (
    "Means over the images of a split; intensities 0–1. PSNR is the mean over the images. Nats: VAE only; "
    "reconstruction + KL is the negative evidence lower bound, and the reconstruction term cannot be lower than "
    "the entropy floor (binary entropy of the images). Batch sum: the loss × batch size, as in the reference "
    "study (a 2024 course report). Choose models by the validation set; the test images were used neither for "
    "training nor for this choice."
)
WARNING = (
    "A reconstruction is re-drawn from a short code. Small or rare structures are blurred: a lesion can "
    "disappear, and one that does not exist can appear. Do not interpret pathology in these images."
)


@dataclass(frozen=True)
class EvaluatedRun:
    """A run of the demo.

    Args:
        run: the run.
        measured: its metrics for each split, from `engine.evaluation`.
        reconstructed: (n, size, size, 1), its reconstructions of the shown images.
    """

    run: Run
    measured: dict[str, dict[str, Any]]
    reconstructed: NDArray[np.float32]

    @property
    def title(self) -> str:
        """Return the short name of the model, and the run's name."""
        return f"{self.run.config.model.model.upper()} ({self.run.name})"


@dataclass(frozen=True)
class DemoReport:
    """Content of the page.

    Args:
        title: its title.
        images: the dataset that all runs were trained on.
        shown: indices of the shown images in `split` of the dataset.
        split: the split of the shown images.
        examined: the runs.
        elapsed_s: total time in seconds.
        advice: commands for the next steps.
    """

    title: str
    images: Dataset
    shown: Sequence[int]
    split: str
    examined: Sequence[EvaluatedRun]
    elapsed_s: float
    advice: Sequence[str]


def html(demo: DemoReport) -> str:
    """Return the page as one HTML file without external resources."""
    sections = [
        html_page.section("Read first", *map(html_page.paragraph, _caveats(demo)), warning=True),
        html_page.section("Summary", *map(html_page.paragraph, _in_short(demo))),
        html_page.section("Images", _samples(demo), _counts(demo)),
        html_page.section("Learning curves", _curves(demo)),
        html_page.section("Reconstructions", _reconstructions(demo)),
        html_page.section("Metrics", _numbers(demo), html_page.paragraph(READING)),
        html_page.section("Settings and provenance", _origin(demo)),
        html_page.section("Next steps", html_page.code_block(demo.advice)),
    ]
    return html_page.page(demo.title, _lead(demo), sections)


def _caveats(demo: DemoReport) -> list[str]:
    return [WARNING, *filter(None, [demo.images.patients.note])]


def _lead(demo: DemoReport) -> str:
    settings = demo.images.config
    is_phantom = settings.source == "phantom"
    what = "generated phantoms, no patient data" if is_phantom else f"images of {format_source(settings.source)}"
    return (
        f"{len(demo.examined)} models trained on {what}, {settings.size} × {settings.size} pixels, in "
        f"{demo.elapsed_s / 60:.1f} minutes in all. Few images and few epochs: a demonstration, not a result."
    )


def _in_short(demo: DemoReport) -> list[str]:
    sentences = []
    for each in demo.examined:
        model, part = each.run.config.model, each.measured[demo.split]
        size, kept = demo.images.config.size**2, model.latent_size
        through = f"{size:,} pixels → {kept:,} latent values" if kept else f"{size:,} pixels, no bottleneck"
        sentences.append(
            f"{config.model_title(model.model)} ({each.run.name}): {through}. "
            f"On the {part['n']:,} {demo.split} images: PSNR {part['psnr_db']:.1f} dB, SSIM {part['ssim']:.2f}, "
            f"MSE {part['mse']:.4f}; on the training images MSE {each.measured['train']['mse']:.4f}."
        )
    return sentences


def _samples(demo: DemoReport) -> str:
    train = demo.images.train
    rows = {name: np.flatnonzero(train.labels == number) for number, name in enumerate(demo.images.classes)}
    rows = {name: found for name, found in rows.items() if len(found)} or {"images": np.arange(len(train))}
    count = min(6, *(len(found) for found in rows.values()))
    columns = [
        base.Column("", [train.read([found[number]])[0, ..., 0] for found in rows.values()]) for number in range(count)
    ]
    figure = base.grid(columns, [_plain(name) for name in rows], cell_inches=1.2)
    return html_page.picture(figure, "The first training images of each class, as the model sees them.")


def _counts(demo: DemoReport) -> str:
    counts, splits = demo.images.counts(), demo.images.splits
    rows = [[_plain(name), *(f"{line[split]:,}" for split in splits)] for name, line in counts.items()]
    rows.append(["all", *(f"{len(part):,}" for part in splits.values())])
    return html_page.table(["class", *splits], rows)


def _curves(demo: DemoReport) -> str:
    figure = base.curves([_chart(each, SERIES[number]) for number, each in enumerate(demo.examined)])
    caption = (
        "Loss per image after each epoch: training solid, validation dashed. The model of the best epoch is saved."
    )
    return html_page.picture(figure, caption)


def _chart(each: EvaluatedRun, color: str) -> base.Chart:
    rows, unit = each.run.history(), each.run.config.model.loss_unit
    epochs = [row["epoch"] for row in rows]
    curves = [
        base.Curve("training", epochs, [row["loss"] for row in rows]),
        base.Curve("validation", epochs, [row["val_loss"] for row in rows], dashed=True),
    ]
    floor = each.measured["validation"]["entropy_floor_nats"] if unit else None
    label = f"{unit} per image" if unit else "mean squared error"
    return base.Chart(each.title, label, curves, each.run.best_epoch(), floor, color, log=not unit)


def _reconstructions(demo: DemoReport) -> str:
    part = demo.images.splits[demo.split]
    originals = part.read(np.asarray(demo.shown))[..., 0]
    labels = [part.labels[index] for index in demo.shown]
    rows = [
        _plain(demo.images.classes[label]) if label >= 0 else part.names[i]
        for i, label in zip(demo.shown, labels, strict=True)
    ]
    columns = [base.Column("original", list(originals))]
    for each in demo.examined:
        made = each.reconstructed[..., 0]
        notes = [f"{value:.1f} dB" for value in metrics.psnr_db(originals, made)]
        columns.append(base.Column(each.title, list(made), notes=notes))
    for each in demo.examined:
        title = f"{each.run.config.model.model.upper()} − original"
        columns.append(base.Column(title, list(each.reconstructed[..., 0] - originals), signed=True))
    caption = (
        f"Images of the {demo.split} set, evenly spaced and not selected by appearance; the last row is the one "
        f"with the highest MSE for {demo.examined[0].title}. Display range: 0 (black) to 1 (white). All "
        "differences share one scale that covers 99.5% of their pixels: orange where the reconstruction is "
        "brighter than the original, blue where it is darker."
    )
    return html_page.picture(base.grid(columns, rows), caption)


def _numbers(demo: DemoReport) -> str:
    rows = [
        [each.title, split, *(_number(numbers, key, form) for key, (_, form) in NUMBERS.items())]
        for each in demo.examined
        for split, numbers in each.measured.items()
    ]
    return html_page.table(["model", "split", *(title for title, _ in NUMBERS.values())], rows, left=2)


def _number(numbers: dict[str, Any], key: str, form: str) -> str:
    # The entropy floor is only meaningful for a loss in nats.
    beside = "nats_per_image" if key == "entropy_floor_nats" else key
    return "–" if numbers[beside] is None else f"{numbers[key]:{form}}"


def _origin(demo: DemoReport) -> str:
    settings = [config.to_flat(each.run.config) for each in demo.examined]
    rows = [[title, *(_setting(each.get(name)) for each in settings)] for name, title in _titles(demo).items()]
    origins = [each.run.provenance for each in demo.examined]
    for name in dict.fromkeys(name for origin in origins for name in origin["versions"]):
        rows.append([f"{name} version", *(origin["versions"].get(name, "–") for origin in origins)])
    rows.append(["Device", *(origin["device"] for origin in origins)])
    rows.append(["Fingerprint of the images", *(origin["data"]["fingerprint"][:16] for origin in origins)])
    rows.append(["Run", *(each.run.name for each in demo.examined)])
    return html_page.table(["", *(each.title for each in demo.examined)], rows, left=1 + len(demo.examined))


def _titles(demo: DemoReport) -> dict[str, str]:
    """Return the title and unit of every setting of the runs, in the order of the settings form."""
    kinds: dict[type[config.Section], None] = {}
    for part in config.RunConfig.model_fields:
        kinds |= {type(getattr(each.run.config, part)): None for each in demo.examined}
    specs = [spec for kind in kinds for spec in config.list_fields(kind)]
    return {"model": "Model"} | {spec.name: f"{spec.title}, {spec.unit}".rstrip(", ") for spec in specs}


def _setting(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return {"True": "yes", "False": "no", "None": "–"}.get(str(value), str(value))


def _plain(name: str) -> str:
    return name.replace("_", " ")
