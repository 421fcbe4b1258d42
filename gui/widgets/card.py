"""Card: a titled surface that holds part of a panel."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from gui.widgets.elided_label import ElidedLabel
from gui.widgets.labels import label

PADDING = 14


class Card(QFrame):
    """Titled surface: title and quiet subtitle at the left of the header, actions at its right, `body` below."""

    def __init__(self, title: str = "", subtitle: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._title, self._subtitle = label(title, role="title"), ElidedLabel(subtitle)
        self._subtitle.setProperty("role", "caption")
        self._header = QHBoxLayout()
        self._header.setSpacing(8)
        self._header.addWidget(self._title)
        self._header.addWidget(self._subtitle, 1)
        self._header.addStretch()
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING, PADDING - 2, PADDING, PADDING)
        column.setSpacing(10)
        column.addLayout(self._header)
        column.addLayout(self.body, 1)
        self.setAccessibleName(title)

    def set_title(self, title: str) -> None:
        self._title.setText(title)
        self.setAccessibleName(title)

    def set_subtitle(self, subtitle: str) -> None:
        self._subtitle.setText(subtitle)

    def add_action(self, widget: QWidget) -> None:
        """Add a button, chip or field at the right end of the header."""
        self._header.addWidget(widget)

    def add(self, content: QWidget | QLayout, stretch: int = 0) -> None:
        """Append a widget or a layout to the body."""
        if isinstance(content, QWidget):
            self.body.addWidget(content, stretch)
        else:
            self.body.addLayout(content, stretch)
