"""The Help menu's commands: pages, lessons, terms, report of a problem, About."""

from pathlib import Path

from PySide6.QtCore import QObject, QSettings
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from engine.folders import cache_root
from gui.glossary import find_terms
from gui.help.help_window import ROOT, HelpWindow
from gui.help.lesson_window import LessonWindow
from gui.help.problem_report import TextDialog, make_about, make_report
from gui.shell import Shell

ABOUT_REPORT = (
    "Describe the problem in the first lines, and copy the text into an issue or a message. It holds versions and the "
    "ends of the logs, without paths, file names or images. Read it before you send it."
)


class HelpDesk(QObject):
    """Opens the windows of the help, each when it is first wanted."""

    def __init__(self, window: Shell) -> None:
        super().__init__(window)
        self._window = window
        self.pages: HelpWindow | None = None
        self.lessons: LessonWindow | None = None
        window.help_requested.connect(self.follow)

    def open_page(self, key: str, term: str = "") -> None:
        """Show a page of the help, at a term."""
        if self.pages is None:
            self.pages = HelpWindow(self._window, self.follow)
        self.pages.open_page(key, term)

    def open_lesson(self, number: int) -> None:
        """Begin a lesson, counted from 1, beside the window."""
        if self.lessons is None:
            self.lessons = LessonWindow(self._window, self._window.desk.session, self._window.show_panel)
            self.lessons.navigated.connect(self._window.navigate)
        self.lessons.open_lesson(number - 1)

    def follow(self, kind: str, where: str) -> None:
        """Open a lesson, a panel or a page."""
        if kind == "lesson":
            self.open_lesson(int(where))
        elif kind == "panel":
            self._window.show_panel(where)
            self._window.activateWindow()
        else:
            self.open_page(where)

    def explain(self) -> None:
        """Open the glossary at the first term in the tip of the control under the mouse, or else of the focused one."""
        at = QApplication.widgetAt(QCursor.pos())
        terms = tips_of(at) or tips_of(self._window.focusWidget())
        self.open_page("glossary", terms[0] if terms else "")

    def report_problem(self) -> None:
        """Show the text of a report, to complete and copy."""
        session = self._window.desk.session
        engines = [engine for engine in (session.job.engine, session.explorer.engine) if engine]
        record = session.record(session.job.run)
        state = {
            "Panel": self._window.current_key(),
            "Job": session.job.state,
            "Notice": self._window.notice.box.text(),
        }
        if record and record.config:
            state["Model"] = record.config.model.model
        logs = [Path(engine.log) for engine in engines]
        TextDialog(self._window, "Report a problem", ABOUT_REPORT, make_report(logs, state)).open()

    def show_about(self) -> None:
        """Show versions, folders and license."""
        kept = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "Engram", "Engram").fileName()
        runs = self._window.desk.session.runs.root
        paths = {"Program": ROOT, "Runs": runs, "Settings": Path(kept), "Cache": cache_root()}
        TextDialog(self._window, "About Engram", "Engram", make_about(paths)).open()


def tips_of(widget: QWidget | None) -> tuple[str, ...]:
    """Return the terms in the tip or text of a control, or of what it lies in."""
    while widget is not None:
        text = f"{widget.toolTip()} {widget.text() if isinstance(widget, QLabel) else ''}"
        if found := find_terms(text.partition("Shift+F1")[0]):
            return found
        widget = widget.parentWidget()
    return ()
