"""Report on runs: their images, learning curves, reconstructions, metrics beside baselines, lesions and settings."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import config, evaluation, metrics, pairs
from engine.arrays import Images
from engine.colors import SERIES
from engine.data import Dataset, Split
from engine.data.audit import find_exact_duplicates
from engine.denoising.lesion_selection import locate_lesions, select_scans
from engine.denoising.noise_sweep import SweepSpec, run_sweep
from engine.evaluation import interpretation, scoring
from engine.evaluation.evaluator import bootstrap_interval
from engine.evaluation.interpretation import METRICS_NOTE, NUMBERS, RECONSTRUCTION_WARNING, describe_noise
from engine.evaluation.lesion_boxes import load_boxes
from engine.figures import base
from engine.formatting import DASH, format_source
from engine.job_context import UNATTENDED, JobContext
from engine.protocols import ImageModel
from engine.reports.document import Block, CodeBlock, FigureBlock, Report, ReportSection, TableBlock
from engine.runs import Run

SHOWN: Final = 5
MAX_LESIONS_IMAGES: Final = 200
RIM_PX: Final = 4
LESIONS_NOTE = (
    "Contrast of the lesion in the reconstruction over its contrast in the image, mean over {count} lesions in "
    "{images} deduplicated test images; lesions with a contrast below 0.05 are left out. Interval: 95%, from a "
    "bootstrap of the lesions."
)


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """A run and what was measured of it.

    Args:
        run: the run.
        measured: splits, baselines and notes, from `engine.evaluation.evaluate_with_references`.
        reconstructed: (n, size, size, 1), its reconstructions of the shown images.
        retention: (lesions,), lesion contrast retained; None if no lesion is known.
    """

    run: Run
    measured: dict[str, Any]
    reconstructed: Images
    retention: NDArray[np.float64] | None = None

    @property
    def title(self) -> str:
        """Return the short name of the model, and the run's name."""
        return f"{self.run.config.model.model.upper()} ({self.run.name})"

    @property
    def splits(self) -> dict[str, dict[str, Any]]:
        """Return its metrics for each split."""
        return dict(self.measured["splits"])


@dataclass(frozen=True, eq=False)
class EvaluatedDataset:
    """Runs that were trained on the same prepared images.

    Args:
        images: the images.
        shown: indices of the shown images in `split`.
        split: the split of the shown images.
        examined: the runs.
        lesion_images: number of images with lesions that retention was measured on.
    """

    images: Dataset
    shown: Sequence[int]
    split: str
    examined: Sequence[EvaluatedRun]
    lesion_images: int = 0


def examine_runs(runs: Sequence[Run], context: JobContext = UNATTENDED) -> list[EvaluatedDataset]:
    """Evaluate runs; those with the same images and preparation come together.

    Raises:
        EngramError: a run has no model, or its images cannot be read.
        Cancelled: the caller asked to stop.
    """
    by_data: dict[config.DataConfig, list[Run]] = {}
    for run in runs:
        by_data.setdefault(run.config.data, []).append(run)
    return [_examine(group, context) for group in by_data.values()]


def _examine(runs: Sequence[Run], context: JobContext) -> EvaluatedDataset:
    images = evaluation.load_dataset(runs[0], context=context)
    split = next(name for name in ("test", "validation", "train") if len(images.splits[name]))
    models = [evaluation.load_model(run) for run in runs]
    shown = _choose_images(models[0], images, split)
    lesions = _find_lesions(images)
    examined = [
        EvaluatedRun(
            run,
            evaluation.evaluate_with_references(run, images, context=context),
            scoring.reconstruct(model, _read_inputs(images.splits[split], shown, run.config.noise)),
            _measure_retention(model, lesions, context),
        )
        for run, model in zip(runs, models, strict=True)
    ]
    return EvaluatedDataset(images, shown, split, examined, len(lesions.images) if lesions else 0)


def _read_inputs(part: Split, shown: Sequence[int], noise: config.NoiseConfig) -> Images:
    """Return what a model is given of some images, as in its metrics: with noise if it learned to denoise."""
    originals = part.read(np.asarray(shown))
    return originals if noise.noise == "none" else pairs.NoisyImages(part, noise).inputs(originals, shown)


