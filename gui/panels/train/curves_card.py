"""Curves of the chosen runs, and the controls of the run in training."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from engine.config import MODELS
from gui.formatting import format_number, format_parameters
from gui.panel import DISCLAIMER
from gui.run_record import BACKENDS, RunRecord
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.curves.controls import CurveControls
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import SeriesStyle

VALIDATION = "val_"
MERGE_TOLERANCE = 0.02
SAME = "Resume on the backend it was last trained with."
OTHER = (
    "Resume on another backend with the same weights and optimizer state. Results will be close but not bit-identical."
)
NO_BREAK = "\u00a0"
AHEAD, LEAST_REACH = 3, 10
EMPTY = "The curves appear here after the first epoch."
NO_RUN = "No run yet. Choose settings on the left and press 'Start training'."


@dataclass(frozen=True)
class PlotSpec:
    """One plot: its name, and the title of its axis."""

    name: str
    title: str


SQUARED = PlotSpec("mse", "MSE")
TOTAL = PlotSpec("loss", "loss (nats per image)")
RECONSTRUCTION = PlotSpec("reconstruction", "reconstruction term (nats per image)")
DIVERGENCE = PlotSpec("kl", "KL divergence (nats per image)")
QUANTITIES = (SQUARED, TOTAL, RECONSTRUCTION, DIVERGENCE)


def loss_unit(record: RunRecord) -> str:
    """Return the unit of a run's loss, empty for a plain mean squared error."""
    return record.config.model.loss_unit if record.config else MODELS["ae"].loss_unit


def metric_of(record: RunRecord, quantity: PlotSpec) -> str:
    """Return the metric name of a quantity in a run's record; a plain loss is the squared error."""
    return "loss" if quantity is SQUARED and not loss_unit(record) else quantity.name


def curves(record: RunRecord, quantity: PlotSpec) -> dict[str, tuple[list[int], list[float]]]:
    """Return the run's curves of a quantity, 'training' and 'validation', as far as they exist."""
    if quantity is TOTAL and not loss_unit(record):
        return {}
    metric = metric_of(record, quantity)
    found = {"training": record.curve(metric), "validation": record.curve(VALIDATION + metric)}
    return {name: curve for name, curve in found.items() if curve[0]}


def entropy_floors(records: Sequence[RunRecord], quantity: PlotSpec) -> dict[str, tuple[float, str]]:
    """Return the entropy floors: name -> nats and their text; runs on the same images share theirs.

    Only the loss and the reconstruction have one, and only if the record of a run holds it. The floors of training and
    validation become one line if they would coincide.
    """
    found: dict[str, tuple[float, str]] = {}
    for started in (record.started for record in records if quantity in (TOTAL, RECONSTRUCTION)):
        if started is None or started.train_floor_nats is None or started.validation_floor_nats is None:
            continue
        train, validation = started.train_floor_nats, started.validation_floor_nats
        floors = {"training entropy floor": train, "validation entropy floor": validation}
        if abs(train - validation) < MERGE_TOLERANCE * validation:
            floors = {"entropy floor": validation}
        for name, floor in floors.items():
            found[f"{name} {floor:.6g}"] = floor, f"{name} {format_number(floor)}"
    return found


def plots_for(records: list[RunRecord]) -> list[PlotSpec]:
    """Return the quantities to plot: the squared error of a VAE only next to a run trained on it."""
    units = {loss_unit(record) for record in records}
    wanted = [SQUARED] if "" in units or not units else []
    others = [quantity for quantity in QUANTITIES[1:] if any(curves(record, quantity) for record in records)]
    if units - {""} and not others:
        others = [TOTAL]
    return wanted + others


class ResumeChoice(QWidget):
    """Controls that resume a run; `wanted` carries the run, and the backend if another one was chosen."""

    wanted = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self.backend = QComboBox()
        self.backend.setAccessibleName("backend to resume with")
        for name, title in BACKENDS.items():
            self.backend.addItem(title, name)
        self.button = Button("Resume", "primary", "play")
        self._record: RunRecord | None = None
        self._before: tuple[str, str] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.backend)
        row.addWidget(self.button)
        self.backend.currentIndexChanged.connect(self._update_text)
        self.button.clicked.connect(self._on_clicked)
        self._update_text()

    def show_run(self, record: RunRecord | None, free: bool) -> None:
        """Show a run, or nothing for None; `free` says whether it can be resumed now.

        The choice returns to the run's own backend when another run is shown, or when the run has trained further.
        """
        self._record = record
        own = (record.name, record.backend) if record else None
        if own and own != self._before:
            self._before = own
            self.backend.setCurrentIndex(self.backend.findData(own[1]))
        for widget in (self.backend, self.button):
            widget.setEnabled(free)
        self.setVisible(record is not None)

    def _update_text(self) -> None:
        own = self._before is None or self.backend.currentData() == self._before[1]
        self.backend.setToolTip(SAME if own else OTHER)

    def _on_clicked(self) -> None:
        record, chosen = self._record, self.backend.currentData()
        if record:
            self.wanted.emit(record.name, chosen if chosen != record.backend else None)


