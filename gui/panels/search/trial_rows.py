"""The table of trials: its columns, its rows, and its CSV file."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.search import statistics
from engine.search.storage import Trial
from gui.formatting import format_duration, format_measured, format_number
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import title
from gui.widgets.number_model import TableColumn, TableRow

STATES = {"finished": "done", "proposed": "waiting"}
ROLES = {"finished": "accent", "failed": "danger", "stopped": "quiet", "proposed": "quiet"}
SHORT = {
    "learning_rate": "Learning rate",
    "batch_size": "Batch",
    "latent": "Latent",
}
BEST = "★ "


class Number(int):
    """A trial number, written with a star if the trial is the best."""

    is_best = False


def trial_number(trial: Trial, best: Trial | None) -> Number:
    made = Number(trial.number)
    made.is_best = best is not None and best.number == trial.number
    return made


def short(name: str) -> str:
    """Return a setting's name for the header of a narrow column."""
    return SHORT.get(name, title(name))


def score_title(found: SearchSnapshot) -> str:
    """Return the name of the score, with its unit unless the models of the search have different ones."""
    if "model" in found.plan.space.names:
        return "Val. loss"
    return "Val. loss (nats)" if found.plan.base.model.loss_unit else "Val. MSE"


def has_pixels(found: SearchSnapshot) -> bool:
    """Return whether the score can be given per pixel: it is in nats, and all images have one size."""
    varied = found.plan.space.names
    return bool(found.plan.base.model.loss_unit) and not {"model", "size"} & set(varied)


def columns(found: SearchSnapshot) -> list[TableColumn]:
    """Return the columns of a search's table."""
    varied = [TableColumn(short(name), shown, _is_number(found, name)) for name in found.plan.space.names]
    pixel = [TableColumn("Nats/px", format_measured)] if has_pixels(found) else []
    begin = [TableColumn("Trial", _written), TableColumn("State", str, False)]
    ends = [TableColumn("Time", _time), TableColumn("", str, False)]
    return [*begin, *varied, TableColumn(score_title(found), format_measured), *pixel, *ends]


class RowBuilder:
    """A builder of table rows that builds only those of changed trials again while the search stays the same."""

    def __init__(self) -> None:
        self._search: object = None
        self._made: dict[int, tuple[object, TableRow]] = {}

    def build(self, found: SearchSnapshot, kept: Sequence[str] | None = None) -> list[TableRow]:
        """Return a row, keyed by the trial's number, for each trial in `kept`, or for all trials (None)."""
        search = found.search.path, found.plan, found.busy
        if search != self._search:
            self._search, self._made = search, {}
        wanted = None if kept is None else set(kept)
        return [self._row(found, trial) for trial in found.trials if wanted is None or str(trial.number) in wanted]

    def _row(self, found: SearchSnapshot, trial: Trial) -> TableRow:
        about = trial, trial == found.best
        known = self._made.get(trial.number)
        if known is None or known[0] != about:
            self._made[trial.number] = known = about, _row(found, trial)
        return known[1]


def _row(found: SearchSnapshot, trial: Trial) -> TableRow:
    values: list[Any] = [trial_number(trial, found.best), state(found, trial)]
    values += [trial.config.get(name) for name in found.plan.space.names]
    score = math.nan if trial.score is None else trial.score
    values.append(score)
    if has_pixels(found):
        values.append(math.nan if trial.score is None else score / found.plan.base.data.size**2)
    values += [trial.seconds, trial.reason]
    role = ROLES.get(trial.state)
    loud = {1: role} if role else {}
    if values[0].is_best:
        loud[0] = "accent"
    if trial.state in ("failed", "stopped"):
        loud = dict.fromkeys(range(len(values)), "quiet") | loud | {len(values) - 1: role or "quiet"}
    return TableRow(str(trial.number), values, "", loud, tooltip(found, trial))


def state(found: SearchSnapshot, trial: Trial) -> str:
    """Return the state of a trial in a word."""
    if trial.state == "running" and not found.busy:
        return "interrupted"
    return STATES.get(trial.state, trial.state)


def tooltip(found: SearchSnapshot, trial: Trial) -> str:
    """Return the tooltip of a trial: everything that its row shows, in sentences."""
    run = f", run {trial.run}" if trial.run else ""
    why = f". {trial.reason}" if trial.reason else ""
    lines = [f"Trial {trial.number}{run}: {state(found, trial)}{why}", statistics.format_values(trial.config)]
    if trial.score is not None:
        lines.append(f"best validation loss {format_number(trial.score, 6)} in epoch {trial.best_epoch}")
    if trial.origin != "search":
        lines.append({"hand": "added manually", "wandb": "proposed by W&B"}.get(trial.origin, trial.origin))
    return "\n".join(lines)


def shown(value: Any) -> str:
    """Return a setting's value as the text of a cell."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format_number(value) if isinstance(value, int | float) else statistics.format_value(value)


def _written(value: Number) -> str:
    return f"{BEST if value.is_best else ''}{value:d}"


def _time(seconds: float) -> str:
    return format_duration(seconds) if seconds else "—"


def _is_number(found: SearchSnapshot, name: str) -> bool:
    return all(isinstance(trial.config.get(name, 0), int | float) for trial in found.trials)


def write_csv(found: SearchSnapshot, path: Path, mark: str) -> None:
    """Write one CSV row for each trial, failed ones with their reasons. Raises OSError."""
    names = list(dict.fromkeys([*found.plan.space.names, *(name for t in found.trials for name in t.config)]))
    ends = ("score", "best_epoch", "epochs", "seconds", "state", "reason", "origin", "run")
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {mark}\n")
        writer = csv.writer(file)
        writer.writerow(["trial", *names, *ends])
        for trial in found.trials:
            values = [statistics.format_value(trial.config[name]) if name in trial.config else "" for name in names]
            results = [getattr(trial, name) for name in ends]
            writer.writerow([trial.number, *values, *("" if each is None else each for each in results)])
