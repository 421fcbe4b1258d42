"""Entry point of the app: create the window, style it, show it, and start its work after the first paint.

The explorer starts before most modules of the app are imported, so that the imports of both run side by side.
"""

import importlib
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QIcon, QUndoStack
from PySide6.QtWidgets import QApplication, QWidget

from gui import engine_process
from gui.engine_process import EngineProcess
from gui.scratch import Scratch

if TYPE_CHECKING:
    from gui.main_window import MainWindow
    from gui.opened_files import DroppedPath
    from gui.preferences import SettingsStore
# By then the first images are there.
IMPORT_AFTER_MS = 2000


class FirstPaint(QObject):
    """Event filter that calls a function once, after a widget's first paint."""

    def __init__(self, widget: QWidget, do: Callable[[], object]) -> None:
        super().__init__(widget)
        self._widget, self._do = widget, do
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._widget.removeEventFilter(self)
            QTimer.singleShot(0, self, self._do)
        return False


class PanelImporter(QObject):
    """Imports the modules of panels in a thread, a while after the start, so that the first visit of one is quick.

    Args:
        import_paths: the modules, the most needed ones first.
        parent: what owns it.
        delay_ms: when it begins.
    """

    finished = Signal()

    def __init__(self, import_paths: Iterable[str], parent: QObject, delay_ms: int = IMPORT_AFTER_MS) -> None:
        super().__init__(parent)
        self._paths, self._is_stopped = list(import_paths), threading.Event()
        self._thread = threading.Thread(target=self._import, daemon=True)
        QTimer.singleShot(delay_ms, self, self._thread.start)

    def stop(self) -> None:
        """Import no further module, and wait for the one that is being imported."""
        self._is_stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _import(self) -> None:
        for path in self._paths:
            if self._is_stopped.is_set():
                return
            # A panel that cannot be imported says so when it is opened.
            with suppress(ImportError):
                importlib.import_module(path)
        self.finished.emit()


def start_explorer(scratch: Scratch) -> EngineProcess:
    """Start the explorer of a window that is still to be built."""
    explorer = EngineProcess("explorer", scratch.path, engine_process.EXPLORER_BACKEND)
    explorer.start()
    return explorer


def make_window(
    memory: "SettingsStore | None" = None,
    scratch: Scratch | None = None,
    explorer: EngineProcess | None = None,
    first: "DroppedPath | None" = None,
) -> "MainWindow":
    """Return the window with everything it works with.

    Args:
        memory: what the app remembers.
        scratch: its folder for temporary files.
        explorer: its explorer, if it is already started.
        first: what the window opens when it starts.
    """
    from engine import runs
    from gui import preferences
    from gui.main_window import MainWindow
    from gui.panel import AppContext
    from gui.session import Session

    memory, scratch = memory or preferences.SettingsStore(), scratch or Scratch()
    session = Session(runs.default_root(), scratch.path)
    if explorer is not None:
        session.explorer.adopt(explorer)
    undo = QUndoStack(session)
    window = MainWindow(AppContext(session, undo, preferences.load(memory)), memory, scratch, first)
    session.setParent(window)
    return window


def open_window(paths: list[Path] | None = None) -> "MainWindow":
    """Style the app and show its window; its work starts after the first paint."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("Engram")
    # The desktop finds the icon of the window by the entry that `engram app --install-shortcut` writes.
    QApplication.setDesktopFileName("engram")
    scratch = Scratch()
    explorer = start_explorer(scratch)
    from engine.config import RESOURCES
    from gui import preferences, theme
    from gui.opened_files import classify

    memory = preferences.SettingsStore()
    if isinstance(app, QApplication):
        app.setWindowIcon(QIcon(str(RESOURCES / "app" / "engram.png")))
        theme.apply(app, preferences.load(memory).theme, by_parts=True)
    window = make_window(memory, scratch, explorer, classify(paths) if paths else None)

    def begin() -> None:
        window.start()
        importer = PanelImporter(["pyqtgraph", *(place.module for place in window.places.values())], window)
        app.aboutToQuit.connect(importer.stop)

    FirstPaint(window, begin)
    window.show()
    return window


def run(paths: list[Path]) -> int:
    """Open the window and return its exit code once it is closed."""
    app = QApplication(sys.argv[:1])
    window = open_window(paths)
    window.destroyed.connect(app.quit)
    return app.exec()
