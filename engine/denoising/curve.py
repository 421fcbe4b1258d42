"""Denoising curves: runs and baselines over the noise level, on images with lesions. The job behind `denoise-curve`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import config, evaluation
from engine.config import DenoiseConfig
from engine.data import Dataset
from engine.denoising import break_even, lesion_selection, methods, noise_sweep
from engine.denoising.lesion_selection import ScanSelection
from engine.denoising.methods import Method
from engine.denoising.noise_sweep import SweepResult, SweepSpec
from engine.errors import ConfigError
from engine.evaluation import evaluator, lesion_boxes
from engine.evaluation.evaluator import CLEAN
from engine.job_context import UNATTENDED, JobContext
from engine.lesions.boxes import require_table
from engine.runs import Run

SIGMAS = tuple(level / 255 for level in (0, 5, 10, 15, 25, 35, 50))
WORST = 3


@dataclass(frozen=True)
class CurveRequest:
    """Request for denoising curves.

    Args:
        runs: runs with the models; at least one.
        settings: kind and seed of the noise, rim, least retention; its sigma is not used.
        source: images to measure on; the first run's own if None.
        sigmas: noise levels; level 0, the noise-free images, is always added.
        against: baselines, keys of `engine.denoising.baselines.BASELINES`.
        part: part of the dataset.
        boxes: a table of lesion boxes; None for the masks or boxes beside the images, if there are any.
        most: maximum number of images; 0 is no limit.
        mask_label: value of the pixels of masks that are lesion; None for all that differ from the background.
    """

    runs: Sequence[Run]
    settings: DenoiseConfig
    source: str | None = None
    sigmas: Sequence[float] = SIGMAS
    against: Sequence[str] = ()
    part: str = CLEAN
    boxes: Path | None = None
    most: int = 0
    mask_label: int | None = None


@dataclass(frozen=True, eq=False)
class CurveResult:
    """Result: curves by method, in the order of display, and everything else as plain numbers."""

    methods: Mapping[str, Method]
    curves: Mapping[str, SweepResult]
    conditions: SweepSpec
    content: dict[str, Any]


def run_curve(order: CurveRequest, context: JobContext = UNATTENDED) -> CurveResult:
    """Run every method on the same noisy images.

    Raises:
        ConfigError: the runs use different preprocessing, or the levels are not valid.
        EngramError: a run has no model, or images or boxes cannot be read.
        Cancelled: the caller asked to stop.
    """
    if order.settings.noise == "none":
        raise ConfigError("A curve needs noise to add.", "Choose a noise type, such as gaussian or rician.")
    require_table(order.boxes)
    first, loaded = order.runs[0], []
    for run in order.runs:
        _check_alike(first, run)
        loaded.append(evaluation.load_dataset(run, order.source, context=context))
    chosen = lesion_selection.select_scans(loaded[0], order.part, loaded[1:], order.most)
    boxes = lesion_boxes.load_boxes(loaded[0], chosen.names, order.boxes, order.mask_label)
    if order.boxes:
        lesion_boxes.require_boxes(boxes, order.part, chosen.names)
    placed, problems = lesion_selection.locate_lesions(chosen, boxes, order.settings.rim)
    sigmas = _levels(order.sigmas)
    conditions = SweepSpec(chosen.read(), sigmas, order.settings.noise, order.settings.seed, placed)
    compared, missing = _collect_methods(order, loaded[0], context)
    curves = {
        name: noise_sweep.run_sweep(method.denoise, conditions, context.with_title(f"Denoising with {method.title}"))
        for name, method in compared.items()
    }
    content = _curve_to_dict(order, chosen, conditions) | {"missing": missing, "problems": [*boxes.problems, *problems]}
    content["methods"] = {name: _numbers(order, compared[name], curves, conditions) for name in curves}
    return CurveResult(compared, curves, conditions, content)


def _collect_methods(
    order: CurveRequest, images: Dataset, context: JobContext
) -> tuple[Mapping[str, Method], dict[str, str]]:
    wanted = methods.wants_components(order.against)
    linear = methods.components(images, order.runs, context) if wanted else None
    beside, missing = methods.from_filters(order.against, linear)
    return methods.by_name([methods.identity_method(), *map(methods.from_run, order.runs), *beside]), missing


def _check_alike(first: Run, run: Run) -> None:
    for name in ("size", "fit", "normalisation"):
        mine, other = getattr(first.config.data, name), getattr(run.config.data, name)
        if mine != other:
            title = next(spec.title for spec in config.list_fields(config.DataConfig) if spec.name == name).lower()
            raise ConfigError(
                f"{first.name} and {run.name} use different preprocessing: {title} {mine} and {other}.",
                "Measure them in two separate calls.",
            )


def _levels(sigmas: Sequence[float]) -> tuple[float, ...]:
    """Return the levels, rising from 0."""
    wanted = {0.0, *map(float, sigmas)}
    if len(wanted) < 2 or not all(0 <= sigma <= 1 for sigma in wanted):
        raise ConfigError(
            "Noise levels (--sigmas) must be numbers from 0 to 1, with at least one above 0.", "For example: 0.04,0.1."
        )
    return tuple(sorted(wanted))


def _curve_to_dict(order: CurveRequest, chosen: ScanSelection, conditions: SweepSpec) -> dict[str, Any]:
    return {
        "source": chosen.images.source,
        "part": chosen.part,
        "scans": len(chosen.rows),
        "left_out": chosen.left_out,
        "patient_note": chosen.images.patients.note_on(chosen.part),
        "noise": order.settings.noise,
        "seed": order.settings.seed,
        "sigmas": list(conditions.sigmas),
        "rim": order.settings.rim,
        "least_retention": order.settings.least_retention,
        "least_contrast": noise_sweep.LEAST_CONTRAST,
        "lesions": len(conditions.lesions),
        "measurable_lesions": int(conditions.measurable.sum()) if conditions.lesions else 0,
    }


def _numbers(
    order: CurveRequest, method: Method, curves: Mapping[str, SweepResult], conditions: SweepSpec
) -> dict[str, Any]:
    """Return means with 95% intervals at each level, the break-even level, and the lesions with the least contrast."""
    curve, nothing = curves[method.name], curves[methods.NOTHING]
    found: dict[str, Any] = {"title": method.title, "kind": method.kind}
    for measure in ("mse", "psnr_db", "ssim"):
        found |= _means(measure, getattr(curve, measure))
    if method.name != methods.NOTHING:
        found["break_even"] = noise_sweep.summarize(curve, nothing).break_even
        found["break_even_interval"] = break_even.bootstrap_interval(curve.sigmas, nothing.mse, curve.mse)
        found["expected_break_even"] = noise_sweep.summarize(curve, nothing).expected
    if conditions.lesions:
        which = conditions.measurable
        found |= _means("retention", curve.retention[:, which]) | _means("pattern", curve.pattern[:, which])
        least = order.settings.least_retention
        below = (curve.retention < least) | (curve.pattern < least)
        found["lesions_below"] = below[:, which].sum(axis=1).tolist()
        found["worst"] = [_worst_lesions(conditions, kept, order.settings.seed) for kept in curve.retention]
    return found


def _means(measure: str, values: NDArray[np.float64]) -> dict[str, Any]:
    return {
        measure: [evaluator.mean(row) for row in values],
        f"{measure}_interval": [evaluator.confidence_interval(row) for row in values],
    }


def _worst_lesions(conditions: SweepSpec, kept: NDArray[np.float64], seed: int) -> list[dict[str, Any]]:
    """Return the measurable lesions with the least retained contrast, with image, region and seed to reproduce each."""
    order = [int(place) for place in np.argsort(kept) if conditions.measurable[place]][:WORST]
    found = []
    for place in order:
        lesion = conditions.lesions[place]
        rows, columns = np.nonzero(lesion.mask)
        corner = [int(columns.min()), int(rows.min())]
        roi = [*corner, int(columns.max()) + 1 - corner[0], int(rows.max()) + 1 - corner[1]]
        facts = {"contrast": float(conditions.contrasts[place]), "retention": float(kept[place])}
        found.append({"scan": lesion.name, "roi": roi, "seed": seed + lesion.scan, **facts})
    return found
