"""The Search panel: define a search space, follow the trials as lines, table and curves, inspect the best."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QWidget

from engine.errors import EngramError
from engine.search.commands import EndTrial
from gui.panel import AppContext, CompareRuns, Panel, ResumeSearch, Target, scroll_column
from gui.panels.search.controller import SearchController, SearchMonitor
from gui.panels.search.edit_search_card import EditSearchCard
from gui.panels.search.export import SearchExporter, command_for, search_script
from gui.panels.search.importance_card import ImportanceCard
from gui.panels.search.new_search_card import NewSearchCard
from gui.panels.search.plot_card import PlotCard
from gui.panels.search.trial_card import TrialCard
from gui.panels.search.trial_rows import tooltip
from gui.panels.search.trials_card import BestCard, TrialsCard
from gui.theme import GAP
from gui.widgets.timers import StepQueue, make_timer

SIDE_PX, SOON_MS = 318, 120
MANY = 100  # trials; up to as many, everything is shown at once


class SearchPanel(Panel):
    """The form of the search at the left, its progress in the middle, its results at the right."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.watch = SearchMonitor(self.session, self)
        self.controller = SearchController(desk, self.watch, self)
        self.order, self.change = NewSearchCard(desk), EditSearchCard(desk)
        self.plot, self.trials = PlotCard(self.session.record), TrialsCard(self.session)
        self.importance, self.best, self.trial = ImportanceCard(self.session), BestCard(), TrialCard(self.session)
        self.exporter, self.start_button = SearchExporter(self), self.order.start
        self.left, self.splitter = QStackedWidget(), QSplitter(Qt.Orientation.Vertical)
        self._shown_name, self._chosen = "", 0
        self._beats = StepQueue(self)
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self._show_trials)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self.left.addWidget(self.order)
        self.left.addWidget(scroll_column(self.change))
        for part in (self.plot, self.trials):
            self.splitter.addWidget(part)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(GAP)
        self.splitter.setSizes([430, 340])
        self.side = scroll_column(self.importance, self.best, self.trial, stretched=self.trial)
        self.side.setFixedWidth(SIDE_PX)
        middle, row = QWidget(), QHBoxLayout()
        middle.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(self.splitter, 1)
        row.addWidget(self.side)
        self.lay_out(self.left, middle)

    def _connect(self) -> None:
        watch, do, plot, trials = self.watch, self.controller, self.plot, self.trials
        watch.changed.connect(self.refresh)
        watch.said.connect(plot.notice.show_notice)
        self.exporter.failed.connect(plot.notice.show_notice)
        do.message.connect(lambda text, kind: plot.notice.show_notice(text, kind))
        self.shown.connect(lambda: watch.set_active(True))
        self.session.runs_changed.connect(self.refresh)
        self.order.wanted.connect(do.begin)
        self.order.wanted.connect(lambda _: self.state_changed.emit())
        self.order.changed.connect(self.state_changed)
        self.change.applied.connect(do.apply)
        plot.chosen.connect(self.open)
        plot.new_wanted.connect(lambda: self.open(""))
        plot.settings.toggled.connect(self.left.setVisible)
        plot.go_on_wanted.connect(lambda: do.go_on())
        plot.pause_wanted.connect(do.pause)
        plot.stop_wanted.connect(do.stop)
        plot.export_wanted.connect(self.export)
        plot.axes.brushed.connect(self._soon.start)
        plot.axes.hovered.connect(self._on_line_hovered)
        for chosen in (plot.axes.chosen, plot.points.chosen, self.best.plot.chosen):
            chosen.connect(lambda key: self.select_trial(int(key)))
        for hovered in (plot.points.hovered, self.best.plot.hovered):
            hovered.connect(self.trials.table.highlight)
        trials.enqueue_wanted.connect(do.enqueue_manually)
        trials.hovered.connect(plot.axes.highlight)
        trials.chosen.connect(self.select_trial)
        self.session.run_changed.connect(self._on_run_changed)
        self.session.data_loaded.connect(self._soon.start)
        for card in (trials, self.trial):
            card.stop_wanted.connect(lambda number: do.send_command(EndTrial(number)))
            card.compare_wanted.connect(
                lambda these: self.navigation_requested.emit("compare", CompareRuns(tuple(watch.runs_of(these))))
            )
            card.keep_wanted.connect(do.save_as_run)

    def open(self, name: str) -> None:
        """Show a search, or the form of a new one for an empty name."""
        self.plot.notice.show_notice("")
        self.watch.open(name)
        self.state_changed.emit()

    def refresh(self) -> None:
        """Show the snapshot of the selected search; many trials are shown card by card, one per beat."""
        found, name = self.watch.found, self.watch.name
        self.plot.show_names(self.watch.names(), name)
        self.left.setCurrentIndex(int(found is not None))
        if name != self._shown_name:
            self._shown_name = name
            self.plot.settings.setChecked(not name)
            self._chosen = 0
        self.left.setVisible(not name or self.plot.settings.isChecked())
        self.side.setVisible(found is not None)
        watch, job = self.watch, self.session.job
        cards = (self.importance, self.best, self.change)
        steps: list[Callable[[], object]] = [lambda: self.plot.set_snapshot(watch.found, job)]
        steps += [lambda: self.trials.prepare_rows(watch.found), self._show_trials]
        steps += [lambda card=card: card.set_snapshot(watch.found) for card in cards]  # type: ignore[misc]
        spread = found is not None and len(found.trials) > MANY
        (self._beats.schedule if spread else self._beats.run_now)(steps)

    def select_trial(self, number: int) -> None:
        """Select a trial by its number."""
        self._chosen = number
        self._show_trials()

    def _show_trials(self) -> None:
        """Show the trials that the brushes select, and the chosen trial, or the best if none is chosen."""
        found = self.watch.found
        self.trials.set_snapshot(found, self.plot.axes.selection() if found else None)
        trial = (found.trial(self._chosen) or found.best) if found else None
        if trial is not None and self._chosen:
            self.trials.choose(trial.number)
        key = str(trial.number) if trial else ""
        self.plot.select(key)
        self.best.plot.select(key)
        if self.isVisible():
            self.trial.show_trial(found, trial)

    def navigate(self, target: Target) -> None:
        """Open a search and resume it."""
        if isinstance(target, ResumeSearch):
            self.open(target.name)
            if self.watch.found is not None:
                self.controller.go_on()

    def export(self) -> None:
        """Export the lines or the table."""
        self.exporter.export(self.watch.found, self.plot.axes)

    def as_python(self) -> str:
        """Return a script for the selected search, or for the new one in the form; empty if that is invalid."""
        try:
            order = command_for(self.watch.found) if self.watch.found else self.order.command()
        except EngramError:
            return ""
        return search_script(order)

    def save_state(self) -> dict[str, Any]:
        return {"search": self.watch.name, "order": self.order.memory(), "sizes": self.splitter.sizes()}

    def restore_state(self, kept: dict[str, Any]) -> None:
        if isinstance(kept.get("order"), dict):
            self.order.recall(kept["order"])
        sizes = kept.get("sizes")
        if isinstance(sizes, list) and sum(size for size in sizes if isinstance(size, int)) > 0:
            self.splitter.setSizes([size for size in sizes if isinstance(size, int)])
        if kept.get("search") in self.watch.names():
            self.open(kept["search"])

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.watch.set_active(False)

    def _on_line_hovered(self, key: str) -> None:
        """Light the row of a line, and say in the status bar what it is."""
        self.trials.table.highlight(key)
        found = self.watch.found
        trial = found.trial(int(key)) if found and key else None
        self.status_changed.emit(tooltip(found, trial).replace("\n", " · ") if found and trial else "")

    def _on_run_changed(self, run: str) -> None:
        """Update the curves when a run of this search has new events."""
        if self.watch.name and run.startswith(f"{self.watch.name}-") and self.isVisible():
            self._soon.start()
