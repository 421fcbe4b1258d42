"""`runs`: list the runs, show one, rename or delete some."""

import json
import secrets
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from engine import config, runs
from engine.cli.console import CommandResult, format_table
from engine.cli.program import PROGRAM, quote
from engine.durable import remove_folder, replace_durably
from engine.errors import ConfigError, EngramError, RunBusy, RunError, RunExists, RunNotFound
from engine.formatting import format_number
from engine.run_damage import check_folder
from engine.runs import Run

HEAD = ("run", "model", "state", "epoch", "best validation loss", "data")


def run(options: Namespace) -> CommandResult:
    """List the runs, oldest first, or do what the given word says."""
    if options.action is not None:
        return ACTIONS[options.action](options)
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


def show(options: Namespace) -> CommandResult:
    """Show the settings, the results and the files of a run."""
    run = runs.open_run(options.run, options.runs)
    rows, best, files = run.history(), run.best_epoch(), _list_files(run)
    content = {
        "run": run.name,
        "path": str(run.path),
        "state": run.state(),
        "epoch": int(rows[-1]["epoch"]) if rows else 0,
        "best_epoch": best,
        "best": next((row for row in rows if row["epoch"] == best), None),
        "config": run.config.model_dump(mode="json"),
        "provenance": run.provenance,
        "files": files,
    }
    return CommandResult(_describe_run(run, content), content)


def _describe_run(run: Run, content: dict[str, Any]) -> str:
    chosen, origin = run.config, content["provenance"]
    total = chosen.training.epochs
    lines = [f"Run {run.name} ({config.model_title(chosen.model.model)}), {content['state']}, in {run.path}"]
    lines.append(
        f"  epochs: {content['epoch']} of {total}" + (f", best {best}" if (best := content["best_epoch"]) else "")
    )
    if content["best"]:
        loss = f"{format_number(content['best'].get('val_loss'))} {chosen.model.loss_unit}".rstrip()
        lines.append(f"  best validation loss: {loss}")
    versions = origin.get("versions", {})
    if versions:
        names = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(f"  trained with: {origin.get('backend', '')} on {origin.get('device', '')} ({names})")
    values = config.to_flat(chosen).items()
    rows = [[config.option_name(name), _format_setting(value)] for name, value in values]
    files = [[name, _format_size(size)] for name, size in content["files"].items()]
    tables = [
        "settings:",
        format_table(["option", "value"], rows, "<<"),
        "files:",
        format_table(["file", "size"], files, "<>"),
    ]
    return "\n".join([*lines, *tables, f"Train again: {PROGRAM} {quote('train', '--config', run.path)}"])


def _format_setting(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else json.dumps(value).strip('"')


def _format_size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _list_files(run: Run) -> dict[str, int]:
    """Return the sizes of the files of a run; of a folder, the sum."""
    sizes = {}
    for path in sorted(run.path.iterdir()):
        inside = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        sizes[path.name + "/" * path.is_dir()] = sum(each.stat().st_size for each in inside)
    return sizes


def rename(options: Namespace) -> CommandResult:
    """Give a run another name."""
    run, new = _open_own(options.run, options.runs), options.new
    runs.check_name(new)
    target = run.path.with_name(new)
    # A disk that does not tell case apart finds the run itself under a name that differs in case alone.
    if target.exists() and not target.samefile(run.path):
        raise RunExists(f"There is already a run '{new}' in {target.parent}.", "Choose another name.")
    if search := _find_search(run):
        raise RunError(f"Run '{run.name}' is a trial of the search '{search}', which finds it by its name.")
    replace_durably(run.path, target)
    return CommandResult(f"Run {run.name} is named {new} now.", {"run": new, "path": str(target), "before": run.name})


def delete(options: Namespace) -> CommandResult:
    """Delete runs, after a question unless --yes is given."""
    chosen = [_open_own(name, options.runs) for name in dict.fromkeys(options.names)]
    if not options.yes:
        _confirm(chosen)
    for run in chosen:
        # In one step: a folder with a dot in front is no run, whatever happens while it is removed.
        doomed = run.path.with_name(f".{run.name}-{secrets.token_hex(4)}")
        replace_durably(run.path, doomed)
        remove_folder(doomed)
    names = [run.name for run in chosen]
    return CommandResult(f"Deleted: {', '.join(names)}.", {"deleted": names})


def _open_own(name: str, root: Path | None) -> Run:
    """Open a run that may be changed.

    Raises:
        RunBusy: it is being trained.
        RunError: it ships with Engram.
    """
    run = runs.open_run(name, root)
    if run.is_packaged:
        raise RunError(f"Run '{run.name}' is a demo run that comes with Engram and cannot be changed.")
    if run.is_busy():
        raise RunBusy(f"Run '{run.name}' is being trained.", "Wait until it ends, or stop it.")
    return run


def _confirm(chosen: list[Run]) -> None:
    """Ask on the terminal.

    Raises:
        ConfigError: there is no terminal, or the answer is not yes.
    """
    if not sys.stdin.isatty():
        raise ConfigError("Deleting runs needs a confirmation.", "Add --yes to delete them without a question.")
    for run in chosen:
        search = _find_search(run)
        note = f", a trial of the search '{search}'" if search else ""
        size = _format_size(sum(_list_files(run).values()))
        epochs = len(run.history())
        sys.stderr.write(f"{run.name}: {run.state()}, {epochs} epoch{'s' * (epochs != 1)}, {size}{note}\n")
    count = f"{len(chosen)} runs" if len(chosen) > 1 else "this run"
    sys.stderr.write(f"Delete {count} with model and checkpoints? This cannot be undone. [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ConfigError("Nothing was deleted.")


def _find_search(run: Run) -> str:
    """Return the name of the search whose trial a run is; empty if it is none."""
    name, _, number = run.name.rpartition("-")
    is_trial = len(number) >= 4 and number.isdecimal() and (run.path.parent / "_searches" / name).is_dir()
    return name if is_trial else ""


ACTIONS = {"show": show, "rename": rename, "delete": delete}
