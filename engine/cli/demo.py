"""`demo`: a small study from scratch: phantoms, an AE and a VAE, one page."""

import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np

from engine import backend, config, evaluation, runs
from engine.cli.config_options import settings
from engine.cli.console import ConsoleProgress, GracefulInterrupt
from engine.cli.program import INTERRUPTED
from engine.cli.result import CommandResult
from engine.cli.train import command, training_console
from engine.config import RunConfig
from engine.data import Dataset, loading
from engine.durable import write_output
from engine.evaluation import scoring
from engine.figures import demo_page
from engine.figures.demo_page import DemoReport, EvaluatedRun
from engine.job_context import JobContext
from engine.protocols import ImageModel
from engine.runs import Run
from engine.training import job

SETTINGS = {"size": 64, "phantom_count": 1440, "filters": (24, 48, 32), "latent": 128, "epochs": 15}
MODELS = {"ae": {"learning_rate": 1e-3}, "vae": {"learning_rate": 1e-3}}
SHOWN = 5


def run(options: Namespace) -> CommandResult:
    """Train both models and write the page; after an early stop, the runs are kept and there is no page."""
    began = time.monotonic()
    root = options.runs or runs.default_root()
    out = options.out or root.parent / "demo"
    chosen = [_settings(options, name) for name in MODELS]
    out.mkdir(parents=True, exist_ok=True)
    trained = []
    with GracefulInterrupt() as interrupt:
        loading.check_source(chosen[0].data)
        loading.check_folders(chosen[0].data)
        backend.configure(chosen[0].training)
        for each in chosen:
            trained.append(_train(each, root, interrupt))
            if interrupt.is_requested:
                kept = ", ".join(each.name for each in trained)
                return CommandResult(
                    f"Stopped. Saved in {root}: {kept}.", {"runs": [each.name for each in trained]}, INTERRUPTED
                )
    page = out / "report.html"
    described = _examine(trained, began, options.runs)
    write_output(page, demo_page.html(described).encode(errors="replace"))
    names = [each.name for each in trained]
    text = f"The report is {page.absolute()}\nThe runs are {' and '.join(names)} in {root}"
    measured = {each.run.name: each.measured for each in described.examined}
    return CommandResult(
        text, {"report": str(page.absolute()), "runs": names, "measured": measured, "elapsed_s": described.elapsed_s}
    )


def _settings(options: Namespace, model: str) -> RunConfig:
    """Return the demo's settings for a model, overridden by the options that the model has."""
    base = config.from_flat({"model": model, **SETTINGS, **MODELS[model]})
    known = config.to_flat(base)
    return config.from_flat({name: value for name, value in settings(options).items() if name in known}, base)


def _train(chosen: RunConfig, root: Path, interrupt: GracefulInterrupt) -> Run:
    created = runs.create_run(chosen, None, root)
    return job.train(run=created, emit=training_console(created), should_stop=interrupt)


def _examine(trained: list[Run], began: float, root: Path | None) -> DemoReport:
    """Evaluate every run and reconstruct the shown images."""
    context = JobContext(on_progress=ConsoleProgress(sys.stderr).update)
    images = evaluation.load_dataset(trained[0])
    split = "test" if len(images.test) else "validation"
    models = [evaluation.load_model(each) for each in trained]
    shown = _fixed_scans(models[0], images, split)
    examined = [
        EvaluatedRun(
            each,
            evaluation.evaluate(each, images, context=context)["splits"],
            scoring.reconstruct(model, images.splits[split].read(shown)),
        )
        for each, model in zip(trained, models, strict=True)
    ]
    advice = [command("evaluate", each, root) for each in trained] + [
        command("resume", each, root) + " --epochs 40" for each in trained
    ]
    title = "Demo study: two autoencoders on phantoms" if images.source == "phantom" else "Demo: two autoencoders"
    return DemoReport(title, images, shown, split, examined, time.monotonic() - began, advice)


def _fixed_scans(model: ImageModel, images: Dataset, split: str) -> list[int]:
    """Return images evenly spaced over a split, then the one with the largest reconstruction error."""
    part = images.splits[split]
    even = np.unique(np.linspace(0, len(part) - 1, min(SHOWN, len(part))).round().astype(int)).tolist()
    worst = int(np.argmax(scoring.score(model, part)["mse"]))
    return [index for index in even if index != worst] + [worst]