class CurvesCard(Card):
    """Plots by quantity; buttons according to the state of the run."""

    resume_wanted = Signal(str, object)

    def __init__(self, session: Session) -> None:
        super().__init__("No run yet")
        self._session = session
        self._primary: RunRecord | None = None
        self.pause, self.stop = Button("Pause", icon_name="pause"), Button("Stop and keep", "danger", "stop")
        self.resuming = ResumeChoice()
        self.resume = self.resuming.button
        for widget in (self.resuming, self.pause, self.stop):
            self.add_action(widget)
        self.plots = {quantity.name: CurvePlot(quantity.title, "epoch", self) for quantity in QUANTITIES}
        self.controls = CurveControls(list(self.plots.values()), DISCLAIMER)
        self._row = QHBoxLayout()
        self._row.setSpacing(10)
        self._placed: list[PlotSpec] = []
        self._drawn: Sequence[object] = ()
        self._floors: dict[str, dict[str, tuple[float, str]]] = {}
        self.add(self._row, 1)
        line = QHBoxLayout()
        line.addWidget(self.controls)
        line.addStretch()
        self.add(line)
        self.pause.clicked.connect(self._on_pause_clicked)
        self.stop.clicked.connect(session.job.stop)
        self.resuming.wanted.connect(self.resume_wanted)
        self.show_runs([], None)

    def show_runs(self, records: Sequence[RunRecord], primary: RunRecord | None) -> None:
        """Draw the curves of these runs; title and buttons belong to the primary one."""
        self._primary = primary
        self._arrange_plots(plots_for(list(records)))
        for quantity in self._placed:
            self.plots[quantity.name].set_empty_text(EMPTY if records else NO_RUN)
        drawn = [
            (record.run.path, record.last_epoch, record.target_epochs, record.best, record.started)
            for record in records
        ]
        for quantity in self._placed if drawn != self._drawn else []:
            with self.plots[quantity.name].batch():
                self.plots[quantity.name].canvas.set_x_limit(max(map(x_limit, records), default=0))
                self._draw(quantity, records)
        self._drawn = drawn
        self._show_title(len(records))
        self.show_buttons()

    def show_buttons(self) -> None:
        """Show the buttons that apply to the primary run now."""
        job, primary = self._session.job, self._primary
        mine = primary is not None and job.run == primary.name
        self.pause.setVisible(mine)
        self.stop.setVisible(mine)
        waiting = primary is not None and primary.can_resume and not mine
        self.resuming.show_run(primary if waiting else None, free=not job.is_busy())
        held = job.state in ("paused", "pausing")
        self.pause.setText("Continue" if held else "Pause")
        self.pause.set_icon("play" if held else "pause")
        self.pause.setEnabled(job.state not in ("stopping", "pausing"))
        self.stop.setEnabled(job.state != "stopping")
        self.stop.setText("Stopping…" if job.state == "stopping" else "Stop and keep")

    def _arrange_plots(self, wanted: list[PlotSpec]) -> None:
        """Lay out these plots, side by side."""
        if wanted == self._placed:
            return
        for plot in self.plots.values():
            self._row.removeWidget(plot)
            plot.hide()
        for quantity in wanted:
            self._row.addWidget(self.plots[quantity.name], 1)
            self.plots[quantity.name].show()
        self._placed = wanted

    def _draw(self, quantity: PlotSpec, records: Sequence[RunRecord]) -> None:
        plot, kept = self.plots[quantity.name], []
        for record in records:
            for name, (epochs, values) in curves(record, quantity).items():
                key = f"{record.name} {name}"
                style = SeriesStyle(key.replace(" ", NO_BREAK), record.name, dashed=name == "validation")
                plot.set_series(key, epochs, values, style)
                best = record.best if name == "validation" else None
                plot.mark_best(key, best.epoch if best else None)
                kept.append(key)
        plot.keep_series(kept)
        before, wanted = self._floors.get(quantity.name, {}), entropy_floors(records, quantity)
        for name in before.keys() - wanted.keys():
            plot.set_reference(name, None)
        for name, floor in wanted.items():
            if before.get(name) != floor:
                plot.set_reference(name, *floor)
        self._floors[quantity.name] = wanted

    def _show_title(self, count: int) -> None:
        primary = self._primary
        if primary is None:
            self.set_title("No run yet")
            self.set_subtitle("")
            return
        self.set_title(primary.name)
        more = f"and {count - 1} more · " if count > 1 else ""
        self.set_subtitle(more + run_summary(primary))

    def _on_pause_clicked(self) -> None:
        job = self._session.job
        job.resume() if job.state in ("paused", "pausing") else job.pause()


def x_limit(record: RunRecord) -> int:
    """Return the last epoch of a run's axis: its target, or a nearer epoch while the target is far away."""
    return min(record.target_epochs, max(AHEAD * record.last_epoch, LEAST_REACH))


def run_summary(record: RunRecord) -> str:
    """Return state, start, device and size of a run in a few words."""
    words = [record.state]
    if record.started:
        words.append(f"started {datetime.fromtimestamp(record.started.time):%d %b %H:%M}")
        words.append(f"{BACKENDS.get(record.started.backend, record.started.backend)}, {record.started.device}")
        words.append(f"{format_parameters(record.started.parameters)} parameters")
    if record.config:
        words.append(f"seed {record.config.training.seed}")
    if record.best:
        words.append(f"best epoch {record.best.epoch}")
    return " · ".join(words)