def _choose_images(model: ImageModel, images: Dataset, split: str) -> list[int]:
    """Return images evenly spaced over a split, then the one with the largest reconstruction error."""
    part = images.splits[split]
    even = np.unique(np.linspace(0, len(part) - 1, min(SHOWN, len(part))).round().astype(int)).tolist()
    worst = int(np.argmax(scoring.score(model, part)["mse"]))
    return [index for index in even if index != worst] + [worst]


def _find_lesions(images: Dataset) -> SweepSpec | None:
    """Return the lesions in the deduplicated test images, from the masks or boxes of their folder; None without any."""
    if not np.sum(~images.leaked):
        return None
    chosen = select_scans(images, "test_clean", [], MAX_LESIONS_IMAGES)
    found, _ = locate_lesions(chosen, load_boxes(images, chosen.names, None), RIM_PX)
    return SweepSpec(chosen.read(), (0.0,), lesions=found) if found else None


def _measure_retention(model: ImageModel, lesions: SweepSpec | None, context: JobContext) -> NDArray[np.float64] | None:
    if lesions is None or not lesions.measurable.any():
        return None
    swept = run_sweep(lambda images: scoring.reconstruct(model, images), lesions, context, with_ssim=False)
    return np.asarray(swept.retention[0][lesions.measurable])


def describe_runs(found: Sequence[EvaluatedDataset], title: str, lead: str, advice: Sequence[str]) -> Report:
    """Return the report on evaluated runs.

    Args:
        found: from `examine_runs`.
        title: its title.
        lead: a sentence below it.
        advice: commands for the next steps.
    """
    sections = [
        ReportSection("Read first", _list_caveats(found), is_warning=True),
        ReportSection("Summary", _summarize(found)),
    ]
    for each in found:
        suffix = f": {format_source(each.images.source)}, {each.images.config.size} px" if len(found) > 1 else ""
        sections += _describe_dataset(each, suffix)
    sections.append(ReportSection("Settings and provenance", [_list_settings(found)]))
    sections.append(ReportSection("Next steps", [CodeBlock(advice)]))
    return Report(title, lead, sections)


def _describe_dataset(found: EvaluatedDataset, suffix: str) -> list[ReportSection]:
    lesions = _describe_lesions(found)
    return [
        ReportSection(f"Images{suffix}", [_draw_samples(found), _count_images(found), *_describe_audit(found)]),
        ReportSection(f"Learning curves{suffix}", [_draw_curves(found)]),
        ReportSection(f"Reconstructions{suffix}", [_draw_reconstructions(found)]),
        ReportSection(f"Metrics{suffix}", [_list_numbers(found), METRICS_NOTE, *_list_notes(found)]),
        *([ReportSection(f"Lesions{suffix}", lesions)] if lesions else []),
    ]


def _list_caveats(found: Sequence[EvaluatedDataset]) -> list[str]:
    said = [RECONSTRUCTION_WARNING]
    for each in found:
        said += filter(None, [each.images.patients.note, interpretation.leakage(each.images)])
    if len(found) > 1:
        said.append("The runs were trained on different images or preparations: compare numbers within a section only.")
    return list(dict.fromkeys(said))


def _summarize(found: Sequence[EvaluatedDataset]) -> list[str]:
    sentences = []
    for each in found:
        size = each.images.config.size**2
        for run in each.examined:
            model, part, train = run.run.config.model, run.splits[each.split], run.splits.get("train")
            kept = model.latent_size
            through = f"{size:,} pixels → {kept:,} latent values" if kept else f"{size:,} pixels, no bottleneck"
            given = describe_noise(run.run.config.noise)
            learned = f"; on the training images MSE {train['mse']:.4f}" if train else ""
            sentences.append(
                f"{config.model_title(model.model)} ({run.run.name}): {through}. "
                f"On the {part['n']:,} {each.split} images{given}: PSNR {part['psnr_db']:.1f} dB, "
                f"SSIM {part['ssim']:.2f}, MSE {part['mse']:.4f}{learned}."
            )
    return sentences


