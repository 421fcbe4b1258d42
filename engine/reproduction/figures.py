"""Figures 5 to 13 of the study, each with its number, title and caption."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from engine import backend, metrics
from engine.config import TrainingConfig
from engine.durable import write_output
from engine.evaluation import scoring
from engine.figures import base, image_strips, mosaic, search
from engine.figures.image_strips import Strip
from engine.figures.mosaic import Tile
from engine.figures.search import EffectEstimate, Ranked, ReferenceLine, SearchAxis, SearchFigure
from engine.reproduction import denoise_figures, published
from engine.reproduction.evaluator import StudyResults
from engine.reproduction.tables import setting_title
from engine.reproduction.trials import SearchSummary, StudyRun
from engine.reproduction.trials import ranked as by_rank
from engine.search import statistics
from engine.search.space import AnyDimension, Categorical
from engine.study_folder import StudyFolder

CURVES = 10
SEARCHED = 5
ALGORITHMS = {
    "bayesian": (
        "Configurations were proposed by a Bayesian search, each once; the first ones were random, three for "
        "each setting."
    ),
    "random": "Configurations were drawn at random, each once.",
    "grid": "Configurations are the points of the search space, in order.",
    "hyperband": "Configurations were proposed by Hyperband: many short trials, of which the best third continued.",
}
GRAY = "Display range: 0 (black) to 1 (white)."
SIGNED = (
    "All differences share one scale that covers 99.5% of their pixels: orange where the output is brighter than "
    "the original, blue where it is darker."
)
TOO_FEW_TRIALS = "Too few trials to estimate the effects of the settings."
EFFECTS_NOTE = (
    "Right: change of the loss from a setting's lowest to its highest value with the others held constant, from "
    "a linear fit over the trials with 95% bootstrap intervals; pale where the 95% interval includes zero. The "
    "search chose where to sample, so this is not a controlled experiment; with few trials the intervals are "
    "wide."
)


@dataclass(frozen=True)
class StudyFigure:
    """A figure of the study, whose key names its files."""

    key: str
    title: str
    caption: str
    figure: Figure

    def write(self, study: StudyFolder) -> dict[str, Any]:
        """Write PNG and PDF; return its entry in study.json."""
        study.figures.mkdir(exist_ok=True)
        files = {"png": f"figures/{self.key}.png", "pdf": f"figures/{self.key}.pdf"}
        write_output(study.path / files["png"], base.png(self.figure))
        write_output(study.path / files["pdf"], base.pdf(self.figure))
        return {"kind": "figure", "key": self.key, "title": self.title, "caption": self.caption, "files": files}


Draw = Callable[[StudyResults], StudyFigure | None]


def figure_builders() -> list[Draw]:
    """Return the functions that draw the figures, in order; one returns None if there is nothing to draw."""
    return [
        lambda findings: _curves(5, "ae", findings),
        lambda findings: _curves(6, "vae", findings),
        lambda findings: _search(7, "ae", findings),
        lambda findings: _search(8, "vae", findings),
        lambda findings: _reconstructions(9, "ae", findings),
        lambda findings: _reconstructions(10, "vae", findings),
        lambda findings: _layers(11, "ae", findings),
        lambda findings: _layers(12, "vae", findings),
        _denoising,
        _break_even,
    ]


def _make_figure(number: int, caption: str, figure: Figure) -> StudyFigure:
    return StudyFigure(f"figure-{number:02d}", published.figure_title(number), caption, figure)


def _curves(number: int, model: str, findings: StudyResults) -> StudyFigure:
    trials = by_rank(findings.trials, model)[:CURVES]
    unit = trials[0].config.model.loss_unit
    runs = [
        Ranked(
            f"{place}. {trial.title} · {_loss(trial)}",
            [row["epoch"] for row in trial.rows],
            [row["loss"] for row in trial.rows],
            [row["val_loss"] for row in trial.rows],
        )
        for place, trial in enumerate(trials, 1)
    ]
    published_result = published.claim(model)
    levels = [
        ReferenceLine("reference study's best", published_result.nats_per_image if unit else published_result.loss)
    ]
    if unit:
        floor = findings.best[model].measured["validation"]["entropy_floor_nats"]
        levels.append(ReferenceLine("entropy floor of the validation images", floor))
    caption = (
        f"Loss per image after each epoch: training left, validation right. {_how_many(trials, findings)} The "
        "best run is highlighted; its settings and lowest validation loss come first in the legend. Dotted "
        "horizontal line: the reference study's best loss."
    )
    label = f"{unit} per image" if unit else "mean squared error"
    return _make_figure(number, caption, search.draw_ranked_curves(runs, label, levels, log=not unit))


def _loss(trial: StudyRun) -> str:
    return f"{trial.loss:,.1f} nats" if trial.config.model.loss_unit else f"{trial.loss:.5f}"


def _how_many(trials: Sequence[StudyRun], findings: StudyResults) -> str:
    if findings.chosen.quick:
        return "One run with the reference study's best settings; there was no search, so there is no top ten."
    done = len(by_rank(findings.trials, trials[0].model))
    return f"The {len(trials)} best of {done} trials, by validation loss."


def _search(number: int, model: str, findings: StudyResults) -> StudyFigure | None:
    searched = findings.searches.get(model)
    if searched is None or len(searched.scored) < SEARCHED:
        return None
    unit = "validation nats" if findings.best[model].trial.config.model.loss_unit else "validation MSE"
    figure = draw_search_of(searched, unit)
    weighed = EFFECTS_NOTE if len(figure.axes) > 1 else TOO_FEW_TRIALS
    caption = (
        f"Each line is one of {len(searched.scored)} trials, from its settings to its lowest validation loss; the "
        f"best is the brightest. {ALGORITHMS[searched.settings.algorithm]} {weighed}"
    )
    return _make_figure(number, caption, figure)


def draw_search_of(searched: SearchSummary, unit: str) -> Figure:
    """Draw a search; with the effects of the settings if there are enough trials.

    Args:
        searched: the search.
        unit: unit of the scores.
    """
    dimensions = searched.space.dimensions
    places = np.array([[_axis_position(each, values) for each in dimensions] for values, _ in searched.scored])
    losses = np.array([score for _, score in searched.scored])
    weighed = statistics.hyperparameter_importances(searched.space, searched.scored) or []
    effects = [EffectEstimate(_title(each.name), each.effect, each.low, each.high) for each in weighed]
    relative = all(each.is_relative for each in weighed)
    return search.draw_search(SearchFigure([*map(_scale, dimensions)], places, losses, unit, effects, relative))


def _title(name: str) -> str:
    return setting_title(name).lower()


def _scale(dimension: AnyDimension) -> SearchAxis:
    if isinstance(dimension, Categorical):
        values = [*dimension.values]
    else:
        values = [dimension.from_unit(share) for share in (0.0, 0.5, 1.0)]
    ticks = [(_axis_position(dimension, {dimension.name: value}), statistics.format_value(value)) for value in values]
    return SearchAxis(_title(dimension.name), ticks)


def _axis_position(dimension: AnyDimension, values: Mapping[str, Any]) -> float:
    """Return the position of a trial's value on its axis; nan if the setting was inactive."""
    if dimension.name not in values:
        return float("nan")
    features: NDArray[np.float64] = np.array(dimension.features(values[dimension.name]))
    if len(features) == 1:
        return float(features[0])
    return float(features.argmax()) / max(len(features) - 1, 1)


