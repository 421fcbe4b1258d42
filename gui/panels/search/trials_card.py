"""Cards of the trials: their table, their curves, and the best score so far."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from gui.formatting import format_number
from gui.panel import DISCLAIMER
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.trial_points import history, top_trials
from gui.panels.search.trial_rows import RowBuilder, columns, score_title
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.curves.controls import CurveControls
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.points import PointAxis, PointPlot, Points
from gui.widgets.curves.series import SeriesStyle
from gui.widgets.labels import FilterChip, label
from gui.widgets.number_table import NumberTable

NO_CURVES = "The loss curves of the ten best trials appear here after their first epoch."
EMPTY = "Trials appear here once the search proposes them."
STATE = -1
SMALL_PX, HISTORY_PX = 5, 140
NO_BEST = "The best validation loss appears here after the first finished trial."


class TrialsCard(Card):
    """The table of trials with number, values, score, time and state; the selected one is shown in the trial card."""

    chosen = Signal(int)
    hovered = Signal(str)
    stop_wanted = Signal(int)
    keep_wanted = Signal(int)
    compare_wanted = Signal(list)
    enqueue_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("Trials")
        self._session = session
        self.table = NumberTable([], sortable=True)
        self.table.setAccessibleName("trials")
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.curves, self.as_curves = (
            CurvePlot("validation loss", "epoch"),
            FilterChip("Ten best as curves"),
        )
        self.curves.set_empty_text(NO_CURVES)
        self.controls = CurveControls([self.curves], DISCLAIMER)
        self.pages = QStackedWidget()
        self.enqueue = Button("Add trial manually…", icon_name="plus")
        self.empty = label(EMPTY, role="quiet", wrap=True)
        for action in (self.as_curves, self.enqueue):
            self.add_action(action)
        page, column = QWidget(), QVBoxLayout()
        page.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.curves, 1)
        column.addWidget(self.controls)
        for each in (self.table, page):
            self.pages.addWidget(each)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add(self.empty, 1)
        self.add(self.pages, 1)
        self._found: SearchSnapshot | None = None
        self._rows = RowBuilder()
        self._shape: tuple[object, ...] = ()
        self.table.chosen.connect(lambda keys: self.chosen.emit(int(keys[-1])) if keys else None)
        self.table.hovered.connect(self.hovered)
        self.table.customContextMenuRequested.connect(self._on_menu_wanted)
        self.enqueue.clicked.connect(self.enqueue_wanted)
        self.as_curves.toggled.connect(self._on_curves_toggled)
        self._on_curves_toggled(False)
        self.set_snapshot(None)

    def set_snapshot(self, found: SearchSnapshot | None, kept: Sequence[str] | None = None) -> None:
        """Show the trials in `kept`, or all trials (None)."""
        before, self._found = self._found, found
        self.enqueue.setVisible(found is not None)
        self.empty.setVisible(found is None or not found.trials)
        self.pages.setVisible(found is not None and bool(found.trials))
        self.as_curves.setVisible(found is not None and bool(found.trials))
        if found is None:
            self.set_subtitle("")
            return
        if found is not before:
            self._shape_for(found)
        if self.as_curves.isChecked():
            self.show_curves()
        shown = self._rows.build(found, kept)
        self.table.set_rows(shown)
        brushed = kept is not None and len(shown) < len(found.trials)
        self.set_subtitle(f"{len(shown)} of {len(found.trials)} selected" if brushed else str(len(found.trials) or ""))

    def prepare_rows(self, found: SearchSnapshot | None) -> None:
        """Build the rows of all trials ahead of `set_snapshot`, in a turn of the event loop of their own."""
        if found is not None:
            self._rows.build(found)

    def show_curves(self) -> None:
        """Draw the losses of the ten best trials and of the running ones, as far as their records go."""
        found = self._found
        ranked = top_trials(found) if found else []
        goals = [found.plan.trial(trial.config).training.epochs for trial, _ in ranked] if found else []
        self.curves.canvas.set_x_limit(max(goals, default=0))
        records = {trial.run: self._session.record(trial.run) for trial, _ in ranked}
        known = {run: record.curve("val_loss") for run, record in records.items() if record and record.epochs}
        with self.curves.batch():
            if list(self.curves.items) != list(known)[: len(self.curves.items)]:
                self.curves.keep_series([])  # their order has changed, and so has the legend
            for trial, color in ranked:
                if trial.run in known:
                    running = "" if trial.is_done else " running"
                    style = SeriesStyle(f"{trial.number}{running}", color, dashed=not trial.is_done)
                    self.curves.set_series(trial.run, *known[trial.run], style)

    def _on_curves_toggled(self, curves: bool) -> None:
        self.pages.setCurrentIndex(int(curves))
        if curves:
            self.show_curves()

    def _shape_for(self, found: SearchSnapshot) -> None:
        """Set the columns for this search, and sort the best trials first."""
        wanted = columns(found)
        shape = (found.search.path, *(column.title for column in wanted))
        if shape != self._shape:
            self._shape = shape
            self.table.set_columns(wanted, STATE)
            at = [column.title for column in wanted].index(score_title(found))
            self.table.sortByColumn(at, Qt.SortOrder.AscendingOrder)

    def choose(self, number: int) -> None:
        """Select one trial; a selection of several that contains it stays."""
        if str(number) not in self.table.chosen_keys():
            self.table.select([str(number)])

    def build_menu(self, number: int) -> QMenu:
        """Return the menu of the actions that apply to a trial."""
        menu, found = QMenu(self), self._found
        trial = found.trial(number) if found else None
        is_over = trial is not None and trial.is_done
        has_model = trial is not None and trial.score is not None
        stop = menu.addAction("Stop this trial", lambda: self.stop_wanted.emit(number))
        stop.setEnabled(trial is not None and not is_over and found is not None and found.busy)
        keep = menu.addAction("Save as run…", lambda: self.keep_wanted.emit(number))
        keep.setEnabled(is_over and has_model)
        chosen = [int(key) for key in self.table.chosen_keys()] or [number]
        compare = menu.addAction("Open in Compare", lambda: self.compare_wanted.emit(chosen))
        compare.setEnabled(bool(trial and trial.epochs))
        return menu

    def _on_menu_wanted(self, at: QPoint) -> None:
        key = self.table.key_at(at) or next(iter(self.table.chosen_keys()), None)  # the menu key has no position
        if key is not None:
            menu = self.build_menu(int(key))
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.table.viewport().mapToGlobal(at))


class BestCard(Card):
    """The score of every trial in their order, and the best so far as a falling line."""

    def __init__(self) -> None:
        super().__init__("History")
        self.plot = PointPlot("scores of the trials and the best so far", SMALL_PX)
        self.plot.canvas.setMinimumHeight(HISTORY_PX)
        self.plot.set_empty_text(NO_BEST)
        self.add(self.plot, 1)

    def set_snapshot(self, found: SearchSnapshot | None) -> None:
        self.plot.show_points(*(history(found) if found else (Points(), PointAxis("trial"), PointAxis(""))))
        best = found.best if found else None
        self.set_subtitle(f"best {format_number(best.score)} in trial {best.number}" if best else "")
