"""Progress of the study: a line for each stage, and the buttons that pause and stop it."""

from dataclasses import dataclass

from PySide6.QtWidgets import QGridLayout, QProgressBar, QSizePolicy, QWidget

from engine.messages import StudyProgress
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.labels import ElidedLabel, fix_width, label

STAGES = {"training": "Training", "measuring": "Evaluation", "drawing": "Figures"}
STEPS = 1000
NAME_PX, BAR_PX = 72, 220
STATES = {
    "new": "not started in this folder",
    "running": "running",
    "finished": "finished",
    "stopped": "stopped; finished runs and completed epochs are saved",
    "failed": "failed",
    "interrupted": "interrupted; finished runs and completed epochs are saved",
}


@dataclass(frozen=True)
class StageProgress:
    """One stage: its bar and its text."""

    bar: QProgressBar
    text: ElidedLabel


class ProgressCard(Card):
    """Card that follows the session and the study folder."""

    def __init__(self, session: Session) -> None:
        super().__init__("Progress")
        self._session = session
        self.stop, self.open = Button("Stop and keep", "danger"), Button("Open report", icon_name="open")
        self.pause = Button("Pause")
        self.lines = {stage: _line(title) for stage, title in STAGES.items()}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(7)
        grid.setColumnStretch(2, 1)
        for row, (stage, line) in enumerate(self.lines.items()):
            name = label(STAGES[stage], role="quiet")
            fix_width(name, NAME_PX)
            grid.addWidget(name, row, 0)
            grid.addWidget(line.bar, row, 1)
            grid.addWidget(line.text, row, 2)
        self.add(grid)
        self.add_action(self.open)
        self.add_action(self.pause)
        self.add_action(self.stop)
        self.stop.clicked.connect(session.job.stop)
        self.pause.clicked.connect(self._on_pause_clicked)

    def show_state(self, state: str, facts: str, has_page: bool) -> None:
        """Show the state of the study in the folder; the progress of a study in another program is unknown here."""
        said = STATES.get(state, state)
        self.set_subtitle(f"{said} · {facts}" if facts else said)
        self.open.setEnabled(has_page)
        job = self._session.job
        held = job.state in ("paused", "pausing")
        if job.study is not None and held:
            self.set_subtitle(f"{job.state} · {facts}" if facts else job.state)
        self.pause.setVisible(job.study is not None)
        self.pause.setEnabled(job.state != "stopping")
        self.pause.setText("Continue" if held else "Pause")
        self.stop.setVisible(job.study is not None)
        self.stop.setEnabled(job.state != "stopping")
        self.stop.setText("Stopping…" if job.state == "stopping" else "Stop and keep")
        if job.study is None:
            for line in self.lines.values():
                done = state == "finished"
                self._show(line, 1.0 if done else 0.0, "done" if done else "")

    def show_progress(self, event: StudyProgress) -> None:
        """Fill the bar of the current stage; the stages before it are done."""
        order = list(self.lines)
        now = order.index(event.stage)
        for place, stage in enumerate(order):
            if place == now:
                self._show(self.lines[stage], event.share, event.text)
            else:
                self._show(self.lines[stage], float(place < now), "done" if place < now else "")

    def show_start(self) -> None:
        """Show that a study was started and has not reported yet."""
        for line in self.lines.values():
            self._show(line, 0.0, "")
        self._show(self.lines["training"], None, "Starting…")

    def _on_pause_clicked(self) -> None:
        job = self._session.job
        job.resume() if job.state in ("paused", "pausing") else job.pause()

    def _show(self, line: StageProgress, share: float | None, text: str) -> None:
        if share is not None:
            line.bar.setRange(0, STEPS)
            line.bar.setValue(round(min(max(share, 0.0), 1.0) * STEPS))
        elif line.bar.value() <= 0:
            line.bar.setRange(0, 0)
        line.text.setText(text)


def _line(title: str, parent: QWidget | None = None) -> StageProgress:
    bar, text = QProgressBar(parent), ElidedLabel()
    bar.setTextVisible(False)
    bar.setRange(0, STEPS)
    bar.setFixedWidth(BAR_PX)
    bar.setAccessibleName(f"{title} progress")
    text.setProperty("role", "quiet")
    text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return StageProgress(bar, text)