def _draw_samples(found: EvaluatedDataset) -> FigureBlock:
    train = found.images.train
    rows = {name: np.flatnonzero(train.labels == number) for number, name in enumerate(found.images.classes)}
    rows = {name: places for name, places in rows.items() if len(places)} or {"images": np.arange(len(train))}
    count = min(6, *(len(places) for places in rows.values()))
    columns = [
        base.Column("", [train.read([places[number]])[0, ..., 0] for places in rows.values()])
        for number in range(count)
    ]
    figure = base.grid(columns, [_plain(name) for name in rows], cell_inches=1.2)
    return FigureBlock(figure, "The first training images of each class, as the model sees them.")


def _count_images(found: EvaluatedDataset) -> TableBlock:
    counts, splits = found.images.counts(), found.images.splits
    rows = [[_plain(name), *(f"{line[split]:,}" for split in splits)] for name, line in counts.items()]
    rows.append(["all", *(f"{len(part):,}" for part in splits.values())])
    patients = found.images.patients
    if patients.patients:
        rows.append(["patients", *(f"{patients.by_split.get(split, 0):,}" for split in splits)])
    return TableBlock(["class", *splits], rows)


def _describe_audit(found: EvaluatedDataset) -> list[Block]:
    """Return what is known of copies among the images, and their fingerprint."""
    splits = find_exact_duplicates(found.images)["splits"]
    repeated = sum(part["redundant"] for part in splits.values())
    return [
        f"Exact copies: {splits['test']['test_in_train']:,} test images are also in training or validation, "
        f"{repeated:,} images repeat another one of their own split.",
        f"Fingerprint of the images: {found.images.fingerprint[:16]}.",
    ]


def _draw_curves(found: EvaluatedDataset) -> FigureBlock:
    figure = base.curves([_chart(each, SERIES[number % len(SERIES)]) for number, each in enumerate(found.examined)])
    caption = (
        "Loss per image after each epoch: training solid, validation dashed. The model of the best epoch is saved."
    )
    return FigureBlock(figure, caption)


def _chart(each: EvaluatedRun, color: str) -> base.Chart:
    rows, unit = each.run.history(), each.run.config.model.loss_unit
    epochs = [row["epoch"] for row in rows]
    curves = [
        base.Curve("training", epochs, [row["loss"] for row in rows]),
        base.Curve("validation", epochs, [row["val_loss"] for row in rows], dashed=True),
    ]
    floor = each.splits.get("validation", {}).get("entropy_floor_nats") if unit else None
    label = f"{unit} per image" if unit else "mean squared error"
    return base.Chart(each.title, label, curves, each.run.best_epoch(), floor, color, log=not unit)


def _draw_reconstructions(found: EvaluatedDataset) -> FigureBlock:
    part = found.images.splits[found.split]
    originals = part.read(np.asarray(found.shown))[..., 0]
    labels = [part.labels[index] for index in found.shown]
    rows = [
        _plain(found.images.classes[label]) if label >= 0 else _name_image(part.names[index], found.images)
        for index, label in zip(found.shown, labels, strict=True)
    ]
    columns = [base.Column("original", list(originals))]
    for each in found.examined:
        made = each.reconstructed[..., 0]
        notes = [f"{value:.1f} dB" for value in metrics.psnr_db(originals, made)]
        columns.append(base.Column(each.title, list(made), notes=notes))
    for each in found.examined:
        title = f"{each.run.config.model.model.upper()} − original"
        columns.append(base.Column(title, list(each.reconstructed[..., 0] - originals), signed=True))
    caption = (
        f"Images of the {found.split} set, evenly spaced and not selected by appearance; the last row is the one "
        f"with the highest MSE for {found.examined[0].title}. Display range: 0 (black) to 1 (white). All "
        "differences share one scale that covers 99.5% of their pixels: orange where the reconstruction is "
        "brighter than the original, blue where it is darker. A model that learned to denoise is given the image "
        "with noise."
    )
    return FigureBlock(base.grid(columns, rows), caption)


def _name_image(name: str, images: Dataset) -> str:
    """Return a name for an image that says nothing of a patient: that of a generated one, or a short hash."""
    digest = hashlib.sha256(name.encode(errors="replace")).hexdigest()
    return name if images.source == "phantom" else f"image {digest[:6]}"


