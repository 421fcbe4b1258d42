"""The five lessons: a question, an experiment, and an answer that is computed from its result."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject

from engine import config as settings
from engine.config import RunConfig
from gui.formatting import format_fixed, format_percent
from gui.help.experiments import (
    SIGMA,
    DenoisedLesion,
    DenoiseExperiment,
    Experiment,
    LesionImage,
    TracedLesion,
    TraceExperiment,
    TrainingExperiment,
)
from gui.panel import CompareRuns, ShowImage, ShowRun, Target
from gui.run_record import RunRecord
from gui.session import Session

Records = Mapping[str, RunRecord]
# Layers that make the latent code.
BOTTLENECK = ("Dense", "Flatten", "Reparameterize")
SMALL, LARGE, VAE, STRONG = "lesson-latent-4", "lesson-latent-64", "lesson-vae", "lesson-vae-beta-20"


@dataclass(frozen=True)
class Outcome:
    """What an experiment showed: the index of the right choice, the numbers, and what follows from them.

    `show` lists panels with what to show there, `image` is the one whose lesion is marked in them.
    """

    answer: int
    facts: tuple[tuple[str, str], ...]
    text: str
    show: tuple[tuple[str, Target], ...]
    image: LesionImage | None = None


@dataclass(frozen=True)
class Lesson:
    """One lesson. `panel` is where it takes place, `look` the name of the control that it points at.

    `after` names the control to look at once there is a result, in the panel that the outcome shows first.
    """

    title: str
    panel: str
    look: str
    question: str
    choices: tuple[str, ...]
    task: str
    make: Callable[[Session, QObject], Experiment]
    compare: Callable[[Any], Outcome]
    after: str


def lesson_config(name: str) -> RunConfig:
    """Return the settings of a lesson's run: those of the preset quick with one change."""
    changes: dict[str, dict[str, Any]] = {
        SMALL: {"latent": 4},
        LARGE: {"latent": 64},
        VAE: {"model": "vae", "latent": 64},
        STRONG: {"model": "vae", "latent": 64, "beta": 20.0},
    }
    base = settings.preset("quick")
    return settings.from_flat({"filters": base.model.model_dump()["filters"], **changes[name]}, base)


def train(*names: str) -> Callable[[Session, QObject], Experiment]:
    """Return a function that makes the experiment with these runs."""
    return lambda session, parent: TrainingExperiment(session, {name: lesson_config(name) for name in names}, parent)


def best_metric(record: RunRecord, name: str) -> float:
    """Return a metric of the best epoch; nan if it has none."""
    return record.best.metrics.get(name, math.nan) if record.best else math.nan


def psnr_db(record: RunRecord) -> float:
    """Return the PSNR of the validation reconstructions of the best epoch, from their mean squared error."""
    return -10 * math.log10(best_metric(record, "val_mse"))


def compare_latent_sizes(records: Records) -> Outcome:
    """Answer by how much the larger bottleneck is better."""
    small, large = psnr_db(records[SMALL]), psnr_db(records[LARGE])
    gain = large - small
    answer = 0 if gain < 1 else 1 if gain <= 3 else 2
    text = (
        f"Sixteen times as many latent dimensions change the PSNR by {format_fixed(gain, 1)} dB. Four values keep the "
        "shape of the head at most. Fine detail, such as a small lesion, needs more of them, and may be lost even then."
    )
    facts = (("Latent size 4", f"{format_fixed(small, 1)} dB"), ("Latent size 64", f"{format_fixed(large, 1)} dB"))
    return Outcome(answer, facts, text, (("compare", CompareRuns((SMALL, LARGE))),))


def compare_models(records: Records) -> Outcome:
    """Answer which of AE and VAE reconstructs better."""
    ae, vae = best_metric(records[LARGE], "val_mse"), best_metric(records[VAE], "val_mse")
    answer = 2 if abs(ae - vae) <= 0.05 * min(ae, vae) else int(vae < ae)
    better = ("The AE has the lower error.", "The VAE has the lower error.", "Both have about the same error.")[answer]
    kl = best_metric(records[VAE], "val_kl")
    text = (
        f"{better} The VAE also pays {format_fixed(kl, 1)} nats per image for a latent space that is close to a "
        "standard normal. In return you can generate images from it, which the AE does not promise."
    )
    facts = (("AE, validation MSE", f"{ae:.4f}"), ("VAE, validation MSE", f"{vae:.4f}"))
    return Outcome(answer, facts, text, (("compare", CompareRuns((LARGE, VAE))), ("latent", ShowRun(VAE))))


