"""Window with the guide, the glossary and the documentation."""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from gui import glossary
from gui.theme import GAP

ROOT = Path(__file__).parents[2]
# In an installed copy it is among the resources.
DOCS = next((place for place in (ROOT / "docs", ROOT / "resources" / "docs") if place.is_dir()), ROOT / "docs")
INDEX = DOCS / "index.md"
PAGES = {"guide": "Guide", "glossary": "Glossary"}
# Parts of the documentation that are for users.
PARTS = ("", "tutorials", "how-to", "explanation", "reference", "results")
LIST_PX, ROW_PX, SIZE = 250, 28, (960, 660)


def list_pages() -> dict[str, tuple[str, Path]]:
    """Return title and file of each page by its key; those of the documentation begin with 'docs/'."""
    own = {key: (title, glossary.FILE.with_name(f"{key}.md")) for key, title in PAGES.items()}
    files = [file for part in PARTS for file in sorted((DOCS / part).glob("*.md")) if file.stem not in own]
    files.sort(key=lambda file: file != INDEX)
    return own | {f"docs/{file.relative_to(DOCS).as_posix()}": (read_title(file), file) for file in files}


def read_title(file: Path) -> str:
    """Return the first heading of a page, or its name if it has none."""
    found = re.search(r"^# (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else file.stem


class HelpWindow(QDialog):
    """Pages at the right, their list and a search at the left; links lead to pages, lessons and panels.

    Args:
        window: the app's window.
        follow: opens a link that is no page, such as engram://lesson/1 or engram://panel/train.
    """

    def __init__(self, window: QWidget, follow: Callable[[str, str], object]) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self.setWindowTitle("Help")
        self._follow, self._pages, self._file = follow, list_pages(), glossary.FILE
        self.field, self.index, self.page = QLineEdit(), QListWidget(), QTextBrowser()
        self.field.setPlaceholderText("Find in this page")
        self.field.setAccessibleName("Find in this page")
        self.index.setAccessibleName("pages")
        self.page.setAccessibleName("page")
        self.index.setProperty("kind", "contents")
        self.page.setOpenLinks(False)
        for key, (title, _) in self._pages.items():
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, key)
            item.setSizeHint(QSize(0, ROW_PX))
            self.index.addItem(item)
        left, row = QVBoxLayout(), QHBoxLayout(self)
        left.addWidget(self.field)
        left.addWidget(self.index, 1)
        self.field.setFixedWidth(LIST_PX)
        self.index.setFixedWidth(LIST_PX)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.setSpacing(GAP)
        row.addLayout(left)
        row.addWidget(self.page, 1)
        self.resize(*SIZE)
        self.resize(self.size().boundedTo(self.screen().availableGeometry().size() * 0.9))
        self.index.currentItemChanged.connect(self._on_page_chosen)
        self.field.textChanged.connect(lambda text: self.search(text))
        self.field.returnPressed.connect(lambda: self.search(self.field.text(), again=True))
        self.page.anchorClicked.connect(self._on_link)

    def open_page(self, key: str, term: str = "") -> None:
        """Show a page, at a term of it."""
        places = [at for at in range(self.index.count()) if self.index.item(at).data(Qt.ItemDataRole.UserRole) == key]
        self.index.setCurrentRow(places[0] if places else 0)
        self.show()
        self.raise_()
        self.field.setText(term)
        if term:
            self._find_row(term)

    def search(self, text: str, again: bool = False) -> None:
        """Mark the next place of a text on the page, from the top unless again."""
        if not again:
            self.page.moveCursor(QTextCursor.MoveOperation.Start)
        if text and not self.page.find(text) and again:
            self.page.moveCursor(QTextCursor.MoveOperation.Start)
            self.page.find(text)

    def _find_row(self, term: str) -> None:
        """Mark a term where a row of a table begins with it, not where another row mentions it."""
        self.page.moveCursor(QTextCursor.MoveOperation.Start)
        while self.page.find(term):
            cursor = self.page.textCursor()
            table = cursor.currentTable()
            if table and table.cellAt(cursor).column() == 0:
                self.page.ensureCursorVisible()
                return

    def _on_page_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._file = self._pages[item.data(Qt.ItemDataRole.UserRole)][1]
            self.page.setSearchPaths([str(self._file.parent)])
            self.page.setMarkdown(self._file.read_text(encoding="utf-8"))
            self.search(self.field.text())

    def _on_link(self, url: QUrl) -> None:
        """Open a page of this window, a lesson or panel of the app, or a page of the web."""
        if url.scheme() == "engram":
            self._follow(url.host(), url.path().lstrip("/"))
        elif url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
        elif not url.scheme():
            target = (self._file.parent / url.path()).resolve()
            own = {glossary.FILE.name: "glossary"}
            found = next((key for key, (_, file) in self._pages.items() if file.resolve() == target), "")
            if key := found or own.get(target.name, ""):
                self.open_page(key)
