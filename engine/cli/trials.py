"""`trials`: list the trials of a search, and send commands to it while it runs."""

import json
from argparse import Namespace
from typing import Any

from engine.cli.console import CommandResult, format_table
from engine.cli.program import quote
from engine.errors import ConfigError, SearchError
from engine.formatting import format_duration, format_number
from engine.search import commands, folder, search_spec, statistics
from engine.search.commands import AddTrial, ChangeTrialCount, EndTrial, QueuedCommand, ReplaceSpace
from engine.search.folder import SearchFolder
from engine.search.storage import Trial

CONFIRMATIONS = {
    "stop": "The search will stop after this step. Resume it with: search --name {name}",
    "pause": "The search will pause after this step. Continue it with: trials {name} --continue",
    "continue": "The search continues.",
    "stop-trial": "The trial will stop after this step; its run is kept.",
    "enqueue": "This trial will run next.",
    "space": "The search continues in this search space.",
    "trials": "The total number of trials has been changed.",
}
EXAMPLE = "Example: " + quote('{"latent": 256}')


def run(options: Namespace) -> CommandResult:
    """List the trials in the order proposed, or send a command."""
    search = folder.open_search(options.name, options.runs)
    requested = _requested_command(options)
    if requested:
        return _send_command(search, requested)
    found = search_to_dict(search)
    return CommandResult(f"{_headline(found)}\n{table_of(found)}", found)


def _requested_command(options: Namespace) -> QueuedCommand | None:
    if options.verb:
        return commands.from_json(options.verb, None)
    if options.space is not None:
        return ReplaceSpace(_json(options.space.read_text(encoding="utf-8")))
    if options.enqueue is not None:
        return AddTrial(_json(options.enqueue))
    if options.stop_trial is not None:
        return EndTrial(options.stop_trial)
    return None if options.trials is None else ChangeTrialCount(options.trials)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"Invalid JSON ({error}).", EXAMPLE) from None
    if not isinstance(found, dict):
        raise ConfigError("The JSON must be an object that maps settings to values.", EXAMPLE)
    return found


def _send_command(search: SearchFolder, command: QueuedCommand) -> CommandResult:
    busy = search.is_busy()
    if not busy and command.is_transient:
        raise SearchError(f"Search '{search.name}' is not running.", f"Resume it with: search --name {search.name}")
    search.send(command)
    later = "" if busy else f" It is not running; resume it with: search --name {search.name}"
    return CommandResult(
        CONFIRMATIONS[command.verb].format(name=search.name) + later,
        {"search": search.name, "told": command.verb, "running": busy},
    )


def search_to_dict(search: SearchFolder) -> dict[str, Any]:
    """Return the state of a search, as `--json` prints it."""
    with search.open_storage() as ledger:
        plan, rows = search_spec.spec_from_attrs(ledger), ledger.trials()
    busy, best, left = (
        search.is_busy(),
        statistics.find_best_trial(rows),
        statistics.count_points_left(plan.space, rows),
    )
    return {
        "search": search.name,
        "path": str(search.path),
        "running": busy,
        "model": plan.base.model.model,
        "loss_unit": plan.base.model.loss_unit,
        "data": plan.base.data.source,
        "settings": plan.settings.model_dump(),
        "space": plan.space.to_dict(),
        "size": plan.space.size(),
        "left": left,
        "exhausted": left == 0,
        "best": _trial_to_dict(best, busy) if best else None,
        "trials": [_trial_to_dict(row, busy) for row in rows],
    }


def _trial_to_dict(row: Trial, busy: bool) -> dict[str, Any]:
    """Return a trial as JSON types; a running one without a process is interrupted."""
    state = "interrupted" if row.state == "running" and not busy else row.state
    known = ("number", "config", "score", "reason", "run", "best_epoch", "epochs", "seconds", "origin", "place")
    return {**{name: getattr(row, name) for name in known}, "state": state, "run": row.run or None}


def _headline(found: dict[str, Any]) -> str:
    over = sum(row["state"] in ("finished", "failed", "stopped") for row in found["trials"])
    size = (
        "unlimited configurations (continuous ranges)"
        if found["size"] is None
        else f"{found['left']:,} of {found['size']:,} configurations left"
    )
    return f"Search {found['search']}: {over} trials done, {size}{(', running' if found['running'] else '')}."


def table_of(found: dict[str, Any]) -> str:
    """Format the trials as a table, with the best marked."""
    names = list(dict.fromkeys(name for row in found["trials"] for name in row["config"]))
    head = ["trial", *names, f"validation loss {found['loss_unit']}".rstrip(), "epochs", "time", "state"]
    best = found["best"]["number"] if found["best"] else None
    rows = []
    for row in found["trials"]:
        values = [statistics.format_value(row["config"][name]) if name in row["config"] else "" for name in names]
        state = f"{row['state']}: {row['reason']}" if row["reason"] else row["state"]
        score = format_number(row["score"]) + (" best" if row["number"] == best else "")
        rows.append([str(row["number"]), *values, score, str(row["epochs"]), format_duration(row["seconds"]), state])
    return format_table(head, rows, align=">" * (len(names) + 4) + "<") if rows else "No trials yet."
