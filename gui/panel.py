"""What every panel is: a page of the window that works on the session and can be put back as it was."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QShowEvent, QUndoStack
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gui.preferences import Preferences
from gui.session import Session
from gui.theme import GAP

LEFT_PX = 352
DISCLAIMER = "For research and teaching only. Not for diagnosis."


@dataclass
class AppContext:
    """What all panels work with."""

    session: Session
    undo: QUndoStack
    preferences: Preferences


class Panel(QWidget):
    """One page.

    shown says that it has come into sight, pointed tells the numbers under the cursor and the like, wished asks for
    another panel with something to show there, remembered says that what `save_state` returns has changed.
    """

    shown = Signal()
    status_changed = Signal(str)
    navigation_requested = Signal(str, object)
    state_changed = Signal()
    takes_scans = False  # whether a scan that is dropped while the panel is seen is for it

    def __init__(self, desk: AppContext) -> None:
        super().__init__()
        self.desk, self.session = desk, desk.session

    def lay_out(self, left: QWidget, right: QWidget) -> None:
        """Put a narrow part at the left, and what there is to see at its right."""
        left.setFixedWidth(LEFT_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.setSpacing(GAP)
        row.addWidget(left)
        row.addWidget(right, 1)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.shown.emit()

    def navigate(self, what: Any) -> None:
        """Show what another panel, or a drop, wished for."""

    def save_state(self) -> dict[str, Any]:
        """Return what the next session should find again."""
        return {}

    def restore_state(self, kept: dict[str, Any]) -> None:
        """Put back what `save_state` returned; anything may be missing or wrong in it."""

    def export(self) -> None:
        """Write what is seen to a file of the user's choice."""

    def as_python(self) -> str:
        """Return a script that does the same without the window; empty when nothing can be done."""
        return ""

    def copy_python(self) -> None:
        """Put the script on the clipboard and say so."""
        text = self.as_python()
        if text:
            QGuiApplication.clipboard().setText(text)
        self.status_changed.emit(
            "Python script copied to the clipboard"
            if text
            else "Nothing copied: the settings are incomplete or invalid"
        )


def scroll_column(*cards: QWidget, stretched: QWidget | None = None) -> QScrollArea:
    """Return cards one below the other, scrolling in a low window; the room that is left goes to the stretched one."""
    content, scroll = QWidget(), QScrollArea()
    content.setProperty("kind", "plain")
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GAP)
    for card in cards:
        column.addWidget(card, int(card is stretched))
    if stretched is None:
        column.addStretch()
    scroll.setWidget(content)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    return scroll
