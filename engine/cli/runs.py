"""`runs`: list the runs, show one, rename or delete some."""

from argparse import Namespace
from typing import Any

from engine import runs
from engine.cli import run_actions
from engine.cli.console import CommandResult, format_table
from engine.errors import EngramError, RunNotFound
from engine.formatting import format_number
from engine.run_damage import check_folder
from engine.runs import Run

HEAD = ("run", "model", "state", "epoch", "best validation loss", "data")


def run(options: Namespace) -> CommandResult:
    """List the runs, oldest first, or do what the given word says."""
    if options.action is not None:
        return run_actions.ACTIONS[options.action](options)
    root = options.runs or runs.default_root()
    if options.runs is not None and not root.is_dir():
        raise RunNotFound(f"The folder {root} does not exist.", "Give the folder of your runs with --runs.")
    listed = [_describe(each) for each in runs.list_runs(root)]
    if not listed:
        return CommandResult(f"There are no runs in {root} yet.", [])
    return CommandResult(format_table(HEAD, [_row(each) for each in listed], align="<<<>><"), listed)


def _describe(run: Run) -> dict[str, Any]:
    try:
        check_folder(run.path)
        config = run.config
    except EngramError as error:
        return {"run": run.name, "path": str(run.path), "state": "damaged", "reason": error.what}
    rows, best = run.history(), run.best_epoch()
    losses = {int(row["epoch"]): row.get("val_loss") for row in rows}
    return {
        "run": run.name,
        "path": str(run.path),
        "model": config.model.model,
        "state": run.state(),
        "epoch": max(losses, default=0),
        "epochs": config.training.epochs,
        "best_epoch": best,
        "best_val_loss": losses.get(best) if best else None,
        "loss_unit": config.model.loss_unit,
        "data": config.data.source,
    }


def _row(described: dict[str, Any]) -> tuple[str, ...]:
    if described["state"] == "damaged":
        return described["run"], "", "damaged", "", "", described["reason"]
    return (
        described["run"],
        described["model"],
        described["state"],
        f"{described['epoch']}/{described['epochs']}",
        f"{format_number(described['best_val_loss'])} {described['loss_unit']}".rstrip(),
        described["data"],
    )
