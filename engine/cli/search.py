"""`search`: search for settings, with each trial as a run."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine import backend, config, runs
from engine.cli import trials
from engine.cli.config_options import settings
from engine.cli.console import CommandResult, ConsoleProgress, GracefulInterrupt
from engine.cli.program import PROGRAM, quote
from engine.config import RunConfig, SearchConfig
from engine.durable import write_output
from engine.errors import ConfigError, EngramError, SearchNotFound
from engine.formatting import format_duration, format_number
from engine.messages import (
    EpochEnded,
    Event,
    SearchEnded,
    SearchStarted,
    SearchState,
    TrialEnded,
    TrialProposed,
    TrialStarted,
)
from engine.messages import Search as Order
from engine.search import folder, job, search_spec, space_file, statistics, wandb_sweep
from engine.search.search_spec import SearchSpec

NOTE = "Stopping after this step; run the same command again to resume. Press Ctrl-C again to quit immediately."
EPOCHS_NOTE = (
    "Trials are ranked by their best epoch, so longer training can never rank worse. Do not conclude from the "
    "ranking that more epochs are better."
)
ENDINGS = {
    "finished": "All {goal} trials are done.",
    "exhausted": "Search space exhausted: every configuration has been tried.",
    "stopped": "Stopped. Resume: {command}",
}


def run(options: Namespace) -> CommandResult:
    """Search, or resume a search."""
    order = _search_command(options)
    if options.sweep_yaml is not None:
        write_output(options.sweep_yaml, wandb_sweep.to_sweep_yaml(folder.spec_of_command(order)).encode())
    teller = SearchConsole(ConsoleProgress(sys.stderr, _unit(order)))
    with GracefulInterrupt(NOTE) as interrupt:
        folder.check_source(order, is_strict=True)  # before Keras is imported
        backend.import_without_compute()
        found = job.search(order, emit=teller, should_stop=interrupt)
    content = trials.search_to_dict(found)
    for sentence in _describe_images(content, found.root):
        teller.meter.print_line(sentence)
    goal = content["settings"]["trials"]
    place = ("--runs", options.runs) if options.runs else ()
    command = f"{PROGRAM} {quote('search', '--name', found.name, *place)}"
    lines = [ENDINGS[teller.ended].format(goal=goal, command=command), trials.table_of(content)]
    if content["best"] and "epochs" in content["space"]:
        lines.append(EPOCHS_NOTE)
    return CommandResult("\n".join(lines), {**content, "ended": teller.ended})


def _describe_images(content: Mapping[str, Any], root: Path) -> list[str]:
    """Return what was left out of the dataset, and the notes on it, as the record of a trial's run has them."""
    for trial in content["trials"]:
        with suppress(EngramError):
            use = runs.open_run(trial["run"] or "", root).provenance.get("data", {})
            if "notes" in use:
                return [sentence for sentence in (use["left_out"], *use["notes"]) if sentence]
    return []


def _search_command(options: Namespace) -> Order:
    """Return the command from the options, which override the preset; an existing search needs no preset."""
    given = {
        spec.name: getattr(options, spec.name)
        for spec in config.list_fields(SearchConfig)
        if hasattr(options, spec.name)
    }
    values = {name: value for name, value in settings(options).items() if name != "seed"}
    plan = _existing_spec(options)
    known = plan.base if plan else None
    base, described = known, None
    if varied := sorted(set(values) & set(plan.space.names if plan else ())):
        raise ConfigError(f"'{varied[0]}' varies in this search.", "Leave the option out, or choose another name.")
    if options.preset:
        base, points = space_file.preset(options.preset)
        for name in values:
            points = points.drop_dimension(name)
        described = None if known or options.space else points.to_dict()
    fixed = config.from_flat(values, base) if values or options.preset or not known else None
    if options.space:
        described = _checked(options, fixed or known or RunConfig(), values)
    root = str(options.runs or runs.default_root())
    return Order(
        name=options.name, root=root, base=fixed, space=described, settings=given, retry_failed=options.retry_failed
    )


def _existing_spec(options: Namespace) -> SearchSpec | None:
    """Return the specification of the search of that name. Returns None if there is none yet."""
    try:
        with folder.open_search(options.name, options.runs).open_storage() as ledger:
            return search_spec.spec_from_attrs(ledger)
    except SearchNotFound:
        return None


def _checked(options: Namespace, base: RunConfig, values: dict[str, Any]) -> dict[str, Any]:
    """Load and check the space file."""
    found = space_file.load_space(options.space, base)
    if both := sorted(set(values) & set(found.names)):
        option = config.option_name(both[0])
        raise ConfigError(f"'{both[0]}' varies in {options.space} and is fixed by {option}.", "Remove one of the two.")
    return found.to_dict()


def _unit(order: Order) -> str:
    return order.base.model.loss_unit if order.base else ""


class SearchConsole:
    """Receiver that shows a search on a terminal: a line per trial, above the progress of the running one."""

    def __init__(self, meter: ConsoleProgress) -> None:
        self.meter = meter
        self.ended = "stopped"
        self._over = 0, 0

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, SearchStarted):
            points = "unlimited (continuous ranges)" if event.size is None else f"{event.size:,} configurations"
            names = ", ".join(event.space)
            self.meter.report(f"Search {event.search}: {event.settings.algorithm} over {names} ({points}).")
        elif isinstance(event, TrialProposed):
            self.meter.report(f"trial {event.number}: {statistics.format_values(event.values)}")
        elif isinstance(event, TrialStarted):
            if event.first_epoch:
                self.meter.report(f"trial {event.number} resumes after epoch {event.first_epoch} of {event.epochs}")
        elif isinstance(event, TrialEnded):
            loss = f"validation loss {format_number(event.score)}" if event.score is not None else event.reason
            self.meter.report(f"trial {event.number} {event.state} after {format_duration(event.seconds)}: {loss}")
        elif isinstance(event, SearchState):
            self._where(event)
        elif isinstance(event, SearchEnded):
            self.ended = event.state
            self.meter.report(
                f"Search {event.search}: {'space exhausted' if event.state == 'exhausted' else event.state}."
            )
        elif not isinstance(event, EpochEnded):
            self.meter(event)

    def _where(self, event: SearchState) -> None:
        left = "" if event.left_s is None else f", about {format_duration(event.left_s)} left"
        over = event.done, event.failed
        if event.running and over != self._over:
            self._over = over
            self.meter.report(f"{event.done} of {event.trials} done, {event.failed} failed{left}")