def _list_numbers(found: EvaluatedDataset) -> TableBlock:
    """Return the metrics of each run and, below it on each split, of its baselines."""
    rows = []
    for each in found.examined:
        beside = each.measured["yardsticks"]
        for split, numbers in each.splits.items():
            rows.append([each.title, split, *_format_numbers(numbers)])
            for name, parts in beside.items():
                if split in parts and (name != "identity" or parts[split]["mse"]):
                    rows.append([_name_baseline(name, parts[split]), split, *_format_numbers(parts[split])])
    head = ["model", "split", *(title for title, _ in NUMBERS.values())]
    kept = [place for place in range(len(head)) if any(row[place] != DASH for row in rows)]
    return TableBlock([head[place] for place in kept], [[row[place] for place in kept] for row in rows], left=2)


def _name_baseline(name: str, numbers: dict[str, Any]) -> str:
    names = {"mean": "mean image", "identity": "input without denoising"}
    return names.get(name) or f"PCA-{numbers['components']}"


def _format_numbers(numbers: dict[str, Any]) -> list[str]:
    # The entropy floor is only meaningful for a loss in nats.
    beside = {"entropy_floor_nats": "nats_per_image"}
    return [
        DASH if numbers.get(beside.get(key, key)) is None else f"{numbers[key]:{form}}"
        for key, (_, form) in NUMBERS.items()
    ]


def _list_notes(found: EvaluatedDataset) -> list[str]:
    notes = [note for each in found.examined for note in each.measured["notes"]]
    return [note for note in dict.fromkeys(notes) if note not in _list_caveats([found])]


def _describe_lesions(found: EvaluatedDataset) -> list[Block]:
    measured = [(each, each.retention) for each in found.examined if each.retention is not None]
    if not measured:
        return []
    rows = []
    for each, retention in measured:
        limits = bootstrap_interval(retention, [str(number) for number in range(len(retention))])
        interval = f"{100 * limits[0]:.0f} to {100 * limits[1]:.0f}" if limits else DASH
        shares = retention.mean(), np.mean(retention < 0.5), retention.min()
        kept, half, least = (f"{100 * float(share):.0f}" for share in shares)
        rows.append([each.title, kept, interval, half, least])
    head = ["model", "contrast retained (%)", "95% CI", "lesions below 50% (%)", "least (%)"]
    note = LESIONS_NOTE.format(count=len(measured[0][1]), images=found.lesion_images)
    return [TableBlock(head, [[cell.replace("-", "−") for cell in row] for row in rows]), note]


def _list_settings(found: Sequence[EvaluatedDataset]) -> TableBlock:
    examined = [each for group in found for each in group.examined]
    settings = [config.to_flat(each.run.config) for each in examined]
    for each in settings:
        for name in ("source", "groups"):
            each[name] = format_source(str(each[name]))
    rows = [[title, *(_setting(each.get(name)) for each in settings)] for name, title in _titles(examined).items()]
    origins = [each.run.provenance for each in examined]
    for name in dict.fromkeys(name for origin in origins for name in origin.get("versions", {})):
        rows.append([f"{name} version", *(origin.get("versions", {}).get(name, DASH) for origin in origins)])
    rows.append(["Device", *(origin.get("device", DASH) for origin in origins)])
    rows.append(["Images of the training", *(_read_fingerprint(origin) for origin in origins)])
    rows.append(["Run", *(each.run.name for each in examined)])
    return TableBlock(["", *(each.title for each in examined)], rows, left=1 + len(examined))


def _read_fingerprint(origin: dict[str, Any]) -> str:
    return str(origin.get("data", {}).get("fingerprint", DASH))[:16]


def _titles(examined: Sequence[EvaluatedRun]) -> dict[str, str]:
    """Return the title and unit of every setting of the runs, in the order of the settings form."""
    kinds: dict[type[config.Section], None] = {}
    for part in config.RunConfig.model_fields:
        kinds |= {type(getattr(each.run.config, part)): None for each in examined}
    specs = [spec for kind in kinds for spec in config.list_fields(kind)]
    return {"model": "Model"} | {spec.name: f"{spec.title}, {spec.unit}".rstrip(", ") for spec in specs}


def _setting(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return {"True": "yes", "False": "no", "None": DASH}.get(str(value), str(value))


def _plain(name: str) -> str:
    return name.replace("_", " ")
