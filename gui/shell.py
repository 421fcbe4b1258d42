"""Frame of the window: top bar, rail, notices, one panel at a time, status bar."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLayout,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.opened_files import DroppedPath, classify
from gui.panel import AppContext, LoadSource, OpenFile, Panel, ShowRun, Target
from gui.preferences import SettingsStore
from gui.status import StatusBar
from gui.theme import GAP, PartlyStyled, restyle
from gui.top_bar import TopBar
from gui.widgets.buttons import IconButton, RailButton
from gui.widgets.card import Kind, NoticeBox
from gui.widgets.timers import make_timer

SETTLE_MS = 300
FIRST_SIZE = 1440, 900
FIRST_SHARE = 0.92  # of the screen


class Rail(QFrame):
    """Icon and name of each panel, with the current one marked."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "rail")
        self.setAccessibleName("panels")
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 8, 0, 8)
        self._column.setSpacing(2)
        self._column.addStretch()

    def add(self, key: str, title: str, icon_name: str) -> None:
        button = RailButton(icon_name, title)
        button.setToolTip(f"{title} (Ctrl+{len(self._buttons) + 1})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.chosen.emit(key))
        self._buttons[key] = button
        self._group.addButton(button)
        self._column.insertWidget(self._column.count() - 1, button)

    def set_current(self, key: str) -> None:
        """Mark the current panel; the Tab key enters the rail there, and the arrow keys go on from there."""
        self._buttons[key].setChecked(True)
        for name, button in self._buttons.items():
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus if name == key else Qt.FocusPolicy.NoFocus)

    def has_focus(self) -> bool:
        return any(button.hasFocus() for button in self._buttons.values())

    def take_focus(self) -> None:
        """Move the focus to the current panel's button."""
        button = self._group.checkedButton()
        if button:
            button.setFocus(Qt.FocusReason.TabFocusReason)


class NoticeBar(QWidget):
    """Line under the top bar for one message, such as a lost engine or a drop that cannot be opened.

    It stays until the user dismisses it, acts on it, or the next one replaces it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box, self.dismiss = NoticeBox(), IconButton("close", "Dismiss")
        self._do: Callable[[], object] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, 0)
        row.addWidget(self.box, 1)
        row.addWidget(self.dismiss, 0, Qt.AlignmentFlag.AlignTop)
        self.box.action_requested.connect(self._on_action_requested)
        self.dismiss.clicked.connect(self.clear)
        self.hide()

    def show_message(
        self, text: str, kind: Kind = "warning", action: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Show a sentence, with a button that does something about it."""
        self._do = do
        self.box.show_notice(text, kind, action)
        self.setVisible(bool(text))

    def clear(self) -> None:
        self.show_message("")

    def _on_action_requested(self) -> None:
        do = self._do
        self.clear()
        if do:
            do()


@dataclass(frozen=True)
class PanelSpec:
    """Title and icon of a panel, the import path of its class, and whether an image opens in it while it is visible."""

    title: str
    icon: str
    import_path: str
    takes_scans: bool = False

    @property
    def module(self) -> str:
        """Return the name of its module."""
        return self.import_path.split(":")[0]

    def make(self, desk: AppContext) -> Panel:
        """Import and build the panel; one that the user never opens is not built."""
        name = self.import_path.split(":")[1]
        return cast(Panel, getattr(importlib.import_module(self.module), name)(desk))


