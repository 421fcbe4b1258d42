"""The Report panel: reports on one's own work, and the reference study, started, resumed, and read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import EngramError
from engine.messages import Event, Log, RequestFailed, RunStudy, StudyEnded, StudyProgress
from engine.study_folder import StudyFolder
from gui.panel import AppContext, Panel, ReportImage, ShowStudy, Target, fixed_column
from gui.panels.report.contents_card import ContentsCard, ReportExporter, items
from gui.panels.report.own_report_card import DEFAULT_NAME, OwnReportCard
from gui.panels.report.progress_card import ProgressCard
from gui.panels.report.script import report_script, study_script
from gui.panels.report.study_form_card import StudyFormCard
from gui.run_repository import Stamp, stamp
from gui.theme import GAP
from gui.widgets.timers import make_timer

LOOK_MS = 2000


class ReportPanel(Panel):
    """Panel with the study form and the list of results at the left, progress and one result at the right."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.order, self.progress, self.contents = StudyFormCard(desk), ProgressCard(self.session), ContentsCard()
        self.own = OwnReportCard(desk)
        self.exporter, self.start_button = ReportExporter(self), self.order.start
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        self._asked, self._key = False, ""
        self._seen: tuple[Path, Stamp | None] = Path(), None
        self._record: dict[str, Any] = {}
        self._timer = make_timer(self, LOOK_MS, single_shot=False)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self.progress)
        column.addWidget(self.contents, 1)
        index = self.contents.index
        self.lay_out(fixed_column(self.own, self.order, index, stretched=index), right)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        session = self.session
        self._timer.timeout.connect(self._on_timeout)
        self._timer.start()
        self.shown.connect(self.refresh)
        self.shown.connect(self.own.refresh)
        self.own.changed.connect(self.state_changed)
        session.study_event.connect(self._on_study_event)
        session.job_changed.connect(self.refresh)
        session.job_failed.connect(self._on_job_failed)
        self.order.wanted.connect(self._on_wanted)
        self.order.changed.connect(self.refresh)
        self.order.changed.connect(self.state_changed)
        self.order.copy_wanted.connect(lambda: self.copy_script(self._study_script()))
        self.own.copy_wanted.connect(self.copy_python)
        self.progress.open.clicked.connect(self.open_page)
        self.contents.chosen.connect(self._on_chosen)
        self.contents.save_wanted.connect(self.exporter.save)
        self.exporter.failed.connect(self.order.notice.show_notice)
        self.contents.export_wanted.connect(self.export)

    def study(self) -> StudyFolder:
        """Return the study of the chosen folder."""
        return StudyFolder(self.order.folder())

    def refresh(self) -> None:
        """Show the state of the study in the folder; reload its contents if its file has changed."""
        study = self.study()
        try:
            seen = study.path, stamp(study.record)
            if seen[1] is None or seen != self._seen:
                before = self._seen[0], self._record
                self._seen, self._record = seen, {}
                self._record = study.read()
                if (study.path, self._record) != before:
                    self.contents.show_items(items(self._record, study.path), self._key)
            state = "running" if self.session.job.study == str(study.path) else study.state()
        except (EngramError, OSError) as error:
            self.order.notice.show_notice(str(error))
            state = "failed"
        self.order.show_state(state)
        self.progress.show_state(state, progress_text(self._record), study.page.exists())

    def navigate(self, target: Target) -> None:
        """Show a study's folder, or a report on the current image."""
        if isinstance(target, ReportImage):
            self.own.choose_image(target)
        elif isinstance(target, ShowStudy):
            is_default = Path(target.folder) == self.order.default_folder()
            self.order.out.setText("" if is_default else target.folder)

    def open_page(self) -> None:
        """Open study.html in the web browser."""
        self.open_url(QUrl.fromLocalFile(str(self.study().page)))

    def save_state(self) -> dict[str, Any]:
        return {**self.order.memory(), "shown": self._key, "subject": self.own.kind()}

    def restore_state(self, kept: dict[str, Any]) -> None:
        self._key = kept["shown"] if isinstance(kept.get("shown"), str) else ""
        self.order.recall(kept)
        self.own.choose(str(kept.get("subject", "")))
        if self._key:
            self.contents.choose(self._key)

    def export(self) -> None:
        """Write page, tables, figures and numbers into one file."""
        self.exporter.export(self.study())

    def as_python(self) -> str:
        """Return a script for the report that the form describes; for the study if there is nothing to report on."""
        return report_script(self.own.order(DEFAULT_NAME)) if self.own.is_ready() else self._study_script()

    def _study_script(self) -> str:
        return study_script(self.order.command()) if self.order.is_valid() else ""

    def _on_wanted(self, order: RunStudy) -> None:
        self._asked = True
        self.order.notice.show_notice("")
        self.progress.show_start()
        self.session.job.start_study(order, self.desk.preferences.backend)

    def _on_study_event(self, event: Event) -> None:
        if isinstance(event, StudyProgress):
            self.progress.show_progress(event)
        elif isinstance(event, Log) and event.level != "info":
            self.order.notice.show_notice(event.text)
        elif isinstance(event, StudyEnded):
            said = f"{event.reason} {event.advice}".strip()
            if said:
                self.order.notice.show_notice(said)

    def _on_job_failed(self, failure: RequestFailed) -> None:
        if self._asked:
            self._asked = False
            self.order.notice.show_notice(failure.sentence)

    def _on_chosen(self, key: str) -> None:
        self._key = key
        self.state_changed.emit()

    def _on_timeout(self) -> None:
        """Refresh, because the command line may run the study meanwhile."""
        if self.isVisible():
            self.refresh()


def progress_text(record: Mapping[str, Any]) -> str:
    """Return how many runs of a study are finished, in words; empty before there are any."""
    runs = [run for run in record.get("runs") or [] if isinstance(run, Mapping)]
    if not runs:
        return ""
    planned = record.get("planned")
    total = planned if isinstance(planned, int) else len(runs)
    return f"{sum(run.get('state') == 'finished' for run in runs)} of {total} runs finished"
