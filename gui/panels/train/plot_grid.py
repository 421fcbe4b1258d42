"""Plots of the chosen runs, side by side, with the controls that they share."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from gui.panel import DISCLAIMER
from gui.panels.train.quantities import (
    MACHINE,
    QUANTITIES,
    SQUARED,
    TOTAL,
    PlotSpec,
    curves,
    entropy_floors,
    loss_unit,
    plots_for,
    x_limit,
)
from gui.run_record import RunRecord, XAxis
from gui.widgets.curves.axis import Kind
from gui.widgets.curves.controls import CurveControls
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import SeriesStyle
from gui.widgets.labels import FilterChip, label

NO_BREAK = "\u00a0"
PLOT_PX, ROW_PX = 190, 190
MOST_COLUMNS = 4
EMPTY = "The curves appear here after the first epoch."
NO_RUN = "No run yet. Choose settings on the left and press 'Start training'."
LINES = "━ training  ╍ validation"
AXES: dict[XAxis, tuple[str, str, Kind]] = {
    "epoch": ("Epoch", "epoch", "number"),
    "step": ("Step", "step", "number"),
    "relative": ("Training time", "training time", "duration"),
    "wall": ("Clock time", "clock time", "clock"),
}
BATCHES = "batches"
BATCH_TIP = "Show the loss of the batches within each epoch as a faint line."


class PlotGrid(QWidget):
    """Plots by quantity; `enlarged` says that one of them takes all the room, or that none does any more."""

    enlarged = Signal(bool)
    state_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.plots: dict[str, CurvePlot] = {}
        self.axis, self.batches, self._choice = QComboBox(), FilterChip("Batches", True), QPushButton("Plots")
        self.controls = CurveControls([], DISCLAIMER, (self.axis, self.batches, self._choice, label(LINES, "caption")))
        self.hidden_plots = {spec.name for spec in MACHINE}
        self._records: Sequence[RunRecord] = ()
        self._placed: tuple[list[PlotSpec], int] = ([], 0)
        self._contents: object = None
        self._drawn: object = None
        self._live: object = None
        self._floors: dict[str, dict[str, tuple[float, str]]] = {}
        self._grid = QGridLayout()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for key, (title, *_) in AXES.items():
            self.axis.addItem(title, key)
        self.axis.setAccessibleName("x axis")
        self.axis.setToolTip("What the x axis shows")
        self.batches.setToolTip(BATCH_TIP)
        menu = QMenu(self._choice)
        for spec in (*QUANTITIES, *MACHINE):
            action = menu.addAction(spec.title)
            action.setCheckable(True)
            action.setChecked(spec.name not in self.hidden_plots)
            action.triggered.connect(lambda shown, name=spec.name: self._on_plot_chosen(name, shown))
        self._choice.setMenu(menu)
        self._choice.setProperty("kind", "chip")
        self._grid.setSpacing(10)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid, 1)
        column.addWidget(self.controls)

    def _connect(self) -> None:
        self.axis.currentIndexChanged.connect(self._redraw_all)
        self.batches.toggled.connect(self._redraw_all)
        for spec in QUANTITIES:
            self._make_plot(spec)

    def _make_plot(self, spec: PlotSpec) -> CurvePlot:
        """Return a new plot of a quantity; those of the machine are made when they are first shown."""
        plot = self.plots[spec.name] = CurvePlot(spec.title, "epoch", self, listed=True)
        plot.enlarge_toggled.connect(partial(self._on_enlarge_toggled, plot))
        self.controls.add_plot(plot)
        return plot

    def show_runs(self, records: Sequence[RunRecord]) -> None:
        """Draw the curves of these runs; what has not changed is not drawn again."""
        self._records = records
        self._choose_plots()
        drawn = [(r.run.path, r.last_epoch, r.target_epochs, r.best, r.started) for r in records]
        live = [(record.name, record.live_points) for record in records if record.live_points]
        if drawn != self._drawn:
            for quantity in self._placed[0]:
                self._change(quantity, self._draw)
        elif live != self._live and self.batches.isChecked():
            for quantity in self._placed[0]:
                if any(_has_batches(quantity, record) for record in records):
                    self._change(quantity, self._draw_batches)
        self._drawn, self._live = drawn, live

    def highlight(self, run: str) -> None:
        """Let the curves of one run stand out; an empty name ends this."""
        for plot in self.plots.values():
            plot.highlight(run)

    def save_state(self) -> dict[str, Any]:
        return {"axis": self.axis.currentData(), "hidden": sorted(self.hidden_plots)}

    def restore_state(self, kept: dict[str, Any]) -> None:
        self.axis.setCurrentIndex(max(self.axis.findData(kept.get("axis")), 0))
        if isinstance(kept.get("hidden"), list):
            names = {spec.name for spec in (*QUANTITIES, *MACHINE)}
            self.hidden_plots = names.intersection(map(str, kept["hidden"]))
            for spec, action in zip((*QUANTITIES, *MACHINE), self._choice.menu().actions(), strict=True):
                action.setChecked(spec.name not in self.hidden_plots)
            self._redraw_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _choose_plots(self) -> None:
        """Show the plots that these runs have metrics for."""
        contents = [(record.run.path, record.metric_names) for record in self._records]
        if contents != self._contents:
            self._contents, self._drawn = contents, None
            self._arrange()
            for quantity in self._placed[0]:
                self.plots[quantity.name].set_empty_text(EMPTY if contents else NO_RUN)

    def _wanted(self) -> list[PlotSpec]:
        machine = [spec for spec in MACHINE if any(curves(record, spec) for record in self._records)]
        wanted = [spec for spec in plots_for(self._records) if spec.name not in self.hidden_plots]
        wanted += [spec for spec in machine if spec.name not in self.hidden_plots]
        for spec in wanted:
            if spec.name not in self.plots:
                self._make_plot(spec)
        large = [spec for spec in wanted if self.plots[spec.name].enlarge.isChecked()]
        return large or wanted

    def _arrange(self) -> None:
        """Lay out the wanted plots, as many in a row as there is room for."""
        wanted = self._wanted()
        rows = max((self.height() - self.controls.height()) // ROW_PX, 1)
        columns = max(min(self.width() // PLOT_PX, MOST_COLUMNS), -(-len(wanted) // rows), 1)
        if (wanted, columns) == self._placed:
            return
        for plot in self.plots.values():
            self._grid.removeWidget(plot)
        for place, spec in enumerate(wanted):
            self._grid.addWidget(self.plots[spec.name], *divmod(place, columns))
        for column in range(len(QUANTITIES) + len(MACHINE)):
            self._grid.setColumnStretch(column, int(column < min(len(wanted), columns)))
        for name, plot in self.plots.items():
            plot.setVisible(name in [spec.name for spec in wanted])
        self._placed = wanted, columns

    def _change(self, quantity: PlotSpec, draw: Callable[[PlotSpec], Collection[str]]) -> None:
        """Draw a part of a plot again, all of it in one go."""
        plot, axis = self.plots[quantity.name], self.axis.currentData()
        with plot.batch():
            plot.set_x_axis(*AXES[axis][1:])
            plot.canvas.set_x_limit(max(map(x_limit, self._records), default=0) if axis == "epoch" else 0)
            draw(quantity)

    def _draw(self, quantity: PlotSpec) -> list[str]:
        plot, axis = self.plots[quantity.name], self.axis.currentData()
        kept = self._draw_batches(quantity)
        for record in self._records:
            for name, (epochs, values) in curves(record, quantity).items():
                key = f"{record.name} {name}".strip()
                style = SeriesStyle(key.replace(" ", NO_BREAK), record.name, dashed=name == "validation")
                plot.set_series(key, record.to_axis(epochs, axis), values, style)
                best = record.best if name == "validation" else None
                plot.mark_best(key, record.to_axis([best.epoch], axis)[0] if best else None)
                kept.append(key)
        plot.keep_series(kept)
        self._draw_floors(quantity)
        return kept

    def _draw_batches(self, quantity: PlotSpec) -> list[str]:
        """Draw the loss within the epochs, and return the keys of these curves."""
        plot, kept = self.plots[quantity.name], []
        for record in self._records if self.batches.isChecked() else ():
            places, losses = record.batch_curve()
            if places and _has_batches(quantity, record):
                kept.append(f"{record.name} {BATCHES}")
                style = SeriesStyle(kept[-1], record.name, faint=True)
                plot.set_series(kept[-1], record.to_axis(places, self.axis.currentData()), losses, style)
        return kept

    def _draw_floors(self, quantity: PlotSpec) -> None:
        plot = self.plots[quantity.name]
        before, wanted = self._floors.get(quantity.name, {}), entropy_floors(self._records, quantity)
        for name in before.keys() - wanted.keys():
            plot.set_reference(name, None)
        for name, floor in wanted.items():
            if before.get(name) != floor:
                plot.set_reference(name, *floor)
        self._floors[quantity.name] = wanted

    def _redraw_all(self) -> None:
        self._contents = None
        self.show_runs(self._records)
        self.state_changed.emit()

    def _on_plot_chosen(self, name: str, shown: bool) -> None:
        self.hidden_plots = self.hidden_plots - {name} if shown else self.hidden_plots | {name}
        self._redraw_all()

    def _on_enlarge_toggled(self, plot: CurvePlot, large: bool) -> None:
        for other in self.plots.values():
            if other is not plot and large:
                other.enlarge.setChecked(False)
        self._redraw_all()
        self.enlarged.emit(large)
        plot.setFocus()


def _has_batches(quantity: PlotSpec, record: RunRecord) -> bool:
    """Return whether a quantity is what a run's batches are trained on."""
    return quantity is (TOTAL if loss_unit(record) else SQUARED)
