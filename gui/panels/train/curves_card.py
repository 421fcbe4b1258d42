"""Curves of the chosen runs, and the controls of the run in training."""

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Signal

from engine.config import BACKEND_TITLES
from engine.errors import RunError
from engine.messages import RequestFailed
from gui.formatting import format_parameters
from gui.panels.train.plot_grid import PlotGrid
from gui.panels.train.resume_choice import ResumeChoice
from gui.run_record import RunRecord
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card


class CurvesCard(Card):
    """Plots of the runs; buttons according to the state of the primary run, wherever it is trained."""

    resume_wanted = Signal(str, object)

    def __init__(self, session: Session) -> None:
        super().__init__("No run yet")
        self._session = session
        self._primary: RunRecord | None = None
        self._stopping = ""
        self.pause, self.stop = Button("Pause", icon_name="pause"), Button("Stop and keep", "danger", "stop")
        self.resuming, self.grid = ResumeChoice(), PlotGrid()
        self.resume, self.plots, self.controls = self.resuming.button, self.grid.plots, self.grid.controls
        for widget in (self.resuming, self.pause, self.stop):
            self.add_action(widget)
        self.add(self.grid, 1)
        self.pause.clicked.connect(self._on_pause_clicked)
        self.stop.clicked.connect(self._on_stop_clicked)
        self.resuming.wanted.connect(self.resume_wanted)
        self.show_runs([], None)

    def show_runs(self, records: Sequence[RunRecord], primary: RunRecord | None) -> None:
        """Draw the curves of these runs; title and buttons belong to the primary one."""
        self._primary = primary
        self.grid.show_runs(records)
        self._show_title(len(records))
        self.show_buttons()

    def show_buttons(self) -> None:
        """Show the buttons that apply to the primary run now."""
        job, primary = self._session.job, self._primary
        mine = primary is not None and job.run == primary.name
        elsewhere = primary is not None and primary.busy and not job.trains(primary.name)
        if primary is None or not elsewhere or self._stopping != primary.name:
            self._stopping = ""
        self.pause.setVisible(mine)
        self.stop.setVisible(mine or elsewhere)
        waiting = primary is not None and primary.can_resume and not mine
        self.resuming.show_run(primary if waiting else None, free=not job.is_busy())
        held = job.state in ("paused", "pausing")
        self.pause.setText("Continue" if held else "Pause")
        self.pause.set_icon("play" if held else "pause")
        self.pause.setEnabled(job.state not in ("stopping", "pausing"))
        stopping = (mine and job.state == "stopping") or (elsewhere and bool(self._stopping))
        self.stop.setEnabled(not stopping)
        self.stop.setText("Stopping…" if stopping else "Stop and keep")
        self.stop.setToolTip("This run is trained in another process; it stops after its current batch." * elsewhere)

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

    def _on_stop_clicked(self) -> None:
        """Stop the run: the own job by its command, one of another process by a request in its folder."""
        primary = self._primary
        if primary is None or self._session.job.run == primary.name:
            self._session.job.stop()
            return
        try:
            self._session.runs.request_stop(primary.name)
        except RunError as error:
            self._session.job_failed.emit(RequestFailed(reason=error.what, advice=error.advice))
        else:
            self._stopping = primary.name
            self.show_buttons()


def run_summary(record: RunRecord) -> str:
    """Return state, start, device and size of a run in a few words."""
    words = [record.state]
    if record.started:
        words.append(f"started {datetime.fromtimestamp(record.started.time):%d %b %H:%M}")
        words.append(f"{BACKEND_TITLES.get(record.started.backend, record.started.backend)}, {record.started.device}")
        words.append(f"{format_parameters(record.started.parameters)} parameters")
    if record.config:
        words.append(f"seed {record.config.training.seed}")
    best = record.best
    if best:
        words.append(f"best epoch {best.epoch}")
    return " · ".join(words)
