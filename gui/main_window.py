"""Main window: menus, drops, remembered state, and how it closes."""

from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QProcess
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QMessageBox, QWidget

from engine import demo_runs
from engine.child_process import module_command
from engine.config import DataConfig
from engine.formatting import format_command
from gui import preferences
from gui.engine_notices import EngineNotices
from gui.engine_process import make_process
from gui.first_start import FirstImages, is_first_part
from gui.loaded_data import LoadedData
from gui.menus import Commands, Menus, recent_with
from gui.opened_files import DroppedPath, classify, paths_of
from gui.panel import AppContext
from gui.preferences import SettingsStore
from gui.recent_files import RecentFiles
from gui.run_record import RunRecord
from gui.scratch import Scratch
from gui.shell import PanelSpec, Shell
from gui.theme import restyle

PANELS = {
    "data": PanelSpec("Data", "data", "gui.panels.data:DataPanel"),
    "scan": PanelSpec("Scan", "scan", "gui.panels.scan:ScanPanel"),
    "train": PanelSpec("Train", "train", "gui.panels.train:TrainPanel"),
    "search": PanelSpec("Search", "search", "gui.panels.search:SearchPanel"),
    "compare": PanelSpec("Compare", "compare", "gui.panels.compare:ComparePanel"),
    "layers": PanelSpec("Layers", "layers", "gui.panels.layers:LayersPanel", takes_scans=True),
    "denoise": PanelSpec("Denoise", "denoise", "gui.panels.denoise:DenoisePanel", takes_scans=True),
    "latent": PanelSpec("Latent", "latent", "gui.panels.latent:LatentPanel", takes_scans=True),
    "report": PanelSpec("Report", "report", "gui.panels.report:ReportPanel"),
}


class MainWindow(Shell):
    """The app's only window.

    Args:
        desk: what its panels work with.
        memory: what the app remembers.
        scratch: its folder for temporary files.
        first: what it opens when it starts.
    """

    def __init__(
        self, desk: AppContext, memory: SettingsStore, scratch: Scratch, first: DroppedPath | None = None
    ) -> None:
        super().__init__(desk, memory, PANELS)
        self._scratch = scratch
        self._leaving: Choice = "stay"
        self._leaving_run = self._leaving_search = ""
        self.commands, self.engine_notices = Commands(self), EngineNotices(self)
        self.menus = Menus(self, self.top_bar.menus, self.commands)
        self.recent_files = RecentFiles(self, self.menus, self.commands)
        self.setWindowTitle("Engram")
        self.setAcceptDrops(True)
        self._connect()
        self._first = first
        kept = memory.get("window/panel", "data")
        self.show_panel(self.panel_for(first, kept if kept in PANELS else "data"))
        for part in self.visible_parts():
            restyle(part)

    def _connect(self) -> None:
        session = self.desk.session
        session.data_loaded.connect(self._on_data_loaded)
        session.job_changed.connect(self._on_job_changed)
        self.top_bar.show_waiting(self.desk.preferences.backend)

    def start(self) -> None:
        """Start what the first paint does not need: runs, engines, dataset."""
        session, first = self.desk.session, self._first
        first_scans = self._install_demo()
        self.open_runs()
        session.warm_up(self.desk.preferences.backend)
        has_file = first is not None and first.kind == "scan"

        def load(saved: dict[str, Any]) -> None:
            images = FirstImages(session, saved, first_scans)
            images.load_after_file() if has_file else images.load()

        self.memory.restore("data", {}, load)
        self.recent_files.restore()
        if first is not None:
            self.open_drop(first)

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
            self._leaving = ask_about_search(self, search) if search else ask_about_run(self, record)
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
            return search_in_background(self._leaving_search, session.runs.root)
        record = session.record(self._leaving_run)
        return not (record and record.can_resume) or resume_detached(record)

    def _on_data_loaded(self, data: LoadedData) -> None:
        self.top_bar.show_data(data)
        if not is_first_part(data.config):
            self.memory.set("data", data.config.model_dump(mode="json"))
        recent = recent_with(self.memory.texts("recent"), data.config.source)
        self.memory.set("recent", recent)
        self.recent_files.show_recent()


Choice = Literal["stop", "background", "stay"]


def ask_about_run(parent: QWidget, record: RunRecord | None) -> Choice:
    """Ask what to do with the run in training, or with the study if `record` is None."""
    return _ask_of_study(parent) if record is None else _ask_of_run(parent, record)


def ask_about_search(parent: QWidget, name: str) -> Choice:
    """Ask what to do with the running search."""
    text = (
        "Stop and keep: finished trials and completed epochs are saved. You can resume the search later.\n\n"
        "Continue in background: Engram closes and the search continues; running trials restart from their last "
        "completed epoch. Open the search again in Search to see its progress."
    )
    return _choice(parent, f"Search {name} is running.", text, "Continue in background")


def _ask_of_study(parent: QWidget) -> Choice:
    text = (
        "Stop and keep: finished runs and completed epochs are saved. To resume, start the study again with the same "
        f"folder, here or with '{format_command('study')}'."
    )
    return _choice(parent, "The reproduction study is still running.", text)


def _ask_of_run(parent: QWidget, record: RunRecord) -> Choice:
    said = f"{record.name} is still training: {record.last_epoch} of {record.target_epochs} epochs completed."
    text = (
        "Stop and keep: completed epochs are saved. You can resume the run later.\n\n"
        "Continue in background: Engram closes and the run continues from its last completed epoch; the current epoch "
        "is restarted. With a deterministic backend the result is bit-identical."
    )
    return _choice(parent, said, text, "Continue in background")


def _choice(parent: QWidget, said: str, text: str, background: str = "") -> Choice:
    """Show the question; offer to continue in the background if `background` names that button."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close Engram")
    box.setText(said)
    box.setInformativeText(text)
    stop = box.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
    beside = box.addButton(background, QMessageBox.ButtonRole.ActionRole) if background else None
    stay = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    chosen = box.clickedButton()
    box.deleteLater()
    return "stop" if chosen is stop else "background" if beside and chosen is beside else "stay"


def resume_detached(record: RunRecord) -> bool:
    """Resume a stopped run in a process independent of the window; return False if it cannot be started."""
    return _detach(["resume", str(record.run.path), "--runs", str(record.run.path.parent)])


def search_in_background(name: str, root: Path) -> bool:
    """Resume a stopped search in a process independent of the window; return False if it cannot be started."""
    return _detach(["search", "--name", name, "--runs", str(root)])


def _detach(command: list[str]) -> bool:
    process = make_process(module_command("engine", *command))
    for silence in (process.setStandardInputFile, process.setStandardOutputFile, process.setStandardErrorFile):
        silence(QProcess.nullDevice())
    return bool(process.startDetached())
