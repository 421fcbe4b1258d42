"""The base of the pages under the channels: each follows the choice while it is visible."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.explorer_request import ExplorerRequest
from gui.panels.layers.presenter import LayersPresenter
from gui.widgets.labels import label

TEXT_PX = 232
DEBOUNCE_MS, CACHE_SIZE = 180, 64


class LayersPage(QWidget):
    """Images at the left, text at the right."""

    title = ""
    working = "Computing:"

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__()
        self.presenter = presenter
        session = presenter.loader.session
        self.request = ExplorerRequest(session, self, debounce_ms=DEBOUNCE_MS, cache_size=CACHE_SIZE)
        self.words: QLabel = label(role="quiet", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(14)
        self.request.failed.connect(self.show_error)
        self.request.progressed.connect(lambda done, total: self.words.setText(f"{self.working} {done} of {total}"))

    def lay_out(self, pictures: QWidget, *under: QWidget) -> None:
        """Put the images beside the text, and other widgets under the text."""
        self.line.addWidget(pictures, 1)
        column = QVBoxLayout()
        self.words.setFixedWidth(TEXT_PX)
        for part in (self.words, *under):
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self.line.addLayout(column)

    def refresh(self) -> None:
        """Show what is chosen now."""

    def deactivate(self) -> None:
        """Cancel the request of a page that is no longer visible."""
        self.request.cancel()

    def show_error(self, text: str) -> None:
        """Show why there is no result."""
        self.words.setText(text)
