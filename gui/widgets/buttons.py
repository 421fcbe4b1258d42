"""Buttons with icons that follow the theme."""

from typing import Literal

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QPushButton, QStyleOptionButton, QToolButton, QWidget

from gui import palette
from gui.theme import icon
from gui.widgets.labels import plain_tip

Kind = Literal["", "primary", "danger", "link"]
# Of a button that shows what is chosen.
MAX_PX, LEAST_PX, PADDING_PX, SLACK_PX = 220, 130, 44, 10
ROLES = {"": "text", "primary": "on_accent", "danger": "danger", "link": "accent"}


def tint(button: QAbstractButton, name: str, role: str, on_role: str) -> None:
    """Set the icon of a button in the palette's colors."""
    colors = palette.current()
    button.setIcon(icon(name, getattr(colors, role), getattr(colors, on_role)))


class Button(QPushButton):
    """Push button of a kind, with an icon if it has an icon name."""

    def __init__(self, text: str, kind: Kind = "", icon_name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._icon_name, self._role = icon_name, ROLES[kind]
        self.setProperty("kind", kind)
        self.setIconSize(QSize(16, 16))
        self._tint()

    def set_icon(self, name: str) -> None:
        if name != self._icon_name:
            self._icon_name = name
            self._tint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        if self._icon_name:
            tint(self, self._icon_name, self._role, self._role)


class IconButton(QToolButton):
    """Button that shows only an icon; its name is the tool tip and the text for screen readers."""

    def __init__(self, icon_name: str, name: str, checkable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self.setProperty("kind", "icon")
        self.setIconSize(QSize(18, 18))
        self.setCheckable(checkable)
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        tint(self, icon_name, "quiet", "accent")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            tint(self, self._icon_name, "quiet", "accent")


class RailButton(QToolButton):
    """Button for one panel, with its icon above its name.

    One button of the rail is checked; a bar and a bold name mark it.
    """

    def __init__(self, icon_name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        self.setProperty("kind", "rail")
        self.setText(text)
        self.setAccessibleName(text)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(22, 22))
        self.setFixedSize(76, 60)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        tint(self, icon_name, "quiet", "strong")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            tint(self, self._icon_name, "quiet", "strong")


class ElidedButton(QPushButton):
    """Button that opens something to choose from and shows what is chosen, elided in the middle to fit."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self.full_text, self._least = name, "", LEAST_PX
        self.setMaximumWidth(MAX_PX)

    def set_min_width(self, pixels: int) -> None:
        """Set the width below which it does not shrink."""
        self._least = pixels
        self.updateGeometry()

    def show_text(self, text: str) -> None:
        """Show a text, in full in the tool tip."""
        self.full_text = text
        self.setToolTip(plain_tip(f"{self._name}: {text}. Click for others."))
        self.setAccessibleName(f"{self._name.lower()} {text}")
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.full_text) + PADDING_PX + SLACK_PX
        return QSize(min(width, MAX_PX), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), self._least), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def initStyleOption(self, option: QStyleOptionButton) -> None:
        """Draw the arrow of a button with a menu."""
        super().initStyleOption(option)
        option.features |= QStyleOptionButton.ButtonFeature.HasMenu

    def _elide(self) -> None:
        room = max(self.width() - PADDING_PX, 0)
        shown = self.fontMetrics().elidedText(self.full_text, Qt.TextElideMode.ElideMiddle, room)
        self.setText(shown.replace("&", "&&"))
