"""Framed surfaces: cards, which hold part of a panel, and boxes with a message."""

from typing import Literal

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from gui import palette
from gui.theme import icon
from gui.widgets.labels import PartsLabel, label, set_style_property

PADDING = 14
Kind = Literal["warning", "info"]
ICON_PX = 18


class Card(QFrame):
    """Titled surface: title and quiet subtitle at the left of the header, actions at its right, `body` below."""

    def __init__(self, title: str = "", subtitle: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._title, self._subtitle = label(title, role="title"), PartsLabel(subtitle)
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


class ScrollingCard(Card):
    """Card whose body scrolls; `footer`, with the buttons that matter, always stays visible below it."""

    def __init__(self, title: str = "", subtitle: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, subtitle, parent)
        content, self.area, self.footer = QWidget(), PlainScrollArea(), QVBoxLayout()
        content.setProperty("kind", "plain")
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(content)
        self.body.addWidget(self.area, 1)
        self.body.addLayout(self.footer)
        self.footer.setSpacing(8)
        self.body = inner


class PlainScrollArea(QScrollArea):
    """Scroll area without a frame that is as high as its content, if there is room, and no stop of the Tab key."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        content = self.widget()
        if content is None:
            return super().sizeHint()
        hint, width = content.sizeHint(), self.viewport().width()
        return QSize(hint.width(), content.heightForWidth(width) if content.hasHeightForWidth() else hint.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for another height when the content needs one."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            self.updateGeometry()
        return super().eventFilter(watched, event)


class NoticeBox(QFrame):
    """Sentence with an icon, and buttons if there is something to do about it; hidden while it has no text."""

    action_requested = Signal()
    second_requested = Signal()

    def __init__(self, text: str = "", kind: Kind = "warning", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind: Kind = kind
        self._sign, self._text = QLabel(), label(wrap=True)
        self._action, self._second = QPushButton(), QPushButton()
        column, buttons, row = QVBoxLayout(), QHBoxLayout(), QHBoxLayout(self)
        row.setContentsMargins(11, 9, 11, 9)
        row.setSpacing(10)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        column.addWidget(self._text)
        column.addLayout(buttons)
        for button, wanted in ((self._action, self.action_requested), (self._second, self.second_requested)):
            buttons.addWidget(button)
            button.clicked.connect(wanted)
        buttons.addStretch()
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_notice(text, kind)

    def show_notice(self, text: str, kind: Kind = "warning", action: str = "", second: str = "") -> None:
        """Show `text`, with buttons named `action` and `second` if those are not empty; an empty text hides the box."""
        self._kind = kind
        self._text.setText(text)
        if not text:
            self.hide()
            return
        for button, name in ((self._action, action), (self._second, second)):
            button.setText(name)
            button.setVisible(bool(name))
        self.setAccessibleName(f"{kind}: {text}")
        set_style_property(self, kind=kind)
        set_style_property(self._text)
        self._draw_sign()
        self.show()

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
