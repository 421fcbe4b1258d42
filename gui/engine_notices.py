"""What the window says about its engines: what they are ready for, that one is lost, and how to go on."""

from PySide6.QtCore import QObject

from engine.messages import Ready, RequestFailed
from gui.job_controller import EngineCrash
from gui.panel import ResumeSearch, ShowStudy
from gui.shell import Shell


class EngineNotices(QObject):
    """Shows and removes the notices about the engine; one goes when its problem is solved."""

    def __init__(self, window: Shell) -> None:
        super().__init__(window)
        self._window, session = window, window.desk.session
        # The problem that the notice is about: "backend", "crash" or another one of the window.
        self._problem = ""
        session.engine_ready.connect(self._on_engine_ready)
        session.engine_crashed.connect(self._on_engine_lost)
        session.job_changed.connect(self._on_job_changed)
        session.job_failed.connect(self._on_job_failed)

    def _on_engine_ready(self, ready: Ready) -> None:
        self._window.top_bar.show_device(ready)
        self._clear("backend")

    def _on_job_changed(self) -> None:
        """Remove the notice of a crash once a job runs again."""
        if self._window.desk.session.job.is_busy():
            self._clear("crash")

    def _on_job_failed(self, failure: RequestFailed) -> None:
        """Show that the engine is not available; before it is ready, only its backend can have failed."""
        if self._window.top_bar.waiting:
            self._window.top_bar.show_lost("Engine not available")
            self._problem = "backend"
            self._window.notice.show_message(failure.sentence)

    def _clear(self, problem: str) -> None:
        if self._problem == problem:
            self._problem = ""
            self._window.notice.clear()

    def _on_engine_lost(self, loss: EngineCrash) -> None:
        window = self._window
        window.top_bar.show_lost()
        self._problem = "crash"
        if loss.study:
            study = ShowStudy(str(loss.study))
            window.notice.show_message(loss.sentence, action="Open study", do=lambda: window.navigate("report", study))
        elif loss.search:
            search = ResumeSearch(str(loss.search))
            title = f"Resume {loss.search}"
            window.notice.show_message(loss.sentence, action=title, do=lambda: window.navigate("search", search))
        else:
            resume = f"Resume {loss.run}" if loss.run else ""
            session = window.desk.session
            window.notice.show_message(loss.sentence, action=resume, do=lambda: session.resume(loss.run or ""))
