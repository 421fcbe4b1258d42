"""A button that opens the list of runs below it, with the cursor in its filter."""

from collections.abc import Collection

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gui.run_list_view import RunListView
from gui.session import Session
from gui.widgets.buttons import ElidedButton
from gui.widgets.labels import label
from gui.widgets.run_list.model import ROW_PX
from gui.widgets.run_list.widget import ListMode

POPUP_PX = QSize(460, 520)
# Height of everything but the rows.
FRAME_PX, EDGE_PX, GAP_PX = 140, 8, 2
NO_RUN = "No run"
HINTS = {
    ListMode.PICK: "type to filter · ↑ ↓ move · Enter chooses · V shows in the plots of Train · right-click: more",
    ListMode.CHECK: "type to filter · ↑ ↓ move · Enter or a click checks · Esc closes · right-click: more",
}


class RunPopup(QFrame):
    """Popup with the list of runs."""

    def __init__(self, session: Session, mode: ListMode, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("kind", "card")
        self.list = RunListView(session, mode)
        column = QVBoxLayout(self)
        column.setContentsMargins(EDGE_PX, EDGE_PX, EDGE_PX, EDGE_PX)
        column.addWidget(self.list, 1)
        column.addWidget(label(HINTS[mode], role="caption", wrap=True))
        self.setAccessibleName("list of runs")

    def open_below(self, button: QWidget) -> None:
        """Show the popup below a button, as far as the screen has room, with an empty filter."""
        room = button.screen().availableGeometry()
        corner = button.mapToGlobal(QPoint(0, button.height() + GAP_PX))
        below, above = room.bottom() - corner.y(), corner.y() - button.height() - room.top()
        wanted = QSize(POPUP_PX.width(), min(FRAME_PX + ROW_PX * len(self.list.tree.runs.rows()), POPUP_PX.height()))
        self.resize(wanted.boundedTo(QSize(room.width(), max(below, above) - 2 * GAP_PX)))
        if below < self.height():
            corner.setY(corner.y() - button.height() - 2 * GAP_PX - self.height())
        corner.setX(max(min(corner.x(), room.right() - self.width()), room.left()))
        self.move(corner)
        self.list.filter.clear()
        self.show()
        self.list.filter.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)


class RunChooser(ElidedButton):
    """Button that shows the chosen run, or checks runs; its list is the one of all panels.

    chosen carries the name of the run that the user picked, checked_changed the names of the checked ones.
    """

    chosen = Signal(str)
    checked_changed = Signal(list)
    compare_wanted = Signal(list)
    settings_wanted = Signal(str)

    def __init__(self, session: Session, name: str, mode: ListMode = ListMode.PICK) -> None:
        super().__init__(name)
        self.session, self._mode = session, mode
        self._popup: RunPopup | None = None
        self._run = ""
        self._checked: list[str] = []
        self.clicked.connect(self.open)

    @property
    def popup(self) -> RunPopup:
        """Return the popup, which is built when it is first needed."""
        if self._popup is None:
            self._popup = RunPopup(self.session, self._mode, self)
            runs = self._popup.list
            runs.tree.opened.connect(self._on_picked)
            runs.tree.checked_changed.connect(self.checked_changed)
            runs.compare_wanted.connect(self.compare_wanted)
            runs.settings_wanted.connect(self.settings_wanted)
        return self._popup

    def show_run(self, name: str) -> None:
        """Show a run as the chosen one."""
        self._run = name
        if (name or NO_RUN) != self.full_text:
            self.show_text(name or NO_RUN)

    def set_checked(self, names: Collection[str]) -> None:
        """Check these runs."""
        self._checked = list(names)
        if self._popup is not None:
            self._popup.list.tree.set_checked(names)

    def open(self) -> None:
        """Open the list, at the chosen run."""
        self.popup.open_below(self)
        tree = self.popup.list.tree
        if self._mode is ListMode.CHECK:
            tree.set_checked(self._checked)
        elif self._run:
            tree.select([self._run])

    def _on_picked(self, name: str) -> None:
        self.popup.hide()
        self.show_run(name)
        self.chosen.emit(name)
