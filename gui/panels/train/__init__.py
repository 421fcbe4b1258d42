"""The Train panel: settings, runs, live curves, reconstructions through the epochs, log."""

import csv
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QSplitter

from engine.messages import RequestFailed
from gui.panel import DISCLAIMER, AppContext, Panel, ResumeRun, ShowRun, Target, UseSettings, fixed_column
from gui.panels.train.curves_card import CurvesCard
from gui.panels.train.first_run_card import FirstRunCard
from gui.panels.train.log_card import LogCard
from gui.panels.train.new_run_card import NewRunCard
from gui.panels.train.previews_card import PreviewsCard
from gui.panels.train.runs_card import RunsCard
from gui.run_record import RunRecord
from gui.theme import GAP
from gui.widgets.card import PlainScrollArea
from gui.widgets.timers import make_timer

SOON_MS = 60
# Least heights: a plot with its axis, two rows of images.
CURVES_PX, PREVIEWS_PX = 300, 240


class TrainPanel(Panel):
    """Panel that follows the session; it rebuilds its views from the records whenever one changes."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.new_run, self.runs = NewRunCard(desk), RunsCard(self.session)
        self.curves, self.previews, self.log = CurvesCard(self.session), PreviewsCard(), LogCard()
        self.ask_path = QFileDialog.getSaveFileName
        self.start_button, self.first_steps = self.new_run.start, FirstRunCard(self.session)
        self._splitters = QSplitter(Qt.Orientation.Vertical), QSplitter(Qt.Orientation.Vertical)
        self._primary: str | None = None
        self._wanted: list[str] = []
        self._before: list[str] = []
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self.refresh)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        left, right = self._splitters
        for splitter, parts in ((left, (self.new_run, self.runs)), (right, (self.curves, self.previews, self.log))):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(GAP)
            splitter.splitterMoved.connect(self.state_changed)
            for part in parts:
                splitter.addWidget(part)
        left.setSizes([480, 295])
        right.setSizes([390, 305, 100])
        self.curves.setMinimumHeight(CURVES_PX)
        self.previews.setMinimumHeight(PREVIEWS_PX)
        # Plots in two rows may need more height than a small screen has.
        scroll = PlainScrollArea()
        scroll.setWidget(right)
        self.lay_out(fixed_column(self.first_steps, left, stretched=left), scroll)

    def _connect(self) -> None:
        session = self.session
        for changed in (session.runs_changed, session.run_changed, self.shown):
            changed.connect(self._wake)
        session.job_changed.connect(self.curves.show_buttons)
        self.runs.chosen.connect(self._on_chosen)
        session.run_list.eyes_changed.connect(self._wake)
        self.runs.state_changed.connect(self.state_changed)
        self.connect_runs(self.runs.list)
        self.curves.resume_wanted.connect(lambda name, backend: session.resume(name, backend=backend))
        self.curves.controls.export_failed.connect(self.new_run.notice.show_notice)
        self.curves.grid.state_changed.connect(self.state_changed)
        self.curves.grid.enlarged.connect(self._on_enlarged)
        self.runs.table.hovered.connect(self.curves.grid.highlight)
        self.new_run.started.connect(lambda name: self.choose([name]))
        self.new_run.copy_wanted.connect(self.copy_python)
        self.new_run.changed.connect(self.state_changed)
        self.first_steps.train_wanted.connect(self.new_run.start_quick)
        self.first_steps.lesson_wanted.connect(lambda: self.help_requested.emit("lesson", "1"))
        self.first_steps.guide_wanted.connect(lambda: self.help_requested.emit("page", "guide"))
        self.previews.pointed.connect(self.status_changed)

    def choose(self, names: list[str]) -> None:
        """Show these runs; a run that is not known yet appears as soon as it is."""
        self._wanted = names
        self.refresh()

    def refresh(self) -> None:
        """Show the list, and the records of the chosen runs."""
        self.runs.refresh()
        records = self.session.runs.records
        found = [name for name in self._wanted if name in records]
        if found and found == self._wanted:
            self._wanted = []
            self._select(found)
        chosen = self.runs.table.chosen_keys()
        if not chosen and not self._wanted and records:
            own = [name for name, record in records.items() if not record.search]
            chosen = [(own or list(records))[-1]]
            self._select(chosen)
        self._show([records[name] for name in self.session.run_list.shown_keys() if name in records], chosen)

    def navigate(self, target: Target) -> None:
        """Resume the current run, show another, or take the settings of one."""
        if isinstance(target, ResumeRun) and self.curves.resume.isVisible():
            self.curves.resume.click()
        elif isinstance(target, ShowRun):
            self.choose([target.name])
        elif isinstance(target, UseSettings):
            record = self.session.record(target.name)
            if record and record.config:
                self.new_run.load_config(record.config)

    def save_state(self) -> dict[str, Any]:
        chosen = self.runs.table.chosen_keys()
        sizes = [splitter.sizes() for splitter in self._splitters]
        lists = {
            "costs": self.new_run.estimator.save_state(),
            "list": self.runs.list.save_state(),
            "plots": self.curves.grid.save_state(),
        }
        return {"settings": self.new_run.settings.values(), "chosen": chosen or self._wanted, "sizes": sizes, **lists}

    def restore_state(self, kept: dict[str, Any]) -> None:
        values, chosen = kept.get("settings"), kept.get("chosen")
        if isinstance(values, dict):
            self.new_run.settings.set_values(values)
        for splitter, sizes in zip(self._splitters, kept.get("sizes") or (), strict=False):
            splitter.setSizes([size for size in sizes if isinstance(size, int)])
        parts = ((self.runs.list, "list"), (self.curves.grid, "plots"), (self.new_run.estimator, "costs"))
        for part, name in parts:
            if isinstance(kept.get(name), dict):
                part.restore_state(kept[name])
        if isinstance(chosen, list):
            self.choose([name for name in chosen if isinstance(name, str)])

    def export(self) -> None:
        """Write the metrics of the runs that are shown, epoch by epoch."""
        path = self.ask_path(self, "Export the curves of the selected runs", "runs.csv", "*.csv")[0]
        records = [self.session.runs.records[name] for name in self.session.run_list.shown_keys()]
        if path:
            try:
                write_numbers(records, Path(path))
            except OSError as error:
                reason = f"Could not write the values to {path} ({error.strerror})."
                self.session.job_failed.emit(RequestFailed(reason=reason, advice="Choose another folder."))

    def as_python(self) -> str:
        return self.new_run.python()

    def _select(self, names: list[str]) -> None:
        """Select runs that the list may not show yet."""
        self.session.run_list.refresh()
        self.runs.table.select(names)

    def _show(self, records: list[RunRecord], chosen: list[str]) -> None:
        """Show the curves of these runs, and the images and the log of the one that was chosen last."""
        if self._primary not in chosen:
            self._primary = chosen[-1] if chosen else None
        primary = self.session.record(self._primary)
        self.curves.show_runs(records, primary)
        self.previews.show_run(primary)
        self.log.show_run(primary)

    def _on_chosen(self, names: list[str]) -> None:
        """Show the images and the log of the run that was added to the selection last."""
        added = [name for name in names if name not in self._before]
        if added or self._primary not in names:
            last = added or names
            self._primary = last[-1] if last else None
        self._before = names
        if self._primary and self.isVisible():
            self.session.selection.set_run(self._primary)
        self._soon.start()
        self.state_changed.emit()

    def _on_enlarged(self, large: bool) -> None:
        """Give an enlarged plot the room of the images and the log."""
        self.previews.setVisible(not large)
        self.log.setVisible(not large)

    def _wake(self, *_: object) -> None:
        """Schedule a refresh; a hidden panel waits until it is shown."""
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()


def write_numbers(records: list[RunRecord], path: Path) -> None:
    """Write one row for each epoch of each run. Raises OSError."""
    names = sorted({name for record in records for event in record.epochs.values() for name in event.metrics})
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {DISCLAIMER}\n")
        writer = csv.writer(file)
        writer.writerow(["run", "epoch", *names])
        for record in records:
            for epoch, event in sorted(record.epochs.items()):
                writer.writerow([record.name, epoch, *(event.metrics.get(name, "") for name in names)])
