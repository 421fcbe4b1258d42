"""What the app remembers: the settings of its window and panels, and its notes on a run."""

import atexit
import json
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from unittest import mock

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from engine.config import DataConfig
from gui.app import make_window
from gui.first_start import FirstImages
from gui.main_window import MainWindow
from gui.menus import recent_with
from gui.preferences import SettingsStore
from tests.gui.conftest import FakeEngine

MEMORY = {
    "window/geometry": "AdnQywADAAAAAAAAAAAAAAAAA/8AAAL/AAAAAAAAAAAAAAP/AAAC/wAAAAAAAAAABAAAAAAAAAAAAAAAA/8AAAL/",
    "window/panel": "data",
    "recent": ["phantom", "/tmp", "hf:a/b"],
    "data": {"source": "phantom", "phantom_count": 12, "size": 32},
    "folder/export": "/tmp",
    "selection": {
        **{"run": "one", "recent": ["/tmp/a.png"], "recent_runs": ["one"], "image": ["test", "a.png"]},
        **{"file": "/tmp/a.png", "slice": 3, "lesions": {"/tmp/a.png 3": [["ellipse", [[0.2, 0.2], [0.4, 0.5]]]]}},
    },
}


@cache
def _window() -> MainWindow:
    """Return a window with all of its panels, whose engines are played."""
    folder = Path(tempfile.mkdtemp(prefix="engram-fuzz-window-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(ENGRAM_RUNS=str(folder / "runs"), ENGRAM_CACHE=str(folder / "cache"))
    QApplication.instance() or QApplication(["fuzz"])
    with (
        mock.patch("gui.job_controller.EngineProcess", FakeEngine),
        mock.patch("gui.explorer_client.EngineProcess", FakeEngine),
        mock.patch("engine.demo_runs.install", lambda folder: []),
    ):
        window = make_window(SettingsStore(QSettings(str(folder / "a.ini"), QSettings.Format.IniFormat)))
        window.start()
    for key in window.places:
        window.panel(key)
    return window


def make_memory() -> list[bytes]:
    """Return what the app remembers, with the state of each panel."""
    window = _window()
    return [json.dumps(MEMORY | {f"panel/{key}": window.panel(key).save_state() for key in window.places}).encode()]


def restore(path: Path) -> None:
    """Restore window and panels, as a start of the app does."""
    window = _window()
    memory = window.memory
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return
    for name in [*MEMORY, *(f"panel/{key}" for key in window.places)]:
        memory._settings.setValue(name, json.dumps(content.get(name)) if isinstance(content, dict) else "")
    memory.restore("window/geometry", "", window._restore_size)
    memory.restore("data", {}, lambda saved: FirstImages(window.desk.session, saved, DataConfig()).load())
    window.recent_files.restore()
    window.recent_files.show_recent()
    recent_with(memory.texts("recent"), "phantom")
    for key, panel in window.panels.items():
        memory.restore(f"panel/{key}", {}, panel.restore_state)
