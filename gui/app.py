"""Entry point of the app: create the window, style it, show it, and start its work after the first paint."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QIcon, QUndoStack
from PySide6.QtWidgets import QApplication, QWidget

from engine import runs
from engine.config import RESOURCES
from gui import preferences, theme
from gui.opened_files import classify
from gui.preferences import SettingsStore
from gui.scratch import Scratch
from gui.session import Session

if TYPE_CHECKING:
    from gui.main_window import MainWindow

ICON = RESOURCES / "app" / "engram.png"


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


def make_window(memory: SettingsStore | None = None, start_explorer: bool = False) -> "MainWindow":
    """Return the window with everything it works with.

    Args:
        memory: what the app remembers.
        start_explorer: start the explorer first, so that its imports and those of the window run side by side.
    """
    memory = memory or SettingsStore()
    chosen = preferences.load(memory)
    scratch = Scratch()
    session = Session(runs.default_root(), scratch.path)
    if start_explorer:
        session.start_explorer()
    from gui.main_window import MainWindow
    from gui.panel import AppContext

    undo = QUndoStack(session)
    window = MainWindow(AppContext(session, undo, chosen), memory, scratch)
    session.setParent(window)
    return window


def open_window(paths: list[Path] | None = None) -> "MainWindow":
    """Style the app and show its window; its work starts after the first paint."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("Engram")
    # The desktop finds the icon of the window by the entry that `engram app --install-shortcut` writes.
    QApplication.setDesktopFileName("engram")
    memory = SettingsStore()
    if isinstance(app, QApplication):
        app.setWindowIcon(QIcon(str(ICON)))
        theme.apply(app, preferences.load(memory).theme)
    window = make_window(memory, start_explorer=True)

    def begin() -> None:
        window.start()
        if paths:
            window.open_drop(classify(paths))

    FirstPaint(window, begin)
    window.show()
    return window


def run(paths: list[Path]) -> int:
    """Open the window and return its exit code once it is closed."""
    app = QApplication(sys.argv[:1])
    window = open_window(paths)
    window.destroyed.connect(app.quit)
    return app.exec()
