"""What every page under the channels is: it follows what is chosen while it is seen."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui.panels.layers.aside import Aside
from gui.panels.layers.showing import Showing
from gui.widgets.labels import label

TEXT_PX = 232


class Page(QWidget):
    """Pictures at the left, words at the right."""

    title = ""

    def __init__(self, showing: Showing, panel: str) -> None:
        super().__init__()
        self.showing = showing
        self.aside = Aside(showing.inquiry.session, panel, self)
        self.words: QLabel = label(role="quiet", wrap=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(14)
        self.aside.failed.connect(self.fail)
        self.aside.progressed.connect(lambda done, total: self.words.setText(f"{self.working} {done} of {total}"))

    working = "Computing:"

    def place(self, pictures: QWidget, *under: QWidget) -> None:
        """Put what is seen beside the words, and what belongs to them under these."""
        self.line.addWidget(pictures, 1)
        column = QVBoxLayout()
        self.words.setFixedWidth(TEXT_PX)
        for part in (self.words, *under):
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self.line.addLayout(column)

    def follow(self) -> None:
        """Turn to what is chosen now."""

    def leave(self) -> None:
        """It is no longer seen: what it asked for is not wanted any more."""
        self.aside.drop()

    def fail(self, text: str) -> None:
        """Say what went wrong."""
        self.words.setText(text)
