"""Base class of panels, areas of the app that restore their state, and what another part asks a panel to show."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gui.preferences import Preferences
from gui.run_chooser import RunChooser
from gui.run_list_view import RunListView
from gui.session import Session
from gui.theme import GAP
from gui.widgets.card import PlainScrollArea

LEFT_PX = 352
# Stretch of a card that takes what the others leave, beside the 1 of the empty rest.
NEARLY_ALL = 1000
# Controls beside the panel, such as its button in the rail, that the Tab key passes over.
MOST_STOPS_OUTSIDE = 20
DISCLAIMER_END = "Not for diagnosis."
DISCLAIMER = f"For research and teaching only. {DISCLAIMER_END}"


@dataclass(frozen=True)
class ShowImage:
    """An image of the dataset, by its index within a split."""

    split: str
    index: int


@dataclass(frozen=True)
class OpenFile:
    """An image file or a volume."""

    path: str


@dataclass(frozen=True)
class LoadSource:
    """A source of images: a folder, or one that was used before."""

    source: str


@dataclass(frozen=True)
class ResumeRun:
    """The run that is shown, from its last epoch."""


@dataclass(frozen=True)
class ShowRun:
    """A run, by its name."""

    name: str


@dataclass(frozen=True)
class CompareRuns:
    """Runs side by side, by name or folder."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class UseSettings:
    """A new run with the settings of a run, by its name."""

    name: str


@dataclass(frozen=True)
class ResumeSearch:
    """A search, by its name, which continues."""

    name: str


@dataclass(frozen=True)
class ShowStudy:
    """A study, by its folder."""

    folder: str


@dataclass(frozen=True)
class ReportImage:
    """A report on the current image, as a run denoises it: the run, and the noise that is added, "none" for none."""

    run: str
    noise: str
    sigma: float


ShowTarget = ShowImage | OpenFile | LoadSource | ShowRun | CompareRuns | ShowStudy
Target = ShowTarget | ResumeRun | UseSettings | ResumeSearch | ReportImage


@dataclass
class AppContext:
    """The objects that all panels share."""

    session: Session
    undo: QUndoStack
    preferences: Preferences
    export_folder: str = ""


class Panel(QWidget):
    """One area of the app.

    shown says that it became visible, status_changed carries a text for the status bar, navigation_requested names
    another panel and what to show there, state_changed says that what `save_state` returns has changed, help_requested
    names a lesson or a page of the help, file_saved carries the path of a file that was exported.
    """

    shown = Signal()
    status_changed = Signal(str)
    navigation_requested = Signal(str, object)
    state_changed = Signal()
    help_requested = Signal(str, str)
    file_saved = Signal(str)
    first_focus: QWidget | None = None  # control whose keys work as soon as the panel is shown
    start_button: QAbstractButton | None = None  # what Ctrl+Return presses

    def __init__(self, desk: AppContext) -> None:
        super().__init__()
        self.desk, self.session = desk, desk.session

    def lay_out(self, left: QWidget, right: QWidget) -> None:
        """Put a narrow column of controls at the left, and the content at its right."""
        left.setFixedWidth(LEFT_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.setSpacing(GAP)
        row.addWidget(left)
        row.addWidget(right, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Move the focus to the next control of this panel; after the last one comes the first one again.

        The panel itself takes the focus while it has no other control, such as when results replace a form.
        """
        # Not nextInFocusChain: PySide takes the caller for the owner of what that returns.
        for _ in range(MOST_STOPS_OUTSIDE):
            if not super().focusNextPrevChild(forward):
                break
            focused = self.window().focusWidget()
            if focused and self.isAncestorOf(focused):
                return True
        self.setFocus()
        return True

    def navigate(self, target: Target) -> None:
        """Show what another panel, or a drop, requested."""

    def connect_runs(self, runs: RunListView | RunChooser) -> None:
        """Do what the menu of a list of runs asks of other panels."""
        runs.compare_wanted.connect(lambda names: self.navigation_requested.emit("compare", CompareRuns(tuple(names))))
        runs.settings_wanted.connect(lambda name: self.navigation_requested.emit("train", UseSettings(name)))

    def save_state(self) -> dict[str, Any]:
        """Return the state that the next session restores."""
        return {}

    def restore_state(self, kept: dict[str, Any]) -> None:
        """Restore what `save_state` returned; any part of it may be missing or invalid."""

    def export(self) -> None:
        """Export what is visible to a file of the user's choice."""

    def ask_to_save(self, ask: Callable[..., Any], title: str, name: str, kinds: str) -> str:
        """Ask for the path of an export, in the folder of the one before; empty if none was chosen."""
        path = str(ask(self, title, str(Path(self.desk.export_folder or Path.home()) / name), kinds)[0])
        if path:
            self.desk.export_folder = str(Path(path).parent)
        return path

    def report_saved(self, path: str) -> None:
        """Say where an export was saved, with a button that shows it."""
        self.file_saved.emit(path)

    def as_python(self) -> str:
        """Return a script that does the same without the app, empty if the settings are incomplete or invalid."""
        return ""

    def copy_python(self) -> None:
        """Copy the script of the panel."""
        self.copy_script(self.as_python())

    def copy_script(self, text: str) -> None:
        """Copy a script to the clipboard, and report that in the status bar; an empty one is not copied."""
        if text:
            QGuiApplication.clipboard().setText(text)
        self.status_changed.emit(
            "Python script copied to the clipboard"
            if text
            else "Nothing copied: the settings are incomplete or invalid"
        )


def scroll_column(*cards: QWidget, stretched: QWidget | None = None) -> QScrollArea:
    """Return a scrolling column of cards; the stretched one takes the remaining height."""
    content, scroll = fixed_column(*cards, stretched=stretched), PlainScrollArea()
    content.setProperty("kind", "plain")
    scroll.setWidget(content)
    return scroll


def fixed_column(*cards: QWidget, stretched: QWidget | None = None) -> QWidget:
    """Return a column of cards that does not scroll; the stretched one takes the remaining height."""
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GAP)
    for card in cards:
        column.addWidget(card, NEARLY_ALL if card is stretched else 0)
    column.addStretch(1)  # takes the remaining height while the stretched card is hidden
    return content
