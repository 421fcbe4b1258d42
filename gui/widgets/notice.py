"""Box with a message that the user must not miss."""

from typing import Literal

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import palette
from gui.icons import icon
from gui.widgets.labels import label, set_style_property

Kind = Literal["warning", "info"]
ICON_PX = 18


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
        colours = palette.current()
        colour = colours.warning_text if self._kind == "warning" else colours.info_text
        self._sign.setPixmap(icon(self._kind, colour).pixmap(ICON_PX, ICON_PX))
