"""Commands of the menus and their keys."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox

from gui import preferences, theme
from gui.drops import classify
from gui.panel import DISCLAIMER
from gui.preferences import Preferences, PreferencesDialog
from gui.shell import Shell
from gui.shortcuts import ShortcutSheet

SCANS = "Images and volumes (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.dcm *.dicom *.ima *.nii *.nii.gz);;All files (*)"
AskPath = Callable[..., str]


class Commands(QObject):
    """Commands of the window that belong to no single panel."""

    def __init__(self, window: Shell) -> None:
        super().__init__(window)
        self._window = window
        self.ask_folder: AskPath = QFileDialog.getExistingDirectory
        self.ask_file: AskPath = lambda *words: QFileDialog.getOpenFileName(*words)[0]

    def open_folder(self) -> None:
        path = self.ask_folder(self._window, "Open a folder of images", str(Path.home()))
        if path:
            self._window.open_drop(classify([Path(path)]))

    def open_scan(self) -> None:
        path = self.ask_file(self._window, "Open an image or volume", str(Path.home()), SCANS)
        if path:
            self._window.open_drop(classify([Path(path)]))

    def export(self) -> None:
        panel = self._window.current()
        if panel:
            panel.export()

    def copy_python(self) -> None:
        panel = self._window.current()
        if panel:
            panel.copy_python()

    def open_preferences(self) -> None:
        """Open the preferences dialog and apply its result at once."""
        dialog = PreferencesDialog(self._window.desk.preferences, self._window)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.set_theme(dialog.chosen())
        dialog.deleteLater()

    def set_theme(self, chosen: Preferences) -> None:
        """Save preferences and apply them to the window."""
        window, before = self._window, self._window.desk.preferences
        window.desk.preferences = chosen
        preferences.save(window.memory, chosen)
        if chosen.theme != before.theme:
            self._apply_theme(chosen)
        if chosen.runs != before.runs:
            window.open_runs()
        if chosen.backend != before.backend:
            window.top_bar.show_waiting(chosen.backend)
            window.desk.session.job.warm_up(chosen.backend)

    def use_theme(self, mode: theme.Mode) -> None:
        now = self._window.desk.preferences
        self.set_theme(Preferences(mode, now.runs, now.backend, now.download))

    def toggle_pause(self) -> None:
        job = self._window.desk.session.job
        job.resume() if job.state in ("paused", "pausing") else job.pause()

    def start(self) -> None:
        self._window.show_panel("train").navigate(("start", None))

    def resume(self) -> None:
        self._window.show_panel("train").navigate(("resume", None))

    def open_runs_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._window.desk.session.runs.root)))

    def show_shortcuts(self) -> None:
        ShortcutSheet(self._window).open()

    def show_about(self) -> None:
        text = (
            f"<b>Engram {version('engram-mri')}</b><p>Train, inspect and stress-test autoencoders on brain MRI "
            f"slices.</p><p>{DISCLAIMER}</p>"
        )
        QMessageBox.about(self._window, "About Engram", text)

    def _apply_theme(self, chosen: Preferences) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, chosen.theme)
