"""Main window: menus, drops, remembered state, and how it closes."""

from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent

from engine import demo_runs
from engine.config import DataConfig
from gui import close_dialogs, preferences
from gui.engine_notices import EngineNotices
from gui.first_start import is_first_part, load_first_images
from gui.loaded_data import LoadedData
from gui.menus import Commands, Menus, recent_with
from gui.opened_files import classify, paths_of
from gui.panel import AppContext
from gui.preferences import SettingsStore
from gui.recent_files import RecentFiles
from gui.scratch import Scratch
from gui.shell import PanelSpec, Shell

PANELS = {
    "data": PanelSpec("Data", "data", "gui.panels.data:DataPanel"),
    "scan": PanelSpec("Scan", "scan", "gui.panels.scan:ScanPanel"),
    "train": PanelSpec("Train", "train", "gui.panels.train:TrainPanel"),
    "search": PanelSpec("Search", "search", "gui.panels.search:SearchPanel"),
    "compare": PanelSpec("Compare", "compare", "gui.panels.compare:ComparePanel"),
    "layers": PanelSpec("Layers", "layers", "gui.panels.layers:LayersPanel"),
    "denoise": PanelSpec("Denoise", "denoise", "gui.panels.denoise:DenoisePanel"),
    "latent": PanelSpec("Latent", "latent", "gui.panels.latent:LatentPanel"),
    "report": PanelSpec("Report", "report", "gui.panels.report:ReportPanel"),
}


class MainWindow(Shell):
    """The app's only window."""

    def __init__(self, desk: AppContext, memory: SettingsStore, scratch: Scratch) -> None:
        super().__init__(desk, memory, PANELS)
        self._scratch = scratch
        self._leaving: close_dialogs.Choice = "stay"
        self._leaving_run = self._leaving_search = ""
        self.commands, self.engine_notices = Commands(self), EngineNotices(self)
        self.menus = Menus(self, self.top_bar.menus, self.commands)
        self.recent_files = RecentFiles(self, self.menus, self.commands)
        self.setWindowTitle("Engram")
        self.setAcceptDrops(True)
        self._connect()
        self.show_panel(kept if (kept := memory.get("window/panel", "data")) in PANELS else "data")

    def _connect(self) -> None:
        session = self.desk.session
        session.data_loaded.connect(self._on_data_loaded)
        session.job_changed.connect(self._on_job_changed)
        self.top_bar.show_waiting(self.desk.preferences.backend)

    def start(self) -> None:
        """Start what the first paint does not need: runs, engines, dataset."""
        session = self.desk.session
        first_scans = self._install_demo()
        self.open_runs()
        session.warm_up(self.desk.preferences.backend)
        self.memory.restore("data", {}, lambda saved: load_first_images(session, saved, first_scans))
        self.recent_files.restore()

    def _install_demo(self) -> DataConfig:
        """Copy the demo runs into an empty runs folder; return the dataset to begin with, that of the demo runs."""
        root = preferences.runs_root(self.desk.preferences)
        try:
            installed = demo_runs.install(root)
        except OSError as error:
            self.notice.show_message(f"Could not copy the demo runs to {root} ({error.strerror}).")
            return DataConfig()
        return installed[0].config.data if installed else DataConfig()

    def open_runs(self) -> None:
        self.desk.session.open(preferences.runs_root(self.desk.preferences))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if paths_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.open_drop(classify(paths_of(event.mimeData())))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask what to do with a running job; close only after a run that stops has stopped."""
        session = self.desk.session
        record = session.record(session.job.run)
        if not session.job.is_busy():
            self._save_and_close()
            event.accept()
            return
        event.ignore()
        if self._leaving == "stay":
            self._leaving_search = search = session.job.search or ""
            self._leaving = (
                close_dialogs.ask_about_search(self, search) if search else close_dialogs.ask_about_run(self, record)
            )
            self._leaving_run = record.name if record else ""
            if self._leaving != "stay":
                session.job.stop()

    def _save_and_close(self) -> None:
        self.save_geometry()
        self.recent_files.flush()
        self.desk.session.close()
        self._scratch.remove()

    def _on_job_changed(self) -> None:
        """Close the window after the run that kept it open has stopped."""
        if self._leaving == "stay" or self.desk.session.job.is_busy():
            return
        left_behind = self._leaving_search or self._leaving_run
        if self._leaving == "background" and not self._go_on_in_background():
            self._leaving = "stay"
            self.notice.show_message(f"{left_behind} is saved, but could not be continued in the background.")
            return
        self.close()

    def _go_on_in_background(self) -> bool:
        """Continue the stopped job in a process of its own; return False if that fails.

        A job that has finished meanwhile needs no process.
        """
        session = self.desk.session
        if self._leaving_search:
            return close_dialogs.search_in_background(self._leaving_search, session.runs.root)
        record = session.record(self._leaving_run)
        return not (record and record.can_resume) or close_dialogs.resume_detached(record)

    def _on_data_loaded(self, data: LoadedData) -> None:
        self.top_bar.show_data(data)
        if not is_first_part(data.config):
            self.memory.set("data", data.config.model_dump(mode="json"))
        recent = recent_with(self.memory.texts("recent"), data.config.source)
        self.memory.set("recent", recent)
        self.recent_files.show_recent()
