"""`train` and `resume`: train a new run, or continue one."""

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from engine import backend, config, runs, tracking
from engine.cli.config_options import run_config
from engine.cli.console import CommandResult, ConsoleProgress, GracefulInterrupt
from engine.cli.program import INTERRUPTED, PROGRAM, quote
from engine.config import AUTO_BACKEND, RunConfig
from engine.data import loading
from engine.errors import ConfigError, SourceNotFound
from engine.formatting import format_number
from engine.run_damage import read_record
from engine.runs import Run
from engine.training import job


def run(options: Namespace) -> CommandResult:
    """Train a new run."""
    chosen = run_config(options, _find_base(options))
    with GracefulInterrupt() as interrupt:
        tracking.check(chosen)
        loading.check_source(chosen.data)  # before a framework is imported
        loading.check_folders(chosen.data)
        if chosen.training.backend != AUTO_BACKEND:
            backend.configure(chosen.training)  # before the folder exists: the backend may not be installed
        created = runs.create_run(chosen, options.run, options.runs)
        job.train(run=created, emit=training_console(created), should_stop=interrupt)
    return training_result(created, options.runs)


def _find_base(options: Namespace) -> RunConfig | None:
    """Return the settings to start from: those of a preset or of another run. Returns None if none are named."""
    if options.preset and options.config:
        raise ConfigError("--preset and --config exclude each other.", "Give one of the two.")
    if options.preset:
        return config.preset(options.preset)
    return None if options.config is None else _read_config(options.config, options.runs)


def _read_config(name: Path, root: Path | None) -> RunConfig:
    """Read the settings of a run, given its config.json, its folder or its name."""
    if not name.is_file():
        if name.suffix.casefold() == ".json":
            raise SourceNotFound(f"The file {name} does not exist.", "Give the config.json of a run, or its name.")
        return runs.open_run(name, root).config
    try:
        content = json.loads(read_record(name))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not valid JSON ({error}).", "Give the config.json of a run.") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{name} holds no settings of a run.", "Give the config.json of a run.")
    return config.from_record(content)


def resume(options: Namespace) -> CommandResult:
    """Resume a run from its last complete epoch."""
    typed = {"epochs": options.epochs, "backend": options.backend}
    wanted = config.from_flat({name: value for name, value in typed.items() if value is not None}).training
    epochs, backend_name = (None if value is None else getattr(wanted, name) for name, value in typed.items())
    opened = runs.open_run(options.run, options.runs)
    if epochs is None and opened.state() == "finished" and any(opened.checkpoints.glob("epoch-*")):
        text = f"Nothing to do: run {opened.name} has all its {opened.config.training.epochs} epochs."
        return CommandResult(
            f"{text} Extend it: {command('resume', opened, options.runs)} --epochs N", _content(opened)
        )
    with GracefulInterrupt() as interrupt:
        job.resume(opened, epochs=epochs, backend=backend_name, emit=training_console(opened), should_stop=interrupt)
    return training_result(opened, options.runs)


def training_console(run: Run) -> ConsoleProgress:
    """Return a progress display on stderr for the training of a run."""
    return ConsoleProgress(sys.stderr, run.config.model.loss_unit)


def training_result(run: Run, root: Path | None) -> CommandResult:
    """Return the result of a training.

    Args:
        run: the run.
        root: the `--runs` option, for the suggested commands.
    """
    if not run.model_path.exists():
        return CommandResult(
            f"Stopped before the first step; run {run.name} has no saved model yet.", _content(run), INTERRUPTED
        )
    return CommandResult(_summary(run, root), _content(run))


def _content(run: Run) -> dict[str, Any]:
    rows = run.history()
    metrics = {name: value for name, value in rows[-1].items() if name != "epoch"} if rows else {}
    return {
        "run": run.name,
        "path": str(run.path),
        "state": run.state(),
        "epoch": len(rows) and int(rows[-1]["epoch"]),
        "epochs": run.config.training.epochs,
        "best_epoch": run.best_epoch(),
        "metrics": metrics,
        "data": run.provenance.get("data", {}),
    }


def _summary(run: Run, root: Path | None) -> str:
    settings, rows, best = run.config, run.history(), run.best_epoch()
    done, goal = len(rows) and int(rows[-1]["epoch"]), settings.training.epochs
    lines = [f"Run {run.name} {run.state()} after {done} of {goal} epochs, saved in {run.path}"]
    lines += [_numbers(f"best epoch {best}", row, settings) for row in rows if row["epoch"] == best]
    if done and best != done:
        lines.append(_numbers(f"last epoch {done}", rows[-1], settings))
    if done < goal:
        lines.append(f"Resume: {command('resume', run, root)}")
    lines.append(f"Evaluate: {command('evaluate', run, root)}")
    return "\n".join(lines)


def _numbers(title: str, row: dict[str, float], settings: RunConfig) -> str:
    losses = {"training": row.get("loss"), "validation": row.get("val_loss")}
    return f"  {title}: " + "; ".join(f"{part} loss {_loss(value, settings)}" for part, value in losses.items())


def _loss(value: float | None, settings: RunConfig) -> str:
    """Format a loss with its unit; for nats also their sum over a batch, as in the reference study."""
    unit, size = settings.model.loss_unit, settings.training.batch_size
    if not unit or value is None:
        return format_number(value)
    return (
        f"{format_number(value)} {unit} per image "
        f"(batch sum, as in the reference study: {format_number(value * size)} for {size} images)"
    )


def command(name: str, run: Run, root: Path | None) -> str:
    """Return a command on a run as the user types it."""
    return f"{PROGRAM} {quote(name, run.name, *(('--runs', root) if root else ()))}"
