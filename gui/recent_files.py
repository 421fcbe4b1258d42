"""The selection in the window: chips, the menu of recent files, what is saved, and files that fail to open."""

from PySide6.QtCore import QObject

from gui.menus import Commands, Menus
from gui.panel import CompareRuns, LoadSource, ShowRun, UseSettings
from gui.selection_chips import ImageChip, RunChip
from gui.shell import SETTLE_MS, Shell
from gui.widgets.timers import make_timer


class RecentFiles(QObject):
    """The connection of a window with the selection of its session.

    Args:
        window: the window.
        menus: its menus.
        commands: what opens a file.
    """

    def __init__(self, window: Shell, menus: Menus, commands: Commands) -> None:
        super().__init__(window)
        self._window, self._menus = window, menus
        self._selection, self._failure = window.desk.session.selection, ""
        self._settled = make_timer(self, SETTLE_MS)
        self._settled.timeout.connect(self._save)
        window.top_bar.add_selection(ImageChip(self._selection, commands.open_scan, window.open_path))
        self._chip, self._runs = RunChip(window.desk.session), window.desk.session.run_list
        window.top_bar.add_selection(self._chip)
        self._connect()
        self.show_recent()

    def restore(self) -> None:
        """Restore image, slice, lesions and run of the last session."""
        self._window.memory.restore("selection", {}, self._selection.restore)
        self._window.memory.restore("runs", {}, self._runs.restore_state)

    def flush(self) -> None:
        """Save a change that was just made."""
        if self._settled.isActive():
            self._save()

    def show_recent(self) -> None:
        """List the recent sources, files and runs in the menu."""
        recent = self._window.memory.texts("recent")
        self._menus.show_recent(
            {"Datasets": recent, "Images": self._selection.recent, "Runs": self._selection.recent_runs},
            {
                "Datasets": lambda source: self._window.navigate("data", LoadSource(source)),
                "Images": self._window.open_path,
                "Runs": self._open_run,
            },
        )

    def _connect(self) -> None:
        selection = self._selection
        changes = selection.image_changed, selection.run_changed, selection.recent_changed, selection.lesions.changed
        for changed in (*changes, self._runs.eyes_changed):
            changed.connect(lambda *_: self._settled.start())
        selection.recent_changed.connect(self.show_recent)
        self._chip.compare_wanted.connect(lambda names: self._window.navigate("compare", CompareRuns(tuple(names))))
        self._chip.settings_wanted.connect(lambda name: self._window.navigate("train", UseSettings(name)))
        selection.failed.connect(lambda _, sentence: self._show_failure(sentence))
        selection.file_opened.connect(lambda _: self._show_failure(""))

    def _open_run(self, name: str) -> None:
        self._selection.set_run(name)
        self._window.navigate("train", ShowRun(name))

    def _show_failure(self, sentence: str) -> None:
        """Show why a file could not be opened, until another one is."""
        if sentence or self._window.notice.box.text() == self._failure:
            self._window.notice.show_message(sentence)
        self._failure = sentence

    def _save(self) -> None:
        self._window.memory.set("selection", self._selection.save())
        self._window.memory.set("runs", self._runs.save_state())