def compare_kl_weights(records: Records) -> Outcome:
    """Answer what a larger weight of the KL term does to the KL divergence and to the error."""
    kl = [best_metric(records[name], "val_kl") for name in (VAE, STRONG)]
    mse = [best_metric(records[name], "val_mse") for name in (VAE, STRONG)]
    answer = 0 if kl[1] < kl[0] and mse[1] > mse[0] else 1 if kl[1] < kl[0] else 2
    change = "falls" if kl[1] < kl[0] else "rises"
    error = "rises" if mse[1] > mse[0] else "falls"
    text = (
        f"With β = 20 the KL divergence {change} from {format_fixed(kl[0], 1)} to {format_fixed(kl[1], 1)} nats, and "
        f"the error {error} by {format_percent(abs(mse[1] / mse[0] - 1))}. The KL term measures how much the latent "
        "code tells about an image; a large weight makes that expensive, and dimensions collapse."
    )
    facts = tuple(
        (f"β = {beta}", f"KL {format_fixed(k, 1)} nats · MSE {m:.4f}")
        for beta, k, m in zip((1, 20), kl, mse, strict=True)
    )
    return Outcome(answer, facts, text, (("train", ShowRun(STRONG)), ("compare", CompareRuns((VAE, STRONG)))))


def compare_denoised(result: DenoisedLesion) -> Outcome:
    """Answer how much of the lesion's contrast the model retains."""
    kept = result.retained[result.run]
    answer = 0 if kept >= 0.8 else 1 if kept >= 0.5 else 2
    gain = result.psnr_db[result.run] - result.psnr_db["Noisy input"]
    both = "although the PSNR rises" if gain > 0 and answer else "and the PSNR changes"
    text = (
        f"{result.run} retains {format_percent(max(kept, 0.0))} of the lesion's contrast, {both} by "
        f"{format_fixed(gain, 1)} dB. PSNR averages over all pixels, and a lesion is few of them: check the lesion "
        "contrast beside it, on more than one image."
    )
    facts = tuple(
        (name, f"{format_fixed(result.psnr_db[name], 1)} dB · {format_percent(max(share, 0.0))} of the lesion contrast")
        for name, share in result.retained.items()
    )
    return Outcome(answer, facts, text, (("denoise", ShowImage("test", result.image.index)),), result.image)


def compare_layers(result: TracedLesion) -> Outcome:
    """Answer in which part of the network most of the lesion's detectability is lost."""
    layers, reply = {layer.name: layer for layer in result.reply.layers}, result.reply
    worst = layers.get(reply.loses_most or "")
    is_bottleneck = worst is not None and worst.part != "decoder" and worst.kind in BOTTLENECK
    answer = 3 if worst is None else 1 if is_bottleneck else 2 if worst.part == "decoder" else 0
    share = reply.pairs[0].output_share if reply.pairs else math.nan
    lost = f"Most is lost at {worst.name}: {format_percent(worst.lost_share)} of what reached it." if worst else ""
    text = (
        f"An ideal observer retains {format_percent(share)} of the lesion's d′ at the output of {result.run}. {lost} "
        "What is lost there, no later layer can bring back; it can only draw what is likely."
    )
    facts = tuple((name, format_percent(layer.held_share)) for name, layer in layers.items())
    show = ("layers", ShowRun(result.run)), ("layers", ShowImage("test", result.image.index))
    return Outcome(answer, facts, text, show, result.image)


LESSONS = (
    Lesson(
        "How large must the bottleneck be?",
        "train",
        "Latent size",
        "An autoencoder sends every image through a few values: the latent code. Two small autoencoders are trained on "
        "the same 400 phantoms, with latent size 4 and 64. How much higher is the PSNR of the larger one?",
        ("Less than 1 dB", "1 to 3 dB", "More than 3 dB"),
        "Both use the preset Quick look with another latent size.",
        train(SMALL, LARGE),
        compare_latent_sizes,
        "runs and baselines to compare",
    ),
    Lesson(
        "AE or VAE?",
        "train",
        "Model",
        "A variational autoencoder (VAE) encodes an image as a distribution instead of a point. Both models have "
        "latent size 64 and see the same phantoms. Which reconstructs with the lower error?",
        ("The AE", "The VAE", "Equal, within 5%"),
        "The same small network is trained as an AE and as a VAE.",
        train(LARGE, VAE),
        compare_models,
        "runs and baselines to compare",
    ),
    Lesson(
        "What does the KL term do?",
        "train",
        "Model",
        "The loss of a VAE has two parts: the reconstruction, and the KL term with weight β. What happens if β rises "
        "from 1 to 20?",
        ("KL falls, the error rises", "Both fall", "KL rises"),
        "The same VAE is trained with β = 1 and β = 20. The setting is KL weight β, shown once the model is a VAE.",
        train(VAE, STRONG),
        compare_kl_weights,
        "runs",
    ),
    Lesson(
        "Does denoising keep the lesion?",
        "denoise",
        "methods",
        f"Gaussian noise of σ = {SIGMA:g} is added to a phantom with a lesion, and a trained model removes it. How "
        "much of the lesion's contrast is left?",
        ("At least 80%", "50% to 80%", "Less than 50%"),
        "The model and non-local means, a classical filter, denoise the same image.",
        DenoiseExperiment,
        compare_denoised,
        "methods",
    ),
    Lesson(
        "Where did the lesion go?",
        "layers",
        "network",
        "A lesion passes the encoder, the bottleneck and the decoder. Where is most of it lost for an observer who "
        "knows everything that a layer passes on?",
        ("In the encoder's convolutions", "At the bottleneck", "In the decoder", "Nowhere"),
        "The lesion's detectability d′ is measured after each layer. This takes up to a minute.",
        TraceExperiment,
        compare_layers,
        "network",
    ),
)
