"""`demo`: a small study from scratch: phantoms, an AE and a VAE, one page."""

import sys
import time
from argparse import Namespace
from pathlib import Path

from engine import backend, config, runs
from engine.cli.config_options import settings
from engine.cli.console import CommandResult, ConsoleProgress, GracefulInterrupt
from engine.cli.program import INTERRUPTED
from engine.cli.train import command, training_console
from engine.config import RunConfig
from engine.data import loading
from engine.formatting import format_source
from engine.job_context import JobContext
from engine.reports import run_report, write_report
from engine.reports.run_report import EvaluatedDataset
from engine.runs import Run
from engine.training import job

SETTINGS = {"size": 64, "phantom_count": 1440, "filters": (24, 48, 32), "latent": 128, "epochs": 15}
MODELS = {"ae": {"learning_rate": 1e-3}, "vae": {"learning_rate": 1e-3}}


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
    examined = run_report.examine_runs(trained, JobContext(on_progress=ConsoleProgress(sys.stderr).update))[0]
    elapsed_s = time.monotonic() - began
    advice = [command("evaluate", each, options.runs) for each in trained] + [
        command("resume", each, options.runs) + " --epochs 40" for each in trained
    ]
    write_report(run_report.describe_runs([examined], _title(examined), _lead(examined, elapsed_s), advice), page)
    names = [each.name for each in trained]
    text = f"The report is {page.absolute()}\nThe runs are {' and '.join(names)} in {root}"
    measured = {each.run.name: each.splits for each in examined.examined}
    return CommandResult(
        text, {"report": str(page.absolute()), "runs": names, "measured": measured, "elapsed_s": elapsed_s}
    )


def _settings(options: Namespace, model: str) -> RunConfig:
    """Return the demo's settings for a model, overridden by the options that the model has."""
    base = config.from_flat({"model": model, **SETTINGS, **MODELS[model]})
    known = config.to_flat(base)
    return config.from_flat({name: value for name, value in settings(options).items() if name in known}, base)


def _train(chosen: RunConfig, root: Path, interrupt: GracefulInterrupt) -> Run:
    created = runs.create_run(chosen, None, root)
    return job.train(run=created, emit=training_console(created), should_stop=interrupt)


def _title(found: EvaluatedDataset) -> str:
    return "Demo study: two autoencoders on phantoms" if found.images.source == "phantom" else "Demo: two autoencoders"


def _lead(found: EvaluatedDataset, elapsed_s: float) -> str:
    chosen = found.images.config
    is_phantom = chosen.source == "phantom"
    what = "generated phantoms, no patient data" if is_phantom else f"images of {format_source(chosen.source)}"
    return (
        f"{len(found.examined)} models trained on {what}, {chosen.size} × {chosen.size} pixels, in "
        f"{elapsed_s / 60:.1f} minutes in all. Few images and few epochs: a demonstration, not a result."
    )