class Shell(QMainWindow, PartlyStyled):
    """Window that shows one panel at a time and builds each when it is first shown."""

    panel_shown = Signal(str)
    help_requested = Signal(str, str)

    def __init__(self, desk: AppContext, memory: SettingsStore, places: Mapping[str, PanelSpec]) -> None:
        super().__init__()
        self.desk, self.memory, self.places = desk, memory, places
        desk.export_folder = memory.get("folder/export", "")
        self.panels: dict[str, Panel] = {}
        self.top_bar, self.rail, self.notice = TopBar(), Rail(), NoticeBar()
        self._stack, self._status, self._shown = QStackedWidget(), StatusBar(desk.session), ""
        for key, place in places.items():
            self.rail.add(key, place.title, place.icon)
        self.rail.chosen.connect(self.show_panel)
        self.setStatusBar(self._status)
        self._settled = make_timer(self, SETTLE_MS)
        self._settled.timeout.connect(self.save_geometry)
        memory.restore("window/geometry", "", self._restore_size)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._lay_out()

    def _lay_out(self) -> None:
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.notice)
        right.addWidget(self._stack, 1)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addLayout(right, 1)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addLayout(middle, 1)
        self.setCentralWidget(page)

    def _restore_size(self, saved: str) -> None:
        """Take the size of the last session, which Qt fits into the screen, or a first one that fits."""
        room = self.screen().availableGeometry()
        if not self.restoreGeometry(QByteArray.fromBase64(saved.encode())):
            self.resize(*FIRST_SIZE)
            self.resize(self.size().boundedTo(room.size() * FIRST_SHARE))
            if room.width() <= FIRST_SIZE[0] or room.height() <= FIRST_SIZE[1]:
                self.setWindowState(Qt.WindowState.WindowMaximized)

    def toggle_full_screen(self) -> None:
        """Fill the screen, or return to the window as it was, maximized or not."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the full screen with Escape, if nothing else took the key."""
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.toggle_full_screen()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self._settled.start()
        return super().event(event)

    def visible_parts(self) -> list[QWidget]:
        """Return all that a new theme restyles at once; the other panels follow when they are shown."""
        panel = self.current()
        return [self.top_bar, self.rail, self.notice, self._status, *([panel] if panel else [])]

    def childEvent(self, event: QChildEvent) -> None:
        """Style a dialog in the current theme before it is shown."""
        child = event.child()
        if event.type() == QEvent.Type.ChildPolished and isinstance(child, QWidget) and child.isWindow():
            restyle(child)
        super().childEvent(event)

    def save_geometry(self) -> None:
        """Save the position and size of the window."""
        self.memory.set("window/geometry", self.saveGeometry().toBase64().toStdString())

    def current(self) -> Panel | None:
        """Return the visible panel, or None."""
        return cast(Panel | None, self._stack.currentWidget())

    def current_key(self) -> str:
        return self._shown

    def panel(self, key: str) -> Panel:
        """Return a panel; build it and restore its state on first use."""
        if key not in self.panels:
            made = self.panels[key] = self.places[key].make(self.desk)
            forget_minimum_sizes(made)
            self._stack.addWidget(made)
            self.memory.restore(f"panel/{key}", {}, made.restore_state)
            made.status_changed.connect(self._status.show_numbers)
            made.help_requested.connect(self.help_requested)
            made.file_saved.connect(self._on_file_saved)
            made.navigation_requested.connect(lambda other, target: self.show_panel(other).navigate(target))
            made.state_changed.connect(lambda: self.memory.set(f"panel/{key}", made.save_state()))
        return self.panels[key]

    def show_panel(self, key: str) -> Panel:
        """Switch to a panel; one that is shown already only takes the focus."""
        panel = self.panel(key)
        keep_focus = self.rail.has_focus()
        if key != self._shown:
            self._switch_to(key, panel)
        if keep_focus:
            self.rail.take_focus()
        else:
            # The panel's keys work at once, and the Tab key begins at its first control.
            (panel.first_focus or panel).setFocus()
        return panel

    def _switch_to(self, key: str, panel: Panel) -> None:
        self._shown = key
        restyle(panel)
        self._stack.setCurrentWidget(panel)
        self.rail.set_current(key)
        self.show_status("")
        self.memory.set("window/panel", key)
        self.panel_shown.emit(key)

    def show_status(self, text: str) -> None:
        """Show a short message in the status bar."""
        self._status.show_numbers(text)

    def switch_region(self) -> None:
        """Move the focus from the panel to the rail, or back."""
        panel = self.current()
        if panel and self.rail.has_focus():
            panel.setFocus()
            panel.focusNextPrevChild(True)
        else:
            self.rail.take_focus()

    def navigate(self, key: str, target: Target) -> None:
        """Switch to a panel and show an item there."""
        self.show_panel(key).navigate(target)

    def open_path(self, path: str) -> None:
        """Open a file or folder that was opened before."""
        self.open_drop(classify([Path(path)]))

    def open_drop(self, drop: DroppedPath) -> None:
        """Open a volume in Scan, a folder in Data, a run in Train, an image in Compare or the panel that takes it."""
        self.notice.clear()
        if drop.kind == "none":
            self.notice.show_message(drop.problem)
        elif drop.kind == "run":
            self._open_run(drop)
        else:
            path = str(drop.path.absolute())
            target = LoadSource(path) if drop.kind == "folder" else OpenFile(path)
            self.navigate(self.panel_for(drop, self.current_key()), target)

    def panel_for(self, drop: DroppedPath | None, current: str) -> str:
        """Return the panel that opens a file, a folder or a run; the current one if there is none to open."""
        kind = drop.kind if drop is not None else "none"
        if kind == "scan":
            return current if current in self.places and self.places[current].takes_scans else "compare"
        return {"folder": "data", "volume": "scan", "run": "train"}.get(kind, current)

    def _on_file_saved(self, path: str) -> None:
        """Say where a file was saved; the next export begins in its folder."""
        folder = str(Path(path).parent)
        self.memory.set("folder/export", folder)
        self.notice.show_message(
            f"Saved to {path}", "info", "Show in folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(folder))
        )

    def open_runs(self) -> None:
        """Switch to the preferred runs folder."""

    def _open_run(self, drop: DroppedPath) -> None:
        root = self.desk.session.runs.root
        if drop.path.resolve().parent == root.resolve():
            self.navigate("train", ShowRun(drop.path.name))
        else:
            self.notice.show_message(
                f"{drop.path.name} is not in your runs folder. Open Preferences (Ctrl+,) and set the runs folder to "
                f"{drop.path.parent}, or copy {drop.path.name} into your runs folder."
            )


def forget_minimum_sizes(panel: Panel) -> None:
    """Drop the minimum sizes from before parts of a panel were hidden; they would make the window grow."""
    for layout in panel.findChildren(QLayout):
        layout.invalidate()
    for splitter in panel.findChildren(QSplitter):
        splitter.refresh()
