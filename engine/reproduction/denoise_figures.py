"""The two parts of Figure 13: noisy images with the models' outputs, and errors before and after."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from engine import metrics
from engine.colors import CARD, LINE, QUIET, SERIES, TEXT
from engine.evaluation import scoring
from engine.figures import base
from engine.figures.base import DPI, Column
from engine.reproduction.evaluator import StudyResults, add_noise

SHOWN_SIGMAS = (0.03, 0.1, 0.2)
SHOWN_SCANS = 2
# Points from a break-even point to its label, so that two near ones stay legible.
ASIDE = (9, -15), (-58, 9)


def pictures(findings: StudyResults) -> Figure:
    """Draw a few images, each with little, some and much noise: input, output, difference from the noise-free image."""
    which = findings.shown(SHOWN_SCANS + 2)[1 : 1 + SHOWN_SCANS]
    which = which if len(which) else findings.shown(1)
    scans = findings.images.test.read(which)
    clean = np.repeat(scans, len(SHOWN_SIGMAS), axis=0)
    given = np.concatenate(
        [add_noise(scan[None], sigma) for scan in scans for sigma in SHOWN_SIGMAS]  # one image, three levels
    )
    rows = [f"σ = {sigma:g}" for _ in scans for sigma in SHOWN_SIGMAS]
    columns = [Column("noise-free", _flat(clean)), Column("noisy input", _flat(given), notes=_decibels(clean, given))]
    made = {model: scoring.reconstruct(best.model, given) for model, best in findings.best.items()}
    for model, output in made.items():
        columns.append(Column(f"{model.upper()} output", _flat(output), notes=_decibels(clean, output)))
    for model, output in made.items():
        columns.append(Column(f"{model.upper()} − noise-free", _flat(output - clean), signed=True))
    return base.grid(columns, rows, cell_inches=1.35)


def _flat(images: NDArray[Any]) -> list[NDArray[Any]]:
    return list(images[..., 0])


def _decibels(clean: NDArray[Any], images: NDArray[Any]) -> list[str]:
    return [f"{value:.1f} dB" for value in metrics.psnr_db(clean, images)]


def break_even(findings: StudyResults) -> Figure:
    """Draw the errors of the noisy images and of each model's outputs over the noise level."""
    figure = Figure((7.6, 3.9), dpi=DPI, facecolor=CARD, layout="constrained")
    axes = figure.subplots()
    sweeps = {model: best.sweep for model, best in findings.best.items()}
    first = next(iter(sweeps.values()))
    axes.plot(first.sigmas, first.noisy_mse, color=TEXT, lw=1.8, label="noisy input (no denoising)")
    for (model, sweep), shade, aside in zip(sweeps.items(), SERIES, ASIDE, strict=False):
        axes.plot(sweep.sigmas, sweep.output_mse, color=shade, lw=1.8, label=f"{model.upper()} output")
        axes.axhline(sweep.clean_mse, color=shade, lw=1, linestyle=":")
        if sweep.break_even is not None:
            height = float(np.exp(np.interp(np.log(sweep.break_even), np.log(sweep.sigmas), np.log(sweep.noisy_mse))))
            axes.plot([sweep.break_even], [height], "D", color=shade, ms=6, zorder=5)
            label = f"σ = {sweep.break_even:.3f}"
            axes.annotate(label, (sweep.break_even, height), aside, textcoords="offset points", color=TEXT, fontsize=8)
    for scale, axis in ((axes.set_xscale, axes.xaxis), (axes.set_yscale, axes.yaxis)):
        scale("log")
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:g}"))
    axes.set_xlabel("noise level σ (SD, intensity 0–1)", color=QUIET, fontsize=8)
    axes.set_ylabel("MSE against the noise-free image", color=QUIET, fontsize=8)
    base.style_axes(axes)
    axes.grid(visible=False, which="minor")
    axes.legend(fontsize=7.5, labelcolor=TEXT, facecolor=CARD, edgecolor=LINE, loc="lower right")
    figure.suptitle(" ", fontsize=2)
    base.add_disclaimer(figure)
    return figure