def _reconstructions(number: int, model: str, findings: StudyResults) -> StudyFigure:
    which, best = findings.shown(), findings.best[model]
    originals = findings.images.test.read(which)
    made = scoring.reconstruct(best.model, originals)
    decibels = [f"{value:.1f} dB" for value in metrics.psnr_db(originals, made)]
    rows = [
        Strip("original", list(originals[..., 0])),
        Strip(model.upper(), list(made[..., 0]), notes=decibels),
        Strip("difference", list(made[..., 0] - originals[..., 0]), signed=True),
    ]
    caption = (
        f"{_scans(findings)} reconstructed by {best.trial.run.name}, evenly spaced over the set and not selected "
        f"by appearance. {GRAY} {SIGNED}"
    )
    return _make_figure(number, caption, image_strips.strips(rows, [findings.class_of(int(index)) for index in which]))


def _scans(findings: StudyResults) -> str:
    if findings.split == "test_clean":
        return "Deduplicated test images,"
    return "Test images (all of them also in the training or validation set),"


def _layers(number: int, model: str, findings: StudyResults) -> StudyFigure:
    best, index = findings.best[model], int(findings.shown()[0])
    settings = TrainingConfig(backend=backend.find_backend(best.trial.config.training.backend), deterministic=False)
    activations = backend.import_on_backend("engine.analysis.activations", settings).compute(
        best.model, findings.images.test.read([index])
    )
    tiles = [Tile("image", findings.images.test.read([index])[0])]
    tiles += [Tile(name, activation[0]) for name, activation in activations.items()]
    caption = (
        f"One test image ({findings.class_of(index)}) through every layer of {best.trial.run.name}, from input to "
        "output: all channels of a layer side by side. Each layer has its own scale, given below it, which "
        "covers 99.5% of its values: blue below zero, orange above; layers without negative values run from "
        "black (0) to white."
    )
    return _make_figure(number, caption, mosaic.draw_mosaic(tiles))


def _denoising(findings: StudyResults) -> StudyFigure:
    caption = (
        f"{_scans(findings)} with Gaussian noise of SD σ added and clipped to 0–1. Below each image: its PSNR "
        "against the noise-free image. The output shows what the model can represent, with or without noise; at "
        f"low noise it is worse than its input. {GRAY} {SIGNED}"
    )
    return _make_figure(13, caption, denoise_figures.pictures(findings))


def _break_even(findings: StudyResults) -> StudyFigure:
    parts = [f"{model.upper()} {_format_sigma(best.sweep.break_even)}" for model, best in findings.best.items()]
    count = findings.best["ae"].sweep.count
    caption = (
        f"Mean squared error against {count:,} noise-free images, before and after the model, by noise level. "
        f"Break-even, below which the model increases the error: {', '.join(parts)}. Dotted lines: errors of the "
        "models on images without noise."
    )
    return StudyFigure(
        "figure-13-break-even", "Figure 13 b. Break-even noise level", caption, denoise_figures.break_even(findings)
    )


def _format_sigma(sigma: float | None) -> str:
    return "not reached" if sigma is None else f"σ = {sigma:.3f}"


def each(findings: StudyResults) -> Iterator[StudyFigure]:
    """Yield the figures as they are drawn."""
    for draw in figure_builders():
        drawn = draw(findings)
        if drawn is not None:
            yield drawn
