"""Window with the guide, the glossary and, in a source checkout, the documentation."""

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
PAGES = {"guide": "Guide", "glossary": "Glossary"}
LIST_PX, ROW_PX, SIZE = 190, 28, (900, 640)


def list_pages() -> dict[str, tuple[str, Path]]:
    """Return title and file of each page by its key."""
    own = {key: (title, glossary.FILE.with_name(f"{key}.md")) for key, title in PAGES.items()}
    docs = sorted(file for file in (ROOT / "docs").glob("*.md") if file.stem not in own)
    return own | {file.stem: (file.stem.replace("-", " ").capitalize(), file) for file in docs}


class HelpWindow(QDialog):
    """Pages at the right, their list and a search at the left; links lead to pages, lessons and panels.

    Args:
        window: the app's window.
        follow: opens a link that is no page, such as engram://lesson/1 or engram://panel/train.
    """

    def __init__(self, window: QWidget, follow: Callable[[str, str], object]) -> None:
        super().__init__(window, Qt.WindowType.Window)
        self.setWindowTitle("Help")
        self._follow, self._pages = follow, list_pages()
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
            file = self._pages[item.data(Qt.ItemDataRole.UserRole)][1]
            self.page.setSearchPaths([str(file.parent)])
            self.page.setMarkdown(file.read_text(encoding="utf-8"))
            self.search(self.field.text())

    def _on_link(self, url: QUrl) -> None:
        """Open a page of this window, a lesson or panel of the app, or a page of the web."""
        stem = Path(url.path()).stem
        if url.scheme() == "engram":
            self._follow(url.host(), url.path().lstrip("/"))
        elif not url.scheme() and stem in self._pages:
            self.open_page(stem)
        elif url.scheme() in ("http", "https"):
            QDesktopServices.openUrl(url)
