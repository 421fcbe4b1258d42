"""The chips of the top bar that show the current image and run, each with a menu to choose another."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QMenu, QSizePolicy

from gui.run_chooser import RunChooser
from gui.selection import Selection
from gui.session import Session
from gui.widgets.buttons import ElidedButton
from gui.widgets.labels import add_heading, plain_tip

MENU_LETTERS = 52


class ImageChip(ElidedButton):
    """Current image; its menu opens a file, one opened before, or returns to the dataset.

    Args:
        selection: the current image and the recent files.
        ask: asks for a file and opens it.
        open_file: opens a file by its path.
    """

    def __init__(self, selection: Selection, ask: Callable[[], object], open_file: Callable[[str], object]) -> None:
        super().__init__("Image")
        self._selection, self._ask, self._open_file = selection, ask, open_file
        self.setProperty("kind", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMenu(QMenu(self))
        self.menu().setToolTipsVisible(True)
        self.menu().aboutToShow.connect(self.fill)
        selection.image_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        image = self._selection.image
        self.show_text("No image" if image is None else image.title)

    def fill(self) -> None:
        """Offer the files that were opened before, and the dataset."""
        menu = self.menu()
        menu.clear()
        menu.addAction("Open image or volume…").triggered.connect(lambda: self._ask())
        if self._selection.recent:
            add_heading(menu, "Recent")
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


class RunChip(RunChooser):
    """Current run; its list offers the others."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "Run")
        self.setProperty("kind", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        for changed in (session.runs_changed, session.selection.run_changed):
            changed.connect(self.refresh)
        session.run_changed.connect(self._on_run_changed)
        self.chosen.connect(session.selection.set_run)
        self.refresh()

    def refresh(self) -> None:
        record = self.session.current_run()
        self.show_run(record.name if record else "")

    def _on_run_changed(self, name: str) -> None:
        """Show a run that has its first epoch; what else changes a run changes no current one."""
        if name != self.full_text:
            self.refresh()


def elide(text: str) -> str:
    """Return a text for a menu, without its middle if it is long."""
    half = MENU_LETTERS // 2
    shown = text if len(text) <= MENU_LETTERS else f"{text[:half]}…{text[-half:]}"
    return shown.replace("&", "&&")
