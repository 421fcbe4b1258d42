"""The rows of the list of runs, which all panels share: one model for the eyes, the pinned baseline and the numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, Signal

from gui.formatting import DASH, format_duration, format_fixed, format_number, format_parameters
from gui.run_record import RunRecord
from gui.run_repository import RunRepository
from gui.widgets.number_model import TableColumn
from gui.widgets.run_list.model import RunListModel, RunRow, rank

LOUD_STATES = ("stopped", "failed", "interrupted", "damaged")
# A word would push the name out of the narrow column; the tool tip and the filter have it.
STATE_MARKS = {"running": " ▶", "paused": " ‖", "stopped": " ■", "failed": " ✕", "interrupted": " !", "damaged": " ⚠"}
LOSS_DIGITS = 4
PIN, NOTE = "⚑ ", "  ✎"


@dataclass(frozen=True)
class Measured:
    """PSNR of a run on test images, dB, or the word in its place; more about it; whether its baseline is better."""

    psnr_db: float | str | None = None
    tip: str = ""
    is_below: bool = False


class RunListing(RunListModel):
    """Rows of the runs of a folder, the trials of a search below its name.

    `baseline` is the name of the pinned run, `measured` holds what is known of runs on test images.
    """

    baseline_changed = Signal()

    def __init__(self, runs: RunRepository, parent: QObject) -> None:
        super().__init__(COLUMNS, group_row, parent)
        self._runs = runs
        self.baseline = ""
        self.measured: Mapping[str, Measured] = {}

    def refresh(self) -> None:
        """Show the runs as they are now, the newest first and the baseline before it."""
        baseline = self._runs.records.get(self.baseline)
        newest_first = sorted(reversed(list(self._runs.records.values())), key=lambda record: record is not baseline)
        self.show([make_row(record, baseline, self.measured.get(record.name, Measured())) for record in newest_first])

    def set_baseline(self, name: str) -> None:
        """Pin a run at the top, always shown, and measure the others against it; an empty name ends this."""
        self.baseline = name
        self.refresh()
        self.baseline_changed.emit()
        self.eyes_changed.emit()

    def set_measured(self, measured: Mapping[str, Measured]) -> None:
        """Show the PSNR of runs on test images."""
        if measured != self.measured:
            self.measured = measured
            self.refresh()

    def shown_keys(self) -> list[str]:
        """Return the names of the runs whose curves are shown, the baseline among them."""
        names = super().shown_keys()
        pinned = [self.baseline] if self.baseline in self._runs.records else []
        return names + [name for name in pinned if name not in names]

    def save_state(self) -> dict[str, Any]:
        return {"eyes": self.opened_eyes(), "baseline": self.baseline}

    def restore_state(self, kept: dict[str, Any]) -> None:
        """Restore what `save_state` returned; any part of it may be missing or invalid."""
        eyes, baseline = kept.get("eyes"), kept.get("baseline")
        self.set_eyes([key for key in eyes if isinstance(key, str)] if isinstance(eyes, list) else ())
        self.set_baseline(baseline if isinstance(baseline, str) else "")


def make_row(record: RunRecord, baseline: RunRecord | None = None, measured: Measured = Measured()) -> RunRow:
    """Return the row of a run in the list."""
    state, config, notes = record.state, record.config, record.notes
    is_pinned = baseline is record
    done = str(record.last_epoch) if state == "finished" else f"{record.last_epoch}/{record.target_epochs}"
    roles = {0: "danger"} if state in LOUD_STATES else {0: "accent"} if state == "running" else {}
    roles |= {PSNR: "danger"} if measured.is_below else {}
    started = record.started
    extras = (
        f"{datetime.fromtimestamp(started.time):%Y-%m-%d %H:%M}" if started else "",
        record.training_s,
        config.model.model if config else "",
        float(config.model.latent) if config and hasattr(config.model, "latent") else math.nan,
        config.training.learning_rate if config else math.nan,
        float(started.parameters) if started else math.nan,
        ", ".join(notes.tags),
        measured.psnr_db,
    )
    marks = (
        (PIN if is_pinned else "")
        + record.name
        + STATE_MARKS.get(state, "")
        + "".join(f"  #{tag}" for tag in notes.tags)
        + NOTE * bool(notes.note)
    )
    values = (marks, best_loss(record), done, _delta(record, baseline), *extras)
    words = " ".join(map(str, (state, extras[2], *notes.tags, notes.note)))
    return RunRow(
        record.name,
        values,
        record.name,
        roles,
        "\n".join(filter(None, (_tip(record), measured.tip))),
        group=record.search,
        words=words,
        is_pinned=is_pinned,
        is_ready=bool(record.epochs) and not record.damage,
    )


def group_row(search: str, rows: list[RunRow]) -> RunRow:
    """Return the row of a search: the best loss of its trials."""
    best = min(rows, key=lambda row: rank(row.values[1]))
    title = f"{search} · {len(rows)} trials"
    tip = f"{title}\nClick to show or hide the trials. The loss is that of the best one, {best.key}."
    return RunRow(f"search {search}", (title, best.values[1], "", *best.values[3:PSNR], None), "", {0: "quiet"}, tip)


def best_loss(record: RunRecord) -> tuple[str, float]:
    """Return the unit and the value of the best validation loss, not a number before there is one."""
    unit = (record.config.model.loss_unit if record.config else "") or "MSE"
    return unit, record.best.metrics["val_loss"] if record.best else math.nan


def _delta(record: RunRecord, baseline: RunRecord | None) -> float:
    """Return the change of the best loss against the baseline, %; not a number if their units differ."""
    if baseline is None or baseline is record:
        return math.nan
    (unit, loss), (other, base) = best_loss(record), best_loss(baseline)
    return 100 * (loss - base) / base if unit == other and base else math.nan


def _format_loss(loss: tuple[str, float]) -> str:
    return DASH if math.isnan(loss[1]) else f"{format_number(loss[1], LOSS_DIGITS)} {loss[0]}"


def _format_delta(percent: float) -> str:
    return "" if math.isnan(percent) else f"{'+' if percent > 0 else ''}{format_fixed(percent, 1)}%"


def format_psnr(value: float | str | None) -> str:
    """Return a PSNR, or the word in its place."""
    return DASH if value is None else value if isinstance(value, str) else format_fixed(value, 1)


COLUMNS = (
    TableColumn("Run", str, False),
    TableColumn("Val. loss", _format_loss),
    TableColumn("Epoch", str),
    TableColumn("Δ", _format_delta),
    TableColumn("Started", str, False),
    TableColumn("Training time", lambda seconds: format_duration(seconds) if seconds else DASH),
    TableColumn("Model", str, False),
    TableColumn("Latent size", format_number),
    TableColumn("Learning rate", format_number),
    TableColumn("Parameters", lambda count: DASH if math.isnan(count) else format_parameters(int(count))),
    TableColumn("Tags", str, False),
    TableColumn("Test PSNR", format_psnr),
)
LOSS, EPOCH, DELTA, PSNR = 1, 2, 3, 11


def _tip(record: RunRecord) -> str:
    if record.damage or record.config is None:
        return record.damage
    unit = f"{record.config.model.loss_unit} per image" if record.config.model.loss_unit else ""
    best = record.best
    parts = [f"{record.name}: {record.state}, {record.last_epoch} of {record.target_epochs} epochs"]
    if best:
        parts.append(
            f"best validation loss {best.metrics['val_loss']:,.6g} {unit} in epoch {best.epoch}".replace("  ", " ")
        )
    parts += [f"trained on {record.config.data.source}"]
    parts += [f"tags: {', '.join(record.notes.tags)}"] if record.notes.tags else []
    return "\n".join([*parts, *filter(None, [record.notes.note])])
