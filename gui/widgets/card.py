"""Framed surfaces: cards, which hold part of a panel, and boxes with a message."""

from typing import Literal

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

from gui import palette
from gui.theme import icon
from gui.widgets.labels import ElidedLabel, label, set_style_property

PADDING = 14
Kind = Literal["warning", "info"]
ICON_PX = 18


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


class NoticeBox(QFrame):
    """Sentence with an icon, and a button if there is something to do about it; hidden while it has no text."""

    action_requested = Signal()

    def __init__(self, text: str = "", kind: Kind = "warning", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: Kind = kind
        self._sign, self._text, self._action = QLabel(), label(wrap=True), QPushButton()
        column, row = QVBoxLayout(), QHBoxLayout(self)
        row.setContentsMargins(11, 9, 11, 9)
        row.setSpacing(10)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        column.addWidget(self._text)
        column.addWidget(self._action, 0, Qt.AlignmentFlag.AlignLeft)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._action.clicked.connect(self.action_requested)
        self.show_notice(text, kind)

    def show_notice(self, text: str, kind: Kind = "warning", action: str = "") -> None:
        """Show `text`, with a button named `action` if that is not empty; an empty text hides the box."""
        self._kind = kind
        self._text.setText(text)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        self.setAccessibleName(f"{kind}: {text}")
        set_style_property(self, kind=kind)
        set_style_property(self._text)
        self._draw_sign()
        self.setVisible(bool(text))

    def text(self) -> str:
        return self._text.text()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon in the colors of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_sign()

    def _draw_sign(self) -> None:
        colors = palette.current()
        color = colors.warning_text if self._kind == "warning" else colors.info_text
        self._sign.setPixmap(icon(self._kind, color).pixmap(ICON_PX, ICON_PX))
