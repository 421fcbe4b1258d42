"""Menus of the window, their keys and their commands."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QMenuBar

from gui import preferences, theme
from gui.help.help_window import INDEX
from gui.help.lessons import LESSONS
from gui.help_desk import HelpDesk
from gui.opened_files import classify
from gui.panel import ResumeRun
from gui.preferences import THEMES, Preferences, PreferencesDialog
from gui.shell import Shell
from gui.shortcuts import ShortcutSheet
from gui.widgets.labels import add_heading

SCANS = (
    "Images and volumes (*.png *.jpg *.jpeg *.bmp *.tif *.tiff *.dcm *.dicom *.ima *.nii *.nii.gz *.hdr *.img "
    "*.mgz *.mgh *.nrrd *.nhdr *.mha *.mhd);;All files (*)"
)
AskPath = Callable[..., str]
Keys = QKeySequence.StandardKey | str | None


class Commands(QObject):
    """Commands of the window that belong to no single panel."""

    def __init__(self, window: Shell) -> None:
        super().__init__(window)
        self._window = window
        self.ask_folder: AskPath = QFileDialog.getExistingDirectory
        self.ask_file: AskPath = lambda *words: QFileDialog.getOpenFileName(*words)[0]
        self._step_panels: dict[int, str] = {}
        self._is_redoing = False
        window.desk.undo.indexChanged.connect(self._on_index_changed)

    def open_folder(self) -> None:
        self._open(self.ask_folder, "Open a folder of images")

    def open_scan(self) -> None:
        self._open(self.ask_file, "Open an image or volume", SCANS)

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

    def undo(self) -> None:
        """Undo the last step and say what it was, in the panel where it was made."""
        stack = self._window.desk.undo
        self._show_step("Undid", stack.undoText(), stack.index() - 1)
        stack.undo()

    def redo(self) -> None:
        """Redo the next step and say what it was, in the panel where it was made."""
        stack = self._window.desk.undo
        self._show_step("Redid", stack.redoText(), stack.index())
        self._is_redoing = True
        stack.redo()
        self._is_redoing = False

    def _on_index_changed(self, index: int) -> None:
        """Remember in which panel a step was made."""
        if index == self._window.desk.undo.count() and not self._is_redoing:
            self._step_panels[index - 1] = self._window.current_key()

    def _show_step(self, done: str, what: str, step: int) -> None:
        window, key = self._window, self._step_panels.get(step, "")
        if key and key != window.current_key():
            window.show_panel(key)
        where = f" in {window.places[key].title}" if key else ""
        window.show_status(f"{done} “{what}”{where}")

    def toggle_pause(self) -> None:
        job = self._window.desk.session.job
        job.resume() if job.state in ("paused", "pausing") else job.pause()

    def start(self) -> None:
        """Press the button that starts what the current panel is for."""
        panel = self._window.current()
        if panel and panel.start_button and panel.start_button.isVisible():
            panel.start_button.click()

    def resume(self) -> None:
        self._window.show_panel("train").navigate(ResumeRun())

    def open_runs_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._window.desk.session.runs.root)))

    def show_shortcuts(self) -> None:
        ShortcutSheet(self._window).open()

    def _open(self, ask: AskPath, title: str, *kinds: str) -> None:
        """Ask for a path, in the folder of the last one, and open it."""
        memory = self._window.memory
        path = ask(self._window, title, memory.get("folder/open", str(Path.home())), *kinds)
        if path:
            memory.set("folder/open", str(Path(path).parent))
            self._window.open_drop(classify([Path(path)]))

    def _apply_theme(self, chosen: Preferences) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, chosen.theme)


class Menus(QObject):
    """File, Edit, View, Run, Help; entries that cannot be used now are disabled."""

    def __init__(self, window: Shell, bar: QMenuBar, commands: Commands) -> None:
        super().__init__(window)
        self._window, self._commands, self.help = window, commands, HelpDesk(window)
        self.recent = QMenu("Open recent", bar)
        self._add_file(bar.addMenu("File"))
        self._add_edit(bar.addMenu("Edit"))
        self._add_view(bar.addMenu("View"))
        self._add_run(bar.addMenu("Run"))
        self._add_help(bar.addMenu("Help"))
        window.desk.session.job_changed.connect(self.refresh)
        window.panel_shown.connect(self.refresh)
        self.refresh()

    def refresh(self, _panel: str = "") -> None:
        """Enable the entries that the current panel and the current run, search or study allow."""
        job, panel = self._window.desk.session.job, self._window.current()
        busy = job.is_busy() and job.state != "stopping"
        button = panel.start_button if panel else None
        self.start.setText(button.text() if button else "Start")
        self.start.setEnabled(button is not None and (not job.is_busy() or self._window.current_key() == "data"))
        self.resume.setEnabled(not job.is_busy())
        self.pause.setEnabled(busy)
        self.stop.setEnabled(busy)
        self.pause.setText("Continue" if job.state in ("paused", "pausing") else "Pause")

    def show_recent(self, groups: Mapping[str, Sequence[str]], openers: Mapping[str, Callable[[str], object]]) -> None:
        """List what was used recently: a group of entries under each title, with the function that opens one."""
        self.recent.clear()
        for group, entries in groups.items():
            if entries:
                add_heading(self.recent, group)
            for entry in entries:
                action = self.recent.addAction("Phantoms" if entry == "phantom" else entry.replace("&", "&&"))
                action.triggered.connect(lambda _=False, entry=entry, group=group: openers[group](entry))
        self.recent.setEnabled(any(groups.values()))

    def _add_file(self, menu: QMenu) -> None:
        commands = self._commands
        add(menu, "Open folder…", commands.open_folder, QKeySequence.StandardKey.Open)
        add(menu, "Open image or volume…", commands.open_scan, "Ctrl+Shift+O")
        menu.addMenu(self.recent)
        menu.addSeparator()
        add(menu, "Export…", commands.export, QKeySequence.StandardKey.Save)
        menu.addSeparator()
        add(menu, "Preferences…", commands.open_preferences, "Ctrl+,").setMenuRole(QAction.MenuRole.PreferencesRole)
        add(menu, "Quit", self._window.close, "Ctrl+Q").setMenuRole(QAction.MenuRole.QuitRole)

    def _add_edit(self, menu: QMenu) -> None:
        stack, commands = self._window.desk.undo, self._commands
        self.undo = add(menu, "Undo", commands.undo, QKeySequence.StandardKey.Undo)
        self.redo = add(menu, "Redo", commands.redo, "Ctrl+Shift+Z")
        stack.indexChanged.connect(self._show_steps)
        self._show_steps()
        menu.addSeparator()
        add(menu, "Copy as Python", self._commands.copy_python, "Ctrl+Shift+C")

    def _add_view(self, menu: QMenu) -> None:
        window = self._window
        for number, (key, place) in enumerate(window.places.items(), 1):
            add(menu, place.title, lambda key=key: window.show_panel(key), f"Ctrl+{number}")
        menu.addSeparator()
        themes, group = menu.addMenu("Theme"), QActionGroup(self)
        for mode, title in THEMES.items():
            action = add(themes, title, lambda mode=mode: self._commands.use_theme(mode))
            action.setCheckable(True)
            action.setChecked(mode == window.desk.preferences.theme)
            group.addAction(action)
        add(menu, "Full screen", window.toggle_full_screen, "F11")
        add(menu, "Switch between rail and panel", window.switch_region, "F6")

    def _add_run(self, menu: QMenu) -> None:
        commands = self._commands
        self.start = add(menu, "Start training", commands.start, "Ctrl+Return")
        self.pause = add(menu, "Pause", commands.toggle_pause, "Ctrl+P")
        self.stop = add(menu, "Stop and keep", self._window.desk.session.job.stop, "Ctrl+.")
        self.resume = add(menu, "Resume selected run", commands.resume, "Ctrl+R")
        menu.addSeparator()
        add(menu, "Open runs folder", commands.open_runs_folder)

    def _add_help(self, menu: QMenu) -> None:
        desk = self.help
        add(menu, "Guide", lambda: desk.open_page("guide"))
        lessons = menu.addMenu("Lessons")
        for number, lesson in enumerate(LESSONS, 1):
            add(lessons, f"{number}. {lesson.title}", lambda number=number: desk.open_lesson(number))
        add(menu, "Glossary", lambda: desk.open_page("glossary"))
        add(menu, "Explain terms here", desk.explain, "Shift+F1")
        add(menu, "Documentation", lambda: desk.open_page("docs/index.md")).setVisible(INDEX.exists())
        menu.addSeparator()
        add(menu, "Keyboard shortcuts", self._commands.show_shortcuts, "F1")
        add(menu, "Report a problem…", desk.report_problem)
        add(menu, "About Engram", desk.show_about).setMenuRole(QAction.MenuRole.AboutRole)

    def _show_steps(self, _index: int = 0) -> None:
        """Name the steps that can be undone and redone."""
        stack = self._window.desk.undo
        for action, title, step in ((self.undo, "Undo", stack.undoText()), (self.redo, "Redo", stack.redoText())):
            action.setText(f"{title} {step}".rstrip())
        self.undo.setEnabled(stack.canUndo())
        self.redo.setEnabled(stack.canRedo())


def add(menu: QMenu, text: str, do: Callable[..., object], keys: Keys = None) -> QAction:
    """Add an entry that calls a function, with its keys."""
    action = menu.addAction(text)
    action.triggered.connect(lambda _=False: do())
    if keys is not None:
        action.setShortcut(QKeySequence(keys))
    return action


def recent_with(sources: list[str], source: str, most: int = 8) -> list[str]:
    """Return the recent sources with this one at the top, without folders that no longer exist."""
    kept = [source, *(old for old in sources if old != source)]
    return [old for old in kept if old == "phantom" or old.startswith("hf:") or os.path.exists(old)][:most]
