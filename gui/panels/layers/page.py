"""What every page under the channels is: it follows what is chosen while it is seen."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.panels.layers.debounced_request import DebouncedRequest
from gui.panels.layers.presenter import LayersPresenter
from gui.widgets.labels import label

TEXT_PX = 232


class LayersPage(QWidget):
    """Pictures at the left, words at the right."""

    title = ""

    def __init__(self, presenter: LayersPresenter, panel: str) -> None:
        super().__init__()
        self.presenter = presenter
        self.aside = DebouncedRequest(presenter.inquiry.session, panel, self)
        self.words: QLabel = label(role="quiet", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(14)
        self.aside.failed.connect(self.show_error)
        self.aside.progressed.connect(lambda done, total: self.words.setText(f"{self.working} {done} of {total}"))

    working = "Computing:"

    def lay_out(self, pictures: QWidget, *under: QWidget) -> None:
        """Put what is seen beside the words, and what belongs to them under these."""
        self.line.addWidget(pictures, 1)
        column = QVBoxLayout()
        self.words.setFixedWidth(TEXT_PX)
        for part in (self.words, *under):
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self.line.addLayout(column)

    def refresh(self) -> None:
        """Turn to what is chosen now."""

    def deactivate(self) -> None:
        """It is no longer seen: what it asked for is not wanted any more."""
        self.aside.cancel()

    def show_error(self, text: str) -> None:
        """Say what went wrong."""
        self.words.setText(text)
