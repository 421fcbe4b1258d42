"""The chips of the top bar that show the current image and run, each with a menu to choose another."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QPushButton, QSizePolicy

from gui.selection import Selection
from gui.session import Session
from gui.widgets.labels import plain_tip

MAX_PX, LEAST_PX, PADDING_PX, SLACK_PX, MENU_LETTERS = 220, 130, 44, 10, 52
MAX_RUNS = 20


class MenuChip(QPushButton):
    """Chip with a menu that is filled as it opens; its text is elided in the middle to fit."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._full = name, ""
        self.setProperty("kind", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(MAX_PX)
        self.setMenu(QMenu(self))
        self.menu().setToolTipsVisible(True)
        self.menu().aboutToShow.connect(self._on_menu_opened)

    def show_text(self, text: str) -> None:
        """Show a text, in full in the tool tip."""
        self._full = text
        self.setToolTip(plain_tip(f"{self._name}: {text}. Click for others."))
        self.setAccessibleName(f"{self._name.lower()} {text}")
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self._full) + PADDING_PX + SLACK_PX
        return QSize(min(width, MAX_PX), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), LEAST_PX), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def fill(self, menu: QMenu) -> None:
        """Add the entries of the menu."""

    def _on_menu_opened(self) -> None:
        self.menu().clear()
        self.fill(self.menu())

    def _elide(self) -> None:
        room = max(self.width() - PADDING_PX, 0)
        shown = self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideMiddle, room)
        self.setText(shown.replace("&", "&&"))


class ImageChip(MenuChip):
    """Current image; its menu opens a file, one opened before, or returns to the dataset.

    Args:
        selection: the current image and the recent files.
        ask: asks for a file and opens it.
        open_file: opens a file by its path.
    """

    def __init__(self, selection: Selection, ask: Callable[[], object], open_file: Callable[[str], object]) -> None:
        super().__init__("Image")
        self._selection, self._ask, self._open_file = selection, ask, open_file
        selection.image_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        image = self._selection.image
        self.show_text("No image" if image is None else image.title)

    def fill(self, menu: QMenu) -> None:
        menu.addAction("Open image or volume…").triggered.connect(lambda: self._ask())
        menu.addSection("Recent")
        for path in self._selection.recent:
            action = menu.addAction(elide(Path(path).name))
            action.setToolTip(plain_tip(path))
            action.triggered.connect(lambda _=False, path=path: self._open_file(path))
        opened = self._selection.image.opened if self._selection.image else None
        if opened is not None:
            menu.addSeparator()
            menu.addAction("Back to the dataset").triggered.connect(self._selection.close_file)
            forget = menu.addAction(f"Forget {elide(opened.name)}")
            forget.setToolTip("Close the file, and remove it and its lesion from what Engram remembers")
            forget.triggered.connect(lambda: self._selection.forget(opened.path))


class RunChip(MenuChip):
    """Current run; its menu offers the others, newest first."""

    def __init__(self, session: Session) -> None:
        super().__init__("Run")
        self._session = session
        for changed in (session.runs_changed, session.run_changed, session.selection.run_changed):
            changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        record = self._session.current_run()
        name = record.name if record else "No run"
        if name != self._full:
            self.show_text(name)

    def fill(self, menu: QMenu) -> None:
        """Offer the newest runs, and the rest in a menu of its own."""
        current, ready = self._session.current_run(), self._session.ready_runs()
        menu.setEnabled(bool(ready))
        more = menu
        for number, record in enumerate(ready):
            if number == MAX_RUNS:
                more = menu.addMenu("Older runs")
            action = more.addAction(elide(record.name))
            action.setToolTip(record.name)
            action.setCheckable(True)
            action.setChecked(record is current)
            action.triggered.connect(lambda _=False, name=record.name: self._session.selection.set_run(name))


def elide(text: str) -> str:
    """Return a text for a menu, without its middle if it is long."""
    half = MENU_LETTERS // 2
    shown = text if len(text) <= MENU_LETTERS else f"{text[:half]}…{text[-half:]}"
    return shown.replace("&", "&&")
